// Times, in milliseconds, medians: of a load to its response, in a fresh process, and of a hot call.
import { spawnSync } from "node:child_process";
import { Agent, request as httpRequest } from "node:http";
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

// A Node process's start to its first response.
export async function nodeLoadTime(built, request, starts = 5) {
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
    new Promise((resolve, reject) =>
        httpRequest({ port, host: "127.0.0.1", agent, method, headers, path }, response =>
            response.resume().on("end", resolve)
        )
            .on("error", reject)
            .end(body)
    );

// Requests one after another, over one connection.
export async function hotTime(built, request, calls = 400) {
    const peer = await startPeer(built);
    try {
        const times = [];
        const path = encodeURI(decodeURI(request.path));
        for (let i = 0; i < calls; i++) {
            const from = now();
            await askOnce(peer.port, { ...request, path });
            if (i >= calls / 2) times.push(now() - from);
        }
        return { node: median(times) };
    } finally {
        peer.stop();
    }
}
