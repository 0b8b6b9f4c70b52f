// A server under load that is not kind: workers are killed, clients vanish, functions fail, the store changes, connections
// idle in thousands. `node torture_serve.mjs --count N`: so many requests.
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { openReport } from "../torture/report.mjs";
import {
    compile,
    extra,
    folder,
    kill,
    nonsense,
    parse,
    pause,
    raw,
    Server,
    until,
    vanish,
} from "./server.mjs";

const count = Number(process.argv[process.argv.indexOf("--count") + 1]);
const filesMax = Number(
    /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))[1]
);
const idleCount = Math.min(10_000, count, filesMax - 200);
const clients = 16;
const promises = [
    "a response is that of its request, whole, or none",
    "a status that is neither the function's nor the queue's does not come",
    "connections that idle neither fail nor hold up others",
    "memory does not grow with requests",
    "after all of it, the server drains and ends with 0",
];
const [ownAnswer, ownStatus, idling, memory, drains] = promises;

const { check, print } = openReport(promises);

let seed = 20261129;
const random = n => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;

compile("front");
compile("kept", "front.js");
const config = join(folder, "torture.json");
writeFileSync(
    config,
    JSON.stringify({
        access_log: false,
        limits: { connections: 20_000, workers: 12 },
        timeouts: { idle_ms: 600_000, write_ms: 2000, body_ms: 2000 },
        defaults: {
            limits: { cpu_ms: 500, memory_mb: 32, wall_ms: 3000, wait_until_ms: 300 },
            pool: { queue_ms: 20_000 },
        },
        functions: { kept: { policy: "keep", pool: { recycle_calls: 50 } } },
    })
);
const server = await Server.start("--config", config);
server.child.stderr.removeAllListeners("data").resume();

// --- Requests of all kinds ---

let asked = 0;
let isCalm = false;

async function exchange(path, options) {
    const host = random(4) === 0 ? "kept" : "front";
    const answer = await server.get(path, { host, ...options });
    check(ownStatus, [200, 500, 503, 504].includes(answer.status), `${path}: ${answer.status}`);
    return answer;
}

const kinds = {
    async mark(mark) {
        const answer = await exchange("/mark", { headers: { "x-mark": mark } });
        if (answer.status === 200)
            check(ownAnswer, answer.body === mark, `${mark}, got ${answer.body.slice(0, 80)}`);
    },
    async echo(mark) {
        const body = `${mark};`.repeat(1 + random(20_000));
        const answer = await exchange("/echo", { method: "POST", body });
        if (answer.status === 200 && answer.whole)
            check(ownAnswer, answer.body === body, `${mark}: another body`);
    },
    async pipelined(mark) {
        const one = part => `GET /mark HTTP/1.1\r\nhost: front\r\nx-mark: ${mark}-${part}\r\n`;
        const text = await raw(
            server.port,
            `${one("a")}\r\n${one("b")}\r\n${one("c")}connection: close\r\n\r\n`
        );
        const found = [...text.matchAll(/m-\d+-\d+-([abc])/g)];
        const right = found.every(([whole]) => whole.startsWith(`${mark}-`));
        const order = found.map(match => match[1]).join("");
        check(
            ownAnswer,
            right && ["", "a", "b", "c", "ab", "bc", "ac", "abc"].includes(order),
            `${mark}: ${order}`
        );
    },
    async failing() {
        await exchange(["/throw", "/loop", "/hog", "/break"][random(4)]);
    },
    async vanishing(mark) {
        await vanish(
            server.port,
            `POST /late-echo HTTP/1.1\r\nhost: front\r\ncontent-length: 9999\r\n\r\n${mark}`,
            random(30)
        );
    },
    async nonsense() {
        await raw(server.port, nonsense(random), { end: true });
    },
};

const shares = ["mark", "mark", "mark", "mark", "echo", "pipelined", "vanishing", "nonsense"];

async function client(number) {
    while (asked < count) {
        const index = asked++;
        const kind = isCalm ? "mark" : index % 97 === 0 ? "failing" : shares[random(shares.length)];
        try {
            await kinds[kind](`m-${number}-${index}`);
        } catch (error) {
            const broke = /not a response|no answer/.test(error.message);
            check(ownAnswer, broke && !isCalm, `${kind}: ${error.message.slice(0, 200)}`);
        }
    }
}

async function killer() {
    while (asked < count) {
        const children = server.children();
        if (children.length > 0) kill(children[random(children.length)].pid);
        await pause(20 + random(60));
    }
}

// --- Idle connections ---

async function idle() {
    const sockets = [];
    let closed = 0;
    for (let i = 0; i < idleCount; i++) {
        await new Promise(resolve => {
            const socket = connect(server.port, "127.0.0.1", resolve);
            socket.on("error", resolve);
            socket.on("close", () => closed++);
            sockets.push(socket);
        });
    }
    await until(
        "them all",
        async () => (await server.metrics()).get("snapcell_connections") >= idleCount - closed
    );
    for (let i = 0; i < 20; i++)
        check(idling, (await server.get("/x")).body === "front", "another waited");
    check(idling, closed === 0, `${closed} were closed`);
    const one = sockets[random(sockets.length)];
    const answer = new Promise(resolve => one.once("data", data => resolve(String(data))));
    one.write("GET /x HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n");
    check(idling, parse(await answer).status === 200, "one of them got no answer");
    for (const socket of sockets) socket.destroy();
    await until("their end", async () => (await server.metrics()).get("snapcell_connections") < 10);
}

await Promise.all([...Array.from({ length: clients }, (unused, i) => client(i)), killer()]);
await idle();

isCalm = true;
asked = 0;
await Promise.all(Array.from({ length: clients }, (unused, i) => client(i)));
const before = server.anonymousKib();
asked = 0;
await Promise.all(Array.from({ length: clients }, (unused, i) => client(i)));
const after = server.anonymousKib();
// AddressSanitizer keeps what was freed.
const growth = extra.length > 0 ? 2 : 1.02;
check(memory, after < before * growth + 512, `from ${before} to ${after} KiB`);
const ended = await server.stop();
check(drains, ended === 0, `it ended with ${ended}`);

process.exitCode = print() ? 0 : 1;
