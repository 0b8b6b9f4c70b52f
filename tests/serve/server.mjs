// Starts servers for tests, and speaks to them by sockets, byte by byte where need be.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { after } from "node:test";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// More options of each server: those of a build with sanitizers look for leaks, which no sandbox allows.
export const extra = (process.env.SERVE_OPTIONS ?? "").split(" ").filter(Boolean);
// They have no checkpoints either: no worker restores its memory.
export const restores = extra.length === 0;

const here = dirname(fileURLToPath(import.meta.url));
export const program = process.env.SNAPCELL ?? process.env.SNAPCELL_WORKER;
export const folder = mkdtempSync(join(tmpdir(), "snapcell-serve-"));
export const store = join(folder, "store");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// A test that fails leaves its server running, and this process would wait for it.
const running = new Set();
if (process.argv[1].endsWith(".test.mjs"))
    after(() => running.forEach(child => child.kill("SIGKILL")));

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

// How much slower this machine is than those that limits of time are made for, as for programs of Check's.
const timesSlower = Number(process.env.CK_TIMEOUT_MULTIPLIER ?? 1);

// Waits until something is so: a test must not depend on how fast a machine is.
export async function until(what, ask, limit = 20_000) {
    const end = Date.now() + limit * timesSlower;
    for (;;) {
        const found = await ask();
        if (found) return found;
        if (Date.now() > end) throw new Error(`it never came: ${what}`);
        await pause(10);
    }
}

// False: it has ended meanwhile.
export function kill(pid) {
    try {
        return process.kill(pid, "SIGKILL");
    } catch {
        return false;
    }
}

export function compile(name, file = `${name}.js`, ...options) {
    const path = file.startsWith("/") ? file : join(here, "functions", file);
    const done = spawnSync(
        program,
        ["compile", "--store", store, "--name", name, ...options, path],
        { encoding: "utf8" }
    );
    if (done.status !== 0) throw new Error(done.stderr);
}

// A server with a port for requests and one for metrics; `text` is what it said by now.
export class Server {
    constructor(child) {
        this.child = child;
        this.text = "";
        this.said = "";
        this.ended = new Promise(resolve =>
            child.on("close", (code, signal) => resolve(signal ?? code))
        );
    }

    static start(...options) {
        return Server.startAs({}, ...options);
    }

    // As another user, { uid, gid }, or with a standard input, { stdio }.
    static async startAs(user, ...options) {
        const args = [
            "serve",
            "--store",
            store,
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
        ];
        const child = spawn(program, [...args, ...extra, ...options], {
            stdio: ["ignore", "pipe", "pipe"],
            ...user,
        });
        const server = new Server(child);
        running.add(child);
        child.on("exit", () => running.delete(child));
        child.stdout.on("data", data => (server.said += data));
        child.stderr.on("data", data => (server.text += data));
        let isOver = false;
        server.ended.then(() => (isOver = true));
        await until("a line for each port", () => isOver || /metrics at .*\n/.test(server.said));
        if (isOver) throw new Error(`the server ended: ${server.text}`);
        server.port = Number(/^listening on http:\/\/127\.0\.0\.1:(\d+)$/m.exec(server.said)[1]);
        server.metricsPort = Number(
            /^metrics at http:\/\/127\.0\.0\.1:(\d+)$/m.exec(server.said)[1]
        );
        return server;
    }

    // The log's lines so far, as objects.
    lines(event) {
        return this.text
            .split("\n")
            .slice(0, -1)
            .filter(line => line.startsWith("{"))
            .map(line => JSON.parse(line))
            .filter(line => !event || line.event === event);
    }

    // The processes that it started and that live: { pid, kind }, as "snapcell cell-worker" or "snapcell-net";
    // one that was launched from an image has no name.
    children() {
        const found = [];
        for (const name of readdirSync("/proc").filter(text => /^\d+$/.test(text)))
            try {
                const stat = readFileSync(`/proc/${name}/stat`, "latin1");
                const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
                if (Number(parent) !== this.child.pid || state === "Z") continue;
                const words = readFileSync(`/proc/${name}/cmdline`, "latin1").split("\0", 2);
                const program_ = words[0].split("/").pop();
                const kind = /^[a-z-]+$/.test(words[1] ?? "")
                    ? `${program_} ${words[1]}`
                    : program_;
                found.push({ pid: Number(name), kind });
            } catch {
                continue; // it has ended meanwhile
            }
        return found;
    }

    anonymousKib() {
        const status = readFileSync(`/proc/${this.child.pid}/status`, "latin1");
        return Number(/^RssAnon:\s+(\d+)/m.exec(status)[1]);
    }

    async metrics() {
        const answer = await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`);
        return parseMetrics(await answer.text());
    }

    get(path, options = {}) {
        return request(this.port, path, options);
    }

    async stop(signal = "SIGTERM") {
        this.child.kill(signal);
        return this.ended;
    }
}

// By the rules of Prometheus' text format 0.0.4: each sample has a type before it, which fits.
export function parseMetrics(text) {
    const types = new Map();
    const samples = new Map();
    if (!text.endsWith("\n")) throw new Error("the last line has no end");
    for (const line of text.trimEnd().split("\n")) {
        const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)$/.exec(line);
        if (type) {
            if (types.has(type[1])) throw new Error(`a second type: ${line}`);
            types.set(type[1], type[2]);
            continue;
        }
        if (/^# HELP [a-z_:][a-z0-9_:]* \S/.test(line)) continue;
        const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`;
        const sample = new RegExp(
            String.raw`^([a-z_:][a-z0-9_:]*)(\{${label}(?:,${label})*\})? (\S+)$`
        ).exec(line);
        if (!sample || Number.isNaN(Number(sample[3]))) throw new Error(`not a sample: ${line}`);
        const base = sample[1].replace(/_(bucket|sum|count)$/, "");
        if (!types.has(sample[1]) && types.get(base) !== "histogram")
            throw new Error(`a sample without a type: ${line}`);
        const key = sample[1] + (sample[2] ?? "");
        if (samples.has(key)) throw new Error(`the same sample again: ${line}`);
        samples.set(key, Number(sample[3]));
    }
    return samples;
}

// Sends bytes as they are, and gives all that comes until the server closes or `enough` says so.
export function raw(
    port,
    bytes,
    { enough = () => false, piece = 0, end = false, limit = 20_000 } = {}
) {
    return new Promise((resolve, reject) => {
        let got = "";
        const socket = connect(port, "127.0.0.1", async () => {
            if (piece === 0) socket.write(bytes, "latin1");
            for (let i = 0; piece > 0 && i < bytes.length && !socket.destroyed; i += piece) {
                socket.write(bytes.slice(i, i + piece), "latin1");
                await pause(0);
            }
            if (end) socket.end();
        });
        const timer = setTimeout(() => {
            socket.destroy();
            reject(new Error(`no answer, but: ${got}`));
        }, limit);
        const finish = () => {
            clearTimeout(timer);
            socket.destroy();
            resolve(got);
        };
        socket.setNoDelay(true);
        socket.on("data", data => {
            got += data.toString("latin1");
            if (enough(got)) finish();
        });
        socket.on("close", finish);
        socket.on("error", () => {});
    });
}

// A client that sends bytes and breaks its connection off `ms` later.
export function vanish(port, bytes, ms) {
    return new Promise(resolve => {
        const socket = connect(port, "127.0.0.1", () => {
            socket.write(bytes);
            setTimeout(() => {
                socket.resetAndDestroy();
                resolve();
            }, ms);
        });
        socket.on("error", () => {}).resume();
    });
}

// Six pieces of requests in no order, of these and of `more`; random(n) is below n.
export function nonsense(random, ...more) {
    const parts = [
        "GET / HTTP/1.1\r\n",
        "host: front\r\n",
        "\r\n",
        "\n",
        "\0",
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        ...more,
    ];
    return Array.from({ length: 6 }, () => parts[random(parts.length)]).join("");
}

// One request on a connection of its own: { status, headers, body }.
export async function request(port, path, { method = "GET", headers = {}, body, host } = {}) {
    const lines = Object.entries({
        host: host ?? "front.localhost",
        connection: "close",
        ...headers,
    });
    if (body !== undefined) lines.push(["content-length", Buffer.byteLength(body)]);
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return parse(await raw(port, `${method} ${path} HTTP/1.1\r\n${head}\r\n${body ?? ""}`));
}

// A response out of its bytes; its body without chunks.
export function parse(text) {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`not a response: ${JSON.stringify(text)}`);
    const [first, ...lines] = text.slice(0, end).split("\r\n");
    const headers = {};
    for (const line of lines) {
        const [, name, value] = /^([^:\s]+): (.*)$/.exec(line);
        headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const rest = text.slice(end + 4);
    const body =
        headers["transfer-encoding"] === "chunked" ? unchunk(rest) : { text: rest, whole: true };
    return {
        status: Number(first.split(" ")[1]),
        first,
        headers,
        body: body.text,
        whole: body.whole,
    };
}

function unchunk(text) {
    let body = "";
    for (let at = 0; ;) {
        const line = text.indexOf("\r\n", at);
        if (line < 0) return { text: body, whole: false };
        const size = parseInt(text.slice(at, line), 16);
        if (size === 0) return { text: body, whole: text.slice(line) === "\r\n\r\n" };
        body += text.slice(line + 2, line + 2 + size);
        at = line + 2 + size + 2;
    }
}
