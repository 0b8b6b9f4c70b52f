// A fleet of hosts against one registry: `node fleet.mjs --count HOSTS`. Each host follows a tag. Releases reach all of them,
// one that was cut off catches up, what a host has is not fetched again, and none serves two releases at once.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

import { Builder, Registry, hasRegistry, marked } from "../serve/registry.mjs";
import { extra, folder, pause, program, until } from "../serve/server.mjs";
import { openNetwork } from "./fleet_network.mjs";
import { openReport } from "./report.mjs";

const count = Number(process.argv[process.argv.indexOf("--count") + 1]);
if (!(count >= 2)) throw new Error("usage: fleet.mjs --count HOSTS, 2 or more");
const limit = 120_000 + count * 20_000; // a machine of two processors may have all of them
const names = ["one", "two"];

const promises = [
    "a release reaches every host",
    "a host that is cut off serves what it has, and catches up",
    "a host serves one release at a time, and loses no request",
    "what a host has is not fetched again",
    "each host ends with 0",
];
const [reaches, catchesUp, isOne, isSaved, ends] = promises;

const { check, print } = openReport(promises);

function ask(path, name) {
    return new Promise(resolve => {
        const options = { socketPath: path, headers: { host: `${name}.localhost` }, agent: false };
        const asked = request(options, response => {
            let body = "";
            response.setEncoding("utf8").on("data", text => (body += text));
            response.on("end", () => resolve({ status: response.statusCode, body }));
        });
        asked.on("error", error => resolve({ status: 0, body: error.message })).end();
    });
}

class Host {
    constructor(number, { prefix, host, port }) {
        this.number = number;
        this.socket = join(folder, `${number}.sock`);
        const args = [
            ...[
                "serve",
                "--store",
                join(folder, `host-${number}`),
                "--listen",
                `unix:${this.socket}`,
            ],
            ...["--source", `oci://${host}:${port}/fleet/app:prod`, "--plain-http"],
            ...["--source-interval", String(Math.max(1, Math.ceil(count / 5)))],
            ...["--trust", `${builder.key}.pub`, "--config", config, ...extra],
        ];
        const [command, ...words] = [...prefix, program, ...args];
        this.child = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"] });
        this.log = "";
        this.child.stderr.on("data", data => (this.log += data));
        this.ended = new Promise(resolve =>
            this.child.on("close", (code, signal) => resolve(signal ?? code))
        );
        this.mark = 0;
        this.newest = 0; // that an answer was of
    }

    // Asks for one name after the other, until the end. Nothing that begins after an answer of a release
    // may be of one before it.
    async watch() {
        while (!isOver) {
            for (const name of names) {
                const before = this.newest;
                const { status, body } = await ask(this.socket, name);
                const mark = Number(body.split(" ")[1]);
                if (status !== 200 && before === 0) continue; // it starts, or nothing has come yet
                check(
                    isOne,
                    status === 200 && mark >= before,
                    `host ${this.number}: ${status} ${body}`
                );
                this.newest = Math.max(this.newest, mark || 0);
                this.mark = mark;
            }
            await pause(count * 10);
        }
    }

    events(event) {
        return this.log
            .split("\n")
            .filter(line => line.includes(`"event":"${event}"`))
            .map(line => JSON.parse(line));
    }
}

async function reach(hosts, mark, promise) {
    const all = `hosts at release ${mark}`;
    const done = await until(all, () => hosts.every(host => host.mark === mark), limit).catch(
        () => false
    );
    for (const host of hosts)
        check(
            promise,
            done || host.mark === mark,
            `host ${host.number} is at ${host.mark}: ${host.log}`
        );
}

async function push(mark) {
    await builder.compile(marked(String(mark), ...names));
    const url = registry.url("fleet/app", "prod");
    return builder.push(`fleet-${mark}`, url, network.registry.prefix);
}

const sizeOf = (pushed, ...wanted) =>
    pushed.functions
        .filter(({ name }) => wanted.includes(name))
        .reduce((sum, { artifact_bytes }) => sum + artifact_bytes, 0);

const report = (what, bytes) => {
    const sorted = [...bytes].sort((a, b) => a - b);
    const middle = sorted[sorted.length >> 1];
    console.error(`${what}: ${sorted[0]} to ${sorted.at(-1)} bytes a host, median ${middle}`);
};

// --- What happens
if (!hasRegistry) {
    console.error("docker-registry is not installed");
    process.exit(77);
}
let isOver = false;
const network = openNetwork();
// Before the folder is removed, in which they write.
process.prependListener("exit", () => network.close());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
const builder = await new Builder(join(folder, "builder")).open();
const config = join(folder, "fleet.json");
writeFileSync(
    config,
    JSON.stringify({
        access_log: false,
        defaults: { policy: "keep", pool: { max_workers: 1, queue_ms: limit } },
        timeouts: { head_ms: limit, idle_ms: limit }, // this process, too, waits for processors
    })
);
const registry = await new Registry(join(folder, "registry"), network.registry).start();
network.registry.port = registry.port;

// What stays the same, and cannot be compressed.
const big = randomBytes(300_000).toString("base64");
await builder.compile({ big: `export default { fetch: () => new Response("${big}") };` });
const first = await push(1);
const began = Date.now();
const hosts = [];
for (let number = 1; number <= count; number++)
    hosts.push(new Host(number, await network.addHost(number)));
process.prependListener("exit", () => hosts.forEach(host => host.child.kill("SIGKILL")));
const watching = Promise.all(hosts.map(host => host.watch()));
await reach(hosts, 1, reaches);
console.error(
    `${count} hosts in ${network.kind}; the first release was everywhere after ${Date.now() - began} ms`
);

const bytesSince = (before, number) => network.bytes().get(number) - before.get(number);
const whole = sizeOf(first, "big", ...names);
const atFirst = new Map(hosts.map(({ number }) => [number, 0]));
report(
    `the first release, of ${whole} bytes`,
    hosts.map(({ number }) => bytesSince(atFirst, number))
);

const [cut, ...others] = hosts;
network.setLink(cut.number, "down");
for (const mark of [2, 3]) {
    const before = network.bytes();
    const pushedAt = Date.now();
    const size = sizeOf(await push(mark), ...names);
    await reach(others, mark, reaches);
    const bytes = others.map(({ number }) => bytesSince(before, number));
    report(`release ${mark}, of ${size} new bytes, after ${Date.now() - pushedAt} ms`, bytes);
    others.forEach((host, i) => {
        const fetched = host.events("source_pulled").at(-1)?.fetched_bytes;
        check(
            isSaved,
            fetched === size,
            `host ${host.number} fetched ${fetched} bytes, not ${size}`
        );
        check(isSaved, bytes[i] >= size && bytes[i] < whole / 2, `${bytes[i]} bytes on the wire`);
    });
    check(catchesUp, cut.mark === 1, `the host that is cut off is at ${cut.mark}`);
}
await until("the host to notice", () => cut.events("source_failed").length > 0, limit);
const before = network.bytes();
network.setLink(cut.number, "up");
const upAt = Date.now();
await reach([cut], 3, catchesUp);
report(`the host that was cut off caught up after ${Date.now() - upAt} ms`, [
    bytesSince(before, cut.number),
]);
check(isSaved, bytesSince(before, cut.number) < whole / 2, "it fetched what it had");

isOver = true;
await watching;
for (const host of hosts) host.child.kill("SIGTERM");
for (const host of hosts) check(ends, (await host.ended) === 0, `host ${host.number}: ${host.log}`);
await registry.stop();
process.exit(print() ? 0 : 1);
