// See `run`. Each framework's own output is in build/frameworks/NAME/log.
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askHttp, askSnapcell, differences } from "./answers.mjs";
import { frameworks } from "./list.mjs";
import { hotTimes, loadTime, peerLoadTime } from "./measure.mjs";
import { build } from "./projects.mjs";
import { startPeer } from "./servers.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const document = join(root, "docs/frameworks.md");

function options() {
    try {
        const { values, positionals } = parseArgs({
            options: {
                out: { type: "string", default: join(root, "build/frameworks") },
                snapcell: { type: "string", default: join(root, "build/snapcell") },
                write: { type: "boolean" },
                table: { type: "boolean" },
                measure: { type: "boolean", default: true },
            },
            allowNegative: true,
            allowPositionals: true,
        });
        const all = values.table ? [] : Object.keys(frameworks);
        const names = positionals.length > 0 ? positionals : all;
        const unknown = names.find(name => !frameworks[name]);
        if (unknown)
            throw new Error(`${unknown} is not among ${Object.keys(frameworks).join(", ")}`);
        const [out, snapcell] = [values.out, values.snapcell].map(path => resolve(path));
        return { ...values, out, snapcell, names };
    } catch (error) {
        console.error(
            `${error.message}\nusage: run [--snapcell PROGRAM] [--out FOLDER] [--no-measure] [--write | --table] [NAME...]`
        );
        process.exit(2);
    }
}

const asked = request => (typeof request === "string" ? { path: request } : request);

// A path that a page names.
async function pathIn(port, { of = "/", found }) {
    const { text } = await askHttp(port, { path: of });
    const path = found.exec(text)?.[0];
    if (!path) throw new Error(`${of} has no ${found}`);
    return new URL(path, new URL(of, "http://localhost")).href.slice("http://localhost".length);
}

// The other side has answered them, too, and first answers may differ. One that fails tells nothing.
async function warmUp({ warm }, peer) {
    for (const request of warm.map(asked)) {
        const { status } = await askHttp(peer.port, request);
        if (status >= 500) throw new Error(`its own server answers ${request.path} with ${status}`);
    }
}

// How many answers differ; each is told.
async function compare(framework, built, peer) {
    let different = 0;
    for (const wanted of framework.requests.map(asked)) {
        const request = wanted.found
            ? { ...wanted, path: await pathIn(peer.port, wanted) }
            : wanted;
        const expected = await askHttp(peer.port, request);
        const told = differences(
            expected,
            askSnapcell(built, request),
            framework.same ?? (text => text)
        );
        if (told.length === 0) continue;
        different++;
        console.log(`  ${request.method ?? "GET"} ${request.path}`);
        for (const line of told) console.log(`    ${line}`);
    }
    return different;
}

async function measure(framework, built) {
    const { path, ...rest } = asked(framework.warm[0]);
    const first = { path, ...rest, status: askSnapcell(built, { path, ...rest }).status };
    return {
        load: loadTime(built, first),
        hot: await hotTimes(built, first),
        peer: await peerLoadTime(built, first),
    };
}

async function tryOne(name, { out, snapcell, measure: measures }) {
    const framework = frameworks[name];
    const built = {
        ...(await build(name, framework, join(out, name), snapcell)),
        snapcell,
    };
    const peer = await startPeer(built);
    let different;
    try {
        await warmUp(framework, peer);
        different = await compare(framework, built, peer);
    } finally {
        peer.stop();
    }
    const times = measures && different === 0 ? await measure(framework, built) : {};
    const { versions, kind, bytes, artifact } = built;
    return {
        asked: framework.requests.length,
        different,
        versions,
        kind,
        bytes,
        artifact,
        ...times,
    };
}

// --- What came out ---

const known = file => {
    try {
        return JSON.parse(readFileSync(file, "utf8"));
    } catch {
        return {};
    }
};

const ms = time => (time === undefined ? "" : time.toFixed(time < 10 ? 2 : 0));
const size = bytes =>
    bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes / 1e3)} kB`;

// What builds it.
function howTo({ source, kit = [], warm }) {
    const words = [...(source ? [basename(source)] : []), ...kit];
    for (const request of warm)
        words.push("--warm", typeof request === "string" ? request : "request.json");
    const quoted = words.map(word => (/^[\w./-]+$/.test(word) ? word : `'${word}'`));
    return `\`npx snapcell build ${quoted.join(" ")}\``;
}

function row(name, result) {
    const { title = name } = frameworks[name];
    const how = howTo(frameworks[name]);
    if (result.error) return `| ${title} | | ${how} | ${result.error} | | | | | | |`;
    const { asked: all, different, versions, kind, bytes, artifact, load, hot, peer } = result;
    const answers = different === 0 ? `${all}` : `${all - different} of ${all}`;
    const cells = [
        title,
        versions.join(", "),
        how,
        answers,
        kind,
        `${size(bytes)}, ${size(artifact)}`,
    ];
    cells.push(ms(load), ms(hot?.ours), ms(peer), ms(hot?.peer));
    return `| ${cells.join(" | ")} |`;
}

const cellsOf = line => line.split(/(?<!\\)\|/).map(cell => cell.trim());
const timeCells = -5; // with the end of the line

// A framework that was not tried keeps its row, and one that was not measured its times.
function renewed(name, result, old) {
    if (!result) return old ? [old] : [];
    if (result.different !== 0) return [];
    const line = row(name, result);
    if (!old || result.load !== undefined) return [line];
    const cells = [...cellsOf(line).slice(0, timeCells), ...cellsOf(old).slice(timeCells)];
    return [cells.join(" | ").trim()];
}

function writeTable(results) {
    const text = readFileSync(document, "utf8");
    const [before, after] = [
        text.split("<!-- rows -->\n")[0],
        text.split("<!-- end of rows -->\n")[1],
    ];
    const [title, line, ...old] = text.split("<!-- rows -->\n")[1].split("\n");
    const head = `${title}\n${line}`;
    const known = new Map(old.map(known => [cellsOf(known)[1], known]));
    const rows = Object.entries(frameworks).flatMap(([name, { title = name }]) =>
        renewed(name, results[name], known.get(title))
    );
    const table = `<!-- rows -->\n${head}\n${rows.join("\n")}\n<!-- end of rows -->\n`;
    writeFileSync(document, before + table + after);
}

async function outcomeOf(name, given) {
    try {
        const result = await tryOne(name, given);
        console.log(`  ${result.asked} requests, ${result.different} answered differently`);
        return result;
    } catch (error) {
        console.log(`  ${error.message}`);
        return { error: error.message.split("\n")[0] };
    }
}

const given = options();
const resultsFile = join(given.out, "results.json");
let failed = 0;
for (const name of given.names) {
    console.log(name);
    const result = await outcomeOf(name, given);
    if (result.different !== 0) failed++;
    writeFileSync(
        resultsFile,
        `${JSON.stringify({ ...known(resultsFile), [name]: result }, null, 1)}\n`
    );
    console.log(`  ${row(name, result)}`);
}
if (given.write || given.table) writeTable(known(resultsFile));
console.log(`${given.names.length} frameworks, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
