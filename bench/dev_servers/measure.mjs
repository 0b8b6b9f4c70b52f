// bench/dev: see there.
import { spawn } from "node:child_process";
import {
    cpSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const goal = 0.5; // of another one's speed
const patienceMs = 30_000;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "25" } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 3) {
    console.error(`bench/dev: --rounds takes a number from 3 on, not ${values.rounds}`);
    process.exit(2);
}

const contenders = {
    snapcell: {
        parameters: [join(root, "kit/bin/snapcell.js"), "dev", "--listen", "127.0.0.1:0"],
        ready: /listening on (http:\S+)/,
    },
    wrangler: {
        parameters: [
            join(here, "node_modules/wrangler/bin/wrangler.js"),
            ...["dev", "--local", "--ip", "127.0.0.1", "--port", "0"],
            "--show-interactive-dev-session=false",
        ],
        ready: /Ready on (http:\S+)/,
    },
    vite: { parameters: ["vite_server.mjs"], ready: /listening on (http:\S+)/ },
};

// Each has a copy of hono-api's project.
function makeProject(folder, name) {
    const project = join(folder, name);
    mkdirSync(join(project, "src"), { recursive: true });
    symlinkSync(join(here, "node_modules"), join(project, "node_modules"));
    cpSync(join(here, "vite_server.mjs"), join(project, "vite_server.mjs"));
    writeFileSync(join(project, "package.json"), `{ "name": "hono-api", "type": "module" }`);
    const wrangler = { name: "hono-api", main: "src/index.js", compatibility_date: "2026-11-01" };
    writeFileSync(join(project, "wrangler.json"), JSON.stringify(wrangler));
    const source = readFileSync(join(root, "examples/hono-api/index.js"), "utf8");
    return { project, file: join(project, "src/index.js"), source };
}

// A route of its own answers the mark that the file was saved with.
const marked = (source, mark) =>
    source.replace(/^app\.get\(/m, `app.get("/mark", c => c.text("mark ${mark}"));\napp.get(`);

function start(name, folder) {
    const { project, file, source } = makeProject(folder, name);
    writeFileSync(file, marked(source, "first"));
    const child = spawn(process.execPath, contenders[name].parameters, {
        cwd: project,
        detached: true, // with what it starts
        env: {
            ...process.env,
            SNAPCELL: join(root, "build/snapcell"),
            WRANGLER_SEND_METRICS: "false",
            CI: "1",
            NO_COLOR: "1",
        },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const url = new Promise((done, failed) => {
        for (const stream of [child.stdout, child.stderr])
            stream.setEncoding("utf8").on("data", text => {
                output += text;
                const match = contenders[name].ready.exec(output);
                if (match) done(match[1]);
            });
        child.on("close", status => failed(new Error(`${name} ended with ${status}: ${output}`)));
    });
    url.catch(() => {}); // it is waited for later
    return { name, file, source, child, url, samples: [] };
}

async function answerOf(url) {
    try {
        return await (await fetch(`${url}/mark`)).text();
    } catch {
        return ""; // it starts again, perhaps
    }
}

// Milliseconds from saving until the answer has the mark.
async function measure({ name, file, source, url }, mark) {
    const at = await url;
    const started = performance.now();
    writeFileSync(file, marked(source, mark));
    while ((await answerOf(at)) !== `mark ${mark}`) {
        if (performance.now() - started > patienceMs)
            throw new Error(`${name} does not answer ${mark}`);
        await new Promise(done => setTimeout(done, 2));
    }
    return performance.now() - started;
}

const quantile = (samples, part) =>
    [...samples].sort((a, b) => a - b)[
        Math.min(samples.length - 1, Math.floor(samples.length * part))
    ];

function summaryOf(servers) {
    const table = servers.map(({ name, samples }) => ({
        name,
        median_ms: quantile(samples, 0.5),
        p90_ms: quantile(samples, 0.9),
        samples,
    }));
    const own = table.find(({ name }) => name === "snapcell").median_ms;
    const ratios = Object.fromEntries(
        table
            .filter(({ name }) => name !== "snapcell")
            .map(({ name, median_ms }) => [
                `dev_vs_${name}`,
                { value: median_ms / own, goal, met: median_ms / own >= goal },
            ])
    );
    const machine = { cpus: cpus().length, load: loadavg()[0] };
    return { function: "hono-api", rounds, machine, servers: table, ratios };
}

function print({ servers, ratios, machine }) {
    console.log("from saving to the new answer, hono-api    median      p90");
    for (const { name, median_ms, p90_ms } of servers)
        console.log(
            `${name.padEnd(40)} ${median_ms.toFixed(0).padStart(5)} ms ${p90_ms.toFixed(0).padStart(5)} ms`
        );
    for (const [name, { value, met }] of Object.entries(ratios))
        console.log(
            `${name.padEnd(40)} ${value.toFixed(2).padStart(5)}    ${met ? "met" : "missed"} (goal: ${goal})`
        );
    if (machine.load > machine.cpus)
        console.log(`The machine was busy: load ${machine.load.toFixed(1)}`);
}

const folder = mkdtempSync(join(tmpdir(), "bench-dev-"));
const servers = Object.keys(contenders).map(name => start(name, folder));
try {
    for (const server of servers) await measure(server, "warm-up");
    // They take turns, so that other work on the machine affects all of them.
    for (let round = 0; round < rounds; round++)
        for (const server of servers) server.samples.push(await measure(server, `round-${round}`));
    const summary = summaryOf(servers);
    print(summary);
    mkdirSync(join(root, "build/bench"), { recursive: true });
    writeFileSync(join(root, "build/bench/dev.json"), `${JSON.stringify(summary, null, 4)}\n`);
} finally {
    for (const { child } of servers)
        try {
            process.kill(-child.pid, "SIGTERM");
        } catch {
            // it has ended
        }
    await new Promise(done => setTimeout(done, 500));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    process.exit(); // not for connections that are kept open
}
