// A server for a long time, at half of what these clients reach, with every kind of failure: processes of all kinds are
// killed, functions throw, overrun and allocate, clients vanish, are slow or send nonsense, the store and the
// configuration change. `node torture_serve_soak.mjs --count SECONDS [--rate N] [--report FILE]`; N: requests a second, found out
// when it is not given.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";

import {
    compile,
    extra,
    folder,
    kill,
    nonsense,
    parse,
    pause,
    program,
    raw,
    Server,
    store,
    until,
    vanish,
} from "./server.mjs";
import { openReport } from "../torture/report.mjs";

const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const seconds = Number(option("--count"));
const report = option("--report");
const window_s = Math.min(300, seconds / 4); // of memory: from the first to the second, and the last
const isLong = seconds >= 1200;
const promises = [
    "a response is that of its request, whole, or none",
    "5xx are a function's own, the queue's, or of a request whose worker was killed",
    "clients that send nonsense get an answer, or none",
    "memory of the server does not grow after the beginning",
    "memory of all processes does not grow after the beginning",
    "the store's changes are seen",
    "after all of it, the server drains and ends with 0",
];
const [ownAnswer, own5xx, badClients, serverMemory, allMemory, changes, drains] = promises;

const { check, print } = openReport(promises);

const random = n => Math.floor(Math.random() * n);
const counts = { requests: 0, own: 0, queue: 0, killed: 0, kills: 0, killsByKind: {}, sighups: 0 };

// --- The server ---

const sound = ["front", "kept", "again", "fetcher", "rare0", "rare1", "rare2"];
const config = join(folder, "soak.json");
const upstream = createServer((request, response) => response.end(request.url)).listen(
    0,
    "127.0.0.1"
);
await once(upstream, "listening");
const target = `http://127.0.0.1:${upstream.address().port}`;

const settings = {
    access_log: false,
    limits: { connections: 2000, workers: 16 },
    timeouts: { idle_ms: 60_000, head_ms: 3000, write_ms: 2000, body_ms: 2000, drain_ms: 20_000 },
    defaults: {
        limits: { cpu_ms: 1000, memory_mb: 32, wall_ms: 30_000, wait_until_ms: 300 },
        pool: { queue_ms: 30_000, idle_ms: 5000, max_workers: 4 },
    },
    functions: {
        kept: { policy: "keep", pool: { recycle_calls: 200 } },
        again: { policy: "reload" },
        fetcher: { allow_net: [`127.0.0.1:${upstream.address().port}`], allow_net_private: true },
        faulty: { tenant: "faulty" },
    },
    tenants: { faulty: { max_workers: 3 } },
};
const write = () => writeFileSync(config, JSON.stringify(settings));

// This process goes on meanwhile: it is what the functions fetch from.
async function compileVersion(number) {
    const path = join(folder, "version.js");
    writeFileSync(path, `export default { fetch: () => new Response("version ${number}") };`);
    const child = spawn(program, ["compile", "--store", store, "--name", "version", path], {
        stdio: "ignore",
    });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the function is not compiled: ${code}`);
}

for (const name of [...sound, "faulty"]) compile(name, "front.js");
await compileVersion(0);
write();
const server = await Server.start("--config", config);
const failures = new Map(); // by request: the code that the log has
server.child.stderr.removeAllListeners("data");
let rest = "";
server.child.stderr.on("data", data => {
    const lines = (rest + data).split("\n");
    rest = lines.pop();
    for (const line of lines.filter(text => text.includes('"failure"'))) {
        const { request, code, error } = JSON.parse(line);
        failures.set(request, `${code}: ${error}`);
        setTimeout(() => failures.delete(request), 60_000).unref();
    }
});

// --- Answers ---

// Whose a failure was, by the log.
async function judge(path, host, answer) {
    counts.requests++;
    if (answer.status < 500) return;
    if (host === "faulty") {
        counts.own++;
        return;
    }
    const id = answer.headers["x-request-id"];
    for (let i = 0; i < 100 && !failures.has(id); i++) await pause(10);
    const why = failures.get(id) ?? "";
    const isKilled = /was killed from outside|process that (has the|had its) network ended/.test(
        why
    );
    if (answer.status === 503 && why === "") counts.queue++;
    else if (isKilled) counts.killed++;
    check(
        own5xx,
        (answer.status === 503 && why === "") || (isKilled && counts.killed <= counts.kills),
        `${host}${path}: ${answer.status}, ${why}`
    );
}

async function exchange(host, path, options) {
    const answer = await server.get(path, { host, ...options });
    await judge(path, host, answer);
    if (answer.status < 500) check(own5xx, true);
    return answer;
}

const general = ["front", "front", "front", "kept", "kept", "again"];
const one = list => list[random(list.length)];

const kinds = {
    async mark(mark) {
        const answer = await exchange(one(general), "/mark", { headers: { "x-mark": mark } });
        if (answer.status === 200)
            check(ownAnswer, answer.body === mark, `${mark}, got ${answer.body.slice(0, 80)}`);
    },
    async echo(mark) {
        const body = `${mark};`.repeat(1 + random(8000));
        const answer = await exchange(one(general), "/echo", { method: "POST", body });
        if (answer.status === 200 && answer.whole)
            check(ownAnswer, answer.body === body, `${mark}: another body`);
    },
    async pieces() {
        const answer = await exchange(one(general), "/pieces");
        if (answer.status === 200 && answer.whole)
            check(ownAnswer, answer.body.split("\n").length === 5, "other pieces");
    },
    async fetching(mark) {
        const headers = { "x-target": `${target}/${mark}` };
        const answer = await exchange("fetcher", "/fetch", { headers });
        // Its network's process may have been killed: then fetch() fails, and the function with it.
        if (answer.status === 200)
            check(ownAnswer, answer.body === `fetched /${mark}`, `${mark}: ${answer.body}`);
    },
    async rare(mark) {
        const host = `rare${random(3)}`;
        const answer = await exchange(host, "/mark", { headers: { "x-mark": mark } });
        if (answer.status === 200) check(ownAnswer, answer.body === mark, `${mark}: another`);
    },
    async failing() {
        await exchange("faulty", one(["/throw", "/throw", "/throw", "/loop", "/hog", "/break"]));
    },
    async vanishing(mark) {
        const path = one(["/late-echo", "/pieces", "/tied", "/endless"]);
        await vanish(
            server.port,
            `POST ${path} HTTP/1.1\r\nhost: ${one(general)}\r\ncontent-length: 9999\r\n\r\n${mark}`,
            random(100)
        );
    },
    async slow(mark) {
        const bytes = `GET /mark HTTP/1.1\r\nhost: front\r\nx-mark: ${mark}\r\nconnection: close\r\n\r\n`;
        const text = await raw(server.port, bytes, { piece: 3 });
        if (text.startsWith("HTTP/1.1 200"))
            check(ownAnswer, text.endsWith(`\r\n\r\n${mark}`), `${mark}: ${text.slice(-80)}`);
    },
    async lazyReader() {
        await new Promise(resolve => {
            const socket = connect(server.port, "127.0.0.1", () =>
                socket.write("GET /large HTTP/1.1\r\nhost: front\r\n\r\n")
            );
            socket.on("error", () => {}).on("close", resolve);
            socket.once("data", () => socket.pause());
            setTimeout(() => socket.destroy(), 300 + random(3000));
        });
    },
    async nonsense() {
        const bytes = nonsense(random, `x: ${"y".repeat(40_000)}\r\n`);
        const text = await raw(server.port, bytes, { end: true });
        for (const [start] of text.matchAll(/HTTP\/1\.1 5[^]*?\r\n\r\n/g))
            if (!/^HTTP\/1\.1 50[15]/.test(start)) await judge("nonsense", "front", parse(start));
        check(badClients, text === "" || text.startsWith("HTTP/1.1 "), text.slice(0, 80));
    },
};

const shares = [
    ...["mark", "mark", "mark", "mark", "mark", "mark", "mark", "mark", "echo", "echo"],
    ...["pieces", "fetching", "fetching", "vanishing", "slow", "nonsense"],
];

async function ask(number) {
    const kind = number % 97 === 0 ? "failing" : number % 61 === 0 ? "lazyReader" : one(shares);
    const mark = `m-${number}-${random(1e9)}`;
    try {
        await kinds[number % 199 === 0 ? "rare" : kind](mark);
    } catch (error) {
        // A worker that is killed while it sends breaks its response off.
        const broke = /not a response|no answer/.test(error.message);
        check(ownAnswer, broke, `${kind}: ${error.message.slice(0, 200)}`);
    }
}

const pending = new Set();

// --- What goes wrong ---

const end = { at: Infinity };
const rests = { now: false, ms: 0 }; // whether clients and failures rest, and for how long they did
const isOver = () => performance.now() >= end.at;

async function killer() {
    while (!isOver()) {
        await pause(100 + random(800));
        if (rests.now) continue;
        const all = server.children();
        if (all.length === 0) continue;
        // Of each kind as often, though there are more workers than others.
        const kind = one([...new Set(all.map(child => child.kind))]);
        const { pid } = one(all.filter(child => child.kind === kind));
        if (!kill(pid)) continue;
        counts.kills++;
        counts.killsByKind[kind] = (counts.killsByKind[kind] ?? 0) + 1;
    }
}

async function changer() {
    for (let version = 1; !isOver(); version++) {
        await pause(Math.min(20_000, seconds * 200));
        while (rests.now) await pause(100);
        await compileVersion(version);
        await until("the new version", async () => {
            const answer = await server.get("/", { host: "version" });
            return answer.body === `version ${version}`;
        })
            .then(() => check(changes, true))
            .catch(error => check(changes, false, error.message));
        settings.defaults.env = { VERSION: String(version) };
        if (version % 3 === 0) writeFileSync(config, '{"functions": {');
        else write();
        server.child.kill("SIGHUP");
        counts.sighups++;
    }
}

// --- Memory ---

const samples = [];

function pssKib(pid) {
    try {
        return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`))[1]);
    } catch {
        return 0; // it has ended, or is not ours to look at
    }
}

function memoryKib() {
    const anonymous = server.anonymousKib();
    const all = server.children().reduce((sum, { pid }) => sum + pssKib(pid), anonymous);
    return { server: anonymous, all };
}

async function sampler(since) {
    while (!isOver()) {
        if (!rests.now) samples.push({ at: (performance.now() - since) / 1000, ...memoryKib() });
        await pause(Math.min(2000, seconds * 20));
    }
}

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function between(from, to, key) {
    return median(samples.filter(s => s.at >= from && s.at < to).map(s => s[key]));
}

// What stays when nothing is under way, to tell what grew: workers have ended, and free memory went back.
async function atRest() {
    const since = performance.now();
    rests.now = true;
    await Promise.all(pending);
    await pause(20_000);
    const seen = [];
    for (let i = 0; i < 5; i++) {
        seen.push(memoryKib());
        await pause(2000);
    }
    rests.now = false;
    rests.ms += performance.now() - since;
    return { server: median(seen.map(s => s.server)), all: median(seen.map(s => s.all)) };
}

// --- The whole ---

// What these clients reach, without failures.
async function findRate() {
    const until_ = performance.now() + Math.min(10_000, seconds * 200);
    let done = 0;
    const since = performance.now();
    const client = async () => {
        for (; performance.now() < until_; done++) await ask(1 + 97 * 61 * 199 + done);
    };
    await Promise.all(Array.from({ length: 16 }, client));
    return (done * 1000) / (performance.now() - since);
}

const rate = Number(option("--rate", 0)) || (await findRate()) / 2;
console.error(`${Math.round(rate)} requests a second for ${seconds} s`);
const since = performance.now();
end.at = since + seconds * 1000;
const helpers = [killer(), changer(), sampler(since)];
let before;
for (let number = 1; !isOver();) {
    const elapsed = (performance.now() - since - rests.ms) / 1000;
    if (isLong && !before && elapsed >= window_s) {
        before = await atRest();
        continue;
    }
    const due = elapsed * rate;
    for (; number < due && pending.size < 400; number++) {
        const asked = ask(number).finally(() => pending.delete(asked));
        pending.add(asked);
    }
    if (pending.size >= 400) number = Math.max(number, Math.floor(due)); // the machine is too slow
    await pause(5);
}
await Promise.all([...helpers, ...pending]);
const after = isLong ? await atRest() : undefined;
// Percent, under load: from the second window to the last.
const growth = key => {
    const settled = between(window_s, 2 * window_s, key);
    return (100 * (between(seconds - window_s, Infinity, key) - settled)) / settled;
};

// AddressSanitizer keeps what was freed; in a short run the pools have hardly settled.
const allowed = isLong && extra.length === 0 ? 2 : 100;
for (const [promise, key] of [
    [serverMemory, "server"],
    [allMemory, "all"],
])
    check(promise, growth(key) < allowed, `${growth(key).toFixed(2)} %`);
const status = await server.stop();
check(drains, status === 0, `it ended with ${status}`);
upstream.close();

// KiB under load, by the minute: whether memory grew at all times, or once.
const minutes = Array.from({ length: Math.ceil(seconds / 60) }, (unused, i) => i * 60);
const byMinute = key => minutes.map(at => between(at, at + 60, key));

const result = {
    seconds,
    rate: Math.round(rate),
    ...counts,
    growthPercent: { server: growth("server"), all: growth("all") },
    restKib: { before, after },
    kibByMinute: { server: byMinute("server"), all: byMinute("all") },
};
if (report) writeFileSync(report, `${JSON.stringify(result, null, 2)}\n`);
console.error(JSON.stringify(result));
process.exit(print() ? 0 : 1);
