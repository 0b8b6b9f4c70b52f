// Requests a second, their times, first requests, starts and memory of servers: `node serve.mjs ROOT [--quick]
// [--out DIR] [--functions N] [--only load|first|many]`. All servers of a function take turns, so that what else the
// machine does affects each.
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { measureFirst } from "./serve_first.mjs";
import { measureMany } from "./serve_many.mjs";
import { freePort, median, pause, start, subject } from "./serve_peers.mjs";

const [root, ...rest] = process.argv.slice(2);
const option = (name, otherwise) => {
    const at = rest.indexOf(name);
    return at < 0 ? otherwise : rest[at + 1];
};
const quick = rest.includes("--quick");
const out = resolve(option("--out", join(root, "build/bench")));
const work = join(out, "serve");
const many = Number(option("--functions", quick ? 200 : 1000));
const seconds = quick ? 1 : 2;
const rounds = quick ? 2 : 3;
const only = option("--only", "");
const wants = part => only === "" || only === part;
const functions = ["hello", "react-ssr", "hono-api", "mix"];
const subjects = [
    "snapcell_restore",
    "snapcell_keep",
    "snapcell_reload",
    "workerd",
    "node",
    "bun",
    "deno",
];
const connections = [1, 4, 64];
const program = join(root, "build/snapcell");

const units = { us: 1e-3, ms: 1, s: 1e3, m: 6e4 };

// In milliseconds, as wrk prints it: "1.23ms".
function milliseconds(text) {
    const [, value, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text);
    return Number(value) * units[unit];
}

async function load(port, count) {
    const args = ["-t1", `-c${count}`, `-d${seconds}s`, "--latency", `http://127.0.0.1:${port}/`];
    const { stdout } = await promisify(execFile)("wrk", args);
    return {
        rate: Number(/Requests\/sec: +([\d.]+)/.exec(stdout)[1]),
        p50: milliseconds(/50% +(\S+)/.exec(stdout)[1]),
        p99: milliseconds(/99% +(\S+)/.exec(stdout)[1]),
        failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
    };
}

// --- Requests a second ---

async function startAll(name, store) {
    const servers = new Map();
    for (const one of subjects) {
        const how = subject(root, work, one, join(root, `build/examples/${name}.js`), store, name);
        if (how) servers.set(one, await start(how(await freePort())));
        else console.error(`bench/serve: ${one} is not installed, and left out`);
    }
    return servers;
}

// Hot before it counts: what compiles, compiles.
async function warm(servers) {
    for (const server of servers.values()) await load(server.port, 4);
    await pause(quick ? 500 : 2000);
}

async function measureFunction(name, store) {
    const servers = await startAll(name, store);
    await warm(servers);
    const samples = {};
    for (let round = 0; round < rounds; round++)
        for (const count of connections)
            for (const [one, server] of servers) {
                const sample = await load(server.port, count);
                if (sample.failed > 0)
                    console.error(`${one} ${name}: ${sample.failed} answers were errors`);
                ((samples[one] ??= {})[count] ??= []).push(sample);
            }
    for (const server of servers.values()) await server.stop();
    return samples;
}

// --- The summary ---

const ratio = (value, goal, what) => ({
    value: Number.isFinite(value) ? Number(value.toPrecision(4)) : null,
    goal,
    met: Number.isFinite(value) && goal !== null ? value >= goal : null,
    what,
});

function summarizeLoad(results, ratios) {
    const at = (name, one, count, key) =>
        median((results[name][one]?.[count] ?? []).map(sample => sample[key]));
    const restoreGoals = { hello: 1, "react-ssr": 1, "hono-api": 1.5, mix: null };
    for (const name of functions) {
        ratios[`serve_restore_vs_workerd.${name}`] = ratio(
            at(name, "snapcell_restore", 4, "rate") / at(name, "workerd", 4, "rate"),
            restoreGoals[name],
            "requests a second with a fresh instance each / workerd's with a shared one, 4 connections"
        );
        ratios[`serve_keep_vs_node.${name}`] = ratio(
            at(name, "snapcell_keep", 4, "rate") / at(name, "node", 4, "rate"),
            0.8,
            "requests a second, shared instances / node's, 4 connections"
        );
        ratios[`serve_p99_vs_workerd.${name}`] = ratio(
            at(name, "workerd", 64, "p99") / at(name, "snapcell_restore", 64, "p99"),
            1,
            "workerd's p99 / that with a fresh instance each, 64 connections"
        );
    }
}

function summarizeFirst(results, ratios) {
    for (const name of functions) {
        const { run, unknown, image } = results[name];
        ratios[`serve_first_vs_run.${name}`] = ratio(
            median(run) / median(unknown),
            3,
            "`snapcell run` by exec / the first request to a function that the server never loaded"
        );
        ratios[`serve_image_vs_run.${name}`] = ratio(
            median(run) / median(image),
            6,
            "`snapcell run` by exec / a request to a function that went to its image"
        );
    }
}

function summarizeMany(results, ratios) {
    const { starts, once, hot } = results;
    const by = pair => median(pair.workerd) / median(pair.snapcell);
    ratios.serve_start_vs_workerd = ratio(
        by(starts),
        20,
        `workerd's start with ${many} functions, to the first answer / ours`
    );
    ratios.serve_pss_vs_workerd = ratio(
        by(once),
        2,
        `workerd's memory (PSS) after ${many} functions answered once each / that of all our processes and images`
    );
    ratios.serve_pss_hot_vs_workerd = ratio(
        by(hot),
        2,
        `the same, after ${results.hotCount} of them answered ${results.hotCalls} times each`
    );
}

function printTable(results) {
    console.log("requests a second (p99 in ms), medians");
    for (const name of functions) {
        console.log(
            `\n${name.padEnd(18)}${connections.map(c => `${c} connections`.padStart(20)).join("")}`
        );
        for (const one of subjects) {
            const cells = connections.map(count => {
                const samples = results[name][one]?.[count];
                if (!samples) return "-".padStart(20);
                const rate = Math.round(median(samples.map(s => s.rate)));
                return `${rate} (${median(samples.map(s => s.p99)).toPrecision(3)})`.padStart(20);
            });
            console.log(one.padEnd(18) + cells.join(""));
        }
    }
}

function printFirst(results) {
    console.log(
        "\nfirst answers in ms, medians: `run` by exec, a function that was never loaded, from its image"
    );
    for (const [name, { run, unknown, image, phases }] of Object.entries(results)) {
        const cells = [run, unknown, image].map(v => median(v).toFixed(2).padStart(8)).join("");
        console.log(name.padEnd(12) + cells + `   of it the start, on the mean: ${phases}`);
    }
}

function writeSummary(ratios) {
    const file = join(out, "summary.json");
    const summary = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    summary.ratios = { ...summary.ratios, ...ratios };
    writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
}

mkdirSync(work, { recursive: true });
const store = join(work, "store");
for (const name of functions) {
    const args = [
        "compile",
        "--store",
        store,
        "--name",
        name,
        "--warm",
        "/",
        join(root, `build/examples/${name}.js`),
    ];
    const done = spawnSync(program, args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(done.stderr);
}
writeFileSync(
    join(work, "serve.json"),
    JSON.stringify({ access_log: false, limits: { workers: 4096 } })
);
const ratios = {};
const all = {};
if (wants("load")) {
    const results = {};
    for (const name of functions) results[name] = await measureFunction(name, store);
    summarizeLoad(results, ratios);
    printTable(results);
    all.load = results;
}
if (wants("first")) {
    all.first = await measureFirst(program, work, store, functions, quick);
    summarizeFirst(all.first, ratios);
    printFirst(all.first);
}
if (wants("many")) {
    all.many = await measureMany(root, work, many, quick);
    summarizeMany(all.many, ratios);
    console.log(`\nwith ${many} functions: starts in ms, memory in KiB`, all.many);
}
writeFileSync(join(work, "results.json"), `${JSON.stringify(all, null, 2)}\n`);
writeSummary(ratios);
console.log();
for (const [name, { value, goal }] of Object.entries(ratios))
    console.log(`${name.padEnd(42)} ${String(value).padStart(8)}  goal ${goal ?? "none"}`);
