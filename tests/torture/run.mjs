#!/usr/bin/env node
// Runs the torture programs of build/ with their full counts, one after another, and prints a table: promise, tries,
// failures. `tests/torture/run [--build DIR] [--short] [--matrix] [NAME...]`; status 1 when anything failed. --matrix:
// also those of restored workers in places where things are denied; NAME then stands for a program in all of them.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { values: options, positionals: names } = parseArgs({
    options: {
        build: { type: "string", default: join(root, "build") },
        short: { type: "boolean" },
        matrix: { type: "boolean" },
    },
    allowPositionals: true,
});

function readPlan() {
    const path = join(options.build, "tests/torture.plan");
    const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
    return lines.map(line => {
        const [name, group, short, full, ...command] = line.split("\t");
        return { name, group, count: options.short ? short : full, command };
    });
}

// The lines "promise<TAB>tries<TAB>failures" of one program, and whether it ended well.
function run({ name, count, command: [program, ...args] }) {
    process.stderr.write(`${name}: ${count} tries\n`);
    const child = spawn(program, [...args, "--count", count], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, SNAPCELL_WORKER: join(options.build, "snapcell") },
    });
    let text = "";
    child.stdout.on("data", chunk => (text += chunk));
    return new Promise((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (status, signal) => {
            const rows = text.split("\n").flatMap(line => {
                const [promise, tries, failures] = line.split("\t");
                return failures === undefined
                    ? []
                    : [{ promise, tries: +tries, failures: +failures }];
            });
            if (status === 77) return resolve([]); // skipped: this user may not try it
            const end = signal ?? `status ${status}`;
            if (status !== 0 && !rows.some(row => row.failures > 0))
                rows.push({ promise: `${name} runs to its end (${end})`, tries: 1, failures: 1 });
            else if (rows.length === 0)
                rows.push({ promise: `${name} reports its tries`, tries: 1, failures: 1 });
            resolve(rows);
        });
    });
}

const promiseWidth = 96; // of nearly all; what is longer moves its numbers to the right

function printRow(promise, tries, failures) {
    const numbers = `${`${tries}`.padStart(10)}  ${`${failures}`.padStart(8)}`;
    console.log(`${promise.padEnd(promiseWidth)}  ${numbers}`);
}

const plan = readPlan();
const unknown = names.filter(name => !plan.some(entry => entry.name === name));
if (unknown.length > 0) {
    const known = plan.map(entry => entry.name).join(", ");
    console.error(`no torture program ${unknown.join(", ")}; there are: ${known}`);
    process.exit(2);
}
const isNamed = ({ name, group }) =>
    names.includes(name) ||
    (group === "matrix" && options.matrix && names.some(other => name.startsWith(`${other}_`)));
const isWanted = entry =>
    names.length > 0 ? isNamed(entry) : entry.group === "base" || options.matrix;
let status = 0;
printRow("promise", "tries", "failures");
// Each program's rows as it ends: all of them take hours.
for (const entry of plan.filter(isWanted)) {
    for (const { promise, tries, failures } of await run(entry)) {
        printRow(promise, tries, failures);
        if (failures > 0) status = 1;
    }
}
process.exit(status);
