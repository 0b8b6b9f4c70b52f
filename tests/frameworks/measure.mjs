// Times, in milliseconds, medians: of a load to its response, in a fresh process, and of a hot call.
import { spawn, spawnSync } from "node:child_process";
import { Agent, request as httpRequest } from "node:http";
import { createInterface } from "node:readline";
import { askHttp, runArguments } from "./answers.mjs";
import { startPeer } from "./servers.mjs";

const median = times => times.toSorted((a, b) => a - b)[times.length >> 1];
const now = () => Number(process.hrtime.bigint()) / 1e6;

// Lookup in the store to the response, of loads in one process.
export function loadTime(built, request, loads = 25) {
    const args = [...runArguments(built, request), "--timings", "--repeat", String(loads)];
    const { stderr } = spawnSync(built.snapcell, args, { encoding: "utf8", maxBuffer: 1 << 28 });
    const lines = stderr.split("\n").filter(line => line.startsWith("{"));
    return median(lines.map(line => JSON.parse(line).total_ns / 1e6));
}

// From the start of the framework's own server to its first response.
export async function peerLoadTime(built, request, starts = 5) {
    const times = [];
    for (let i = 0; i < starts; i++) {
        const from = now();
        const peer = await startPeer(built);
        await askHttp(peer.port, request);
        times.push(now() - from);
        peer.stop();
    }
    return median(times);
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const askOnce = (port, { path, method = "GET", headers, body }) =>
    new Promise((resolve, reject) => {
        const options = { port, host: "127.0.0.1", agent, method, path };
        options.headers = { host: "localhost", ...headers };
        httpRequest(options, response =>
            response.resume().on("end", () => resolve(response.statusCode))
        )
            .on("error", reject)
            .end(body);
    });

// Requests one after another, over one connection; the first half is not counted.
async function hotTimeAt(port, request, calls) {
    const times = [];
    const path = encodeURI(decodeURI(request.path));
    for (let i = 0; i < calls; i++) {
        const from = now();
        const status = await askOnce(port, { ...request, path });
        if (status !== request.status) throw new Error(`hot, ${path} had status ${status}`);
        if (i >= calls / 2) times.push(now() - from);
    }
    return median(times);
}

// `snapcell serve`, which gives each request a fresh instance: { port, stop }.
async function startServe({ snapcell, store, name }) {
    const args = ["serve", "--store", store, "--single", name, "--listen", "127.0.0.1:0"];
    const child = spawn(snapcell, args, { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: child.stdout })) {
        const port = /^listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port) return { port: Number(port), stop: () => child.kill() };
    }
    throw new Error("snapcell serve did not listen");
}

// Each request has a fresh instance in `ours`, and the same one in `peer`.
export async function hotTimes(built, request, calls = 400) {
    const times = {};
    for (const [name, start] of [
        ["peer", startPeer],
        ["ours", startServe],
    ]) {
        const server = await start(built);
        try {
            times[name] = await hotTimeAt(server.port, request, calls);
        } finally {
            server.stop();
        }
    }
    return times;
}
