// Requests a second, their times, starts and memory of servers: `node serve.mjs ROOT [--quick] [--out DIR]
// [--functions N]`. All servers of a function take turns, so that what else the machine does affects each.
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { ask, freePort, manyWorkerd, pause, pssOf, start, subject } from "./serve_peers.mjs";

const [root, ...rest] = process.argv.slice(2);
const option = (name, otherwise) => {
    const at = rest.indexOf(name);
    return at < 0 ? otherwise : rest[at + 1];
};
const quick = rest.includes("--quick");
const out = resolve(option("--out", join(root, "build/bench")));
const work = join(out, "serve");
const many = Number(option("--functions", quick ? 200 : 1000));
const seconds = quick ? 1 : 4;
const rounds = quick ? 2 : 5;
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

const median = values => {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : NaN;
};

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
    await pause(quick ? 500 : 3000);
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

// --- Many functions ---

function compileMany(store) {
    const folder = join(work, "functions");
    mkdirSync(folder, { recursive: true });
    const files = Array.from({ length: many }, (unused, i) => {
        const file = join(folder, `f${i}.js`);
        writeFileSync(file, readFileSync(join(root, "build/examples/hello.js"), "utf8"));
        return file;
    });
    for (let at = 0; at < many; at += 200)
        execFileSync(program, ["compile", "--store", store, ...files.slice(at, at + 200)], {
            stdio: "ignore",
        });
}

function getUnix(path) {
    return new Promise((resolve, reject) =>
        request({ socketPath: path, path: "/", agent: false }, response => {
            response.resume().on("end", resolve);
        })
            .on("error", reject)
            .end()
    );
}

async function untilAnswers(get) {
    for (;;) {
        try {
            return await get();
        } catch {
            await pause(1);
        }
    }
}

async function startManySnapcell(store) {
    const port = await freePort();
    const argv = [
        program,
        "serve",
        "--store",
        store,
        "--listen",
        `127.0.0.1:${port}`,
        "--config",
        join(work, "serve.json"),
    ];
    return start({ argv, port, host: "f0.localhost", log: join(work, "servers.log") });
}

async function startManyWorkerd(peer) {
    const { spawn } = await import("node:child_process");
    for (let i = 0; i < many; i++) rmSync(join(peer.folder, `${i}.sock`), { force: true });
    const since = process.hrtime.bigint();
    const child = spawn(peer.program, ["serve", "config.capnp", ...peer.sockets], {
        cwd: peer.folder,
        stdio: "ignore",
    });
    await untilAnswers(() => getUnix(join(peer.folder, "0.sock")));
    const ready = Number(process.hrtime.bigint() - since) / 1e6;
    const ended = new Promise(resolve => child.on("exit", resolve));
    return { pid: child.pid, ready, stop: () => (child.kill("SIGKILL"), ended) };
}

async function measureMany() {
    const store = join(work, "many-store");
    compileMany(store);
    const peer = manyWorkerd(root, work, join(root, "build/examples/hello.js"), many);
    const starts = { snapcell: [], workerd: [] };
    const memory = { snapcell: [], workerd: [] };
    for (let round = 0; round < (quick ? 1 : 3); round++) {
        const own = await startManySnapcell(store);
        starts.snapcell.push(own.ready);
        for (let i = 0; i < many; i++) await ask(own.port, "/", `f${i}.localhost`);
        memory.snapcell.push(pssOf(own.pid));
        await own.stop();
        if (!peer) continue;
        const other = await startManyWorkerd(peer);
        starts.workerd.push(other.ready);
        for (let i = 0; i < many; i++) await getUnix(join(peer.folder, `${i}.sock`));
        memory.workerd.push(pssOf(other.pid));
        await other.stop();
    }
    return { starts, memory };
}

// --- The summary ---

const ratio = (value, goal, what) => ({
    value: Number.isFinite(value) ? Number(value.toPrecision(4)) : null,
    goal,
    met: Number.isFinite(value) && goal !== null ? value >= goal : null,
    what,
});

function summarize(results, manyResults) {
    const ratios = {};
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
    const { starts, memory } = manyResults;
    ratios.serve_start_vs_workerd = ratio(
        median(starts.workerd) / median(starts.snapcell),
        20,
        `workerd's start with ${many} functions, to the first answer / ours`
    );
    ratios.serve_pss_vs_workerd = ratio(
        median(memory.workerd) / median(memory.snapcell),
        2,
        `workerd's memory (PSS) after ${many} functions answered once each / that of all our processes`
    );
    return ratios;
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
const results = {};
for (const name of functions) results[name] = await measureFunction(name, store);
const manyResults = await measureMany();
const ratios = summarize(results, manyResults);
writeFileSync(
    join(work, "results.json"),
    `${JSON.stringify({ results, many: manyResults }, null, 2)}\n`
);
writeSummary(ratios);
printTable(results);
console.log(
    `\nwith ${many} functions: start, ms`,
    manyResults.starts,
    "memory, KiB",
    manyResults.memory
);
console.log();
for (const [name, { value, goal }] of Object.entries(ratios))
    console.log(`${name.padEnd(42)} ${String(value).padStart(8)}  goal ${goal ?? "none"}`);
