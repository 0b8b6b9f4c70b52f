// Many functions in one server: its start, and its memory when each was called once, and when some of them are hot.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

import { ask, freePort, manyWorkerd, metric, pause, pssOf, start } from "./serve_peers.mjs";

const hotCount = 100;
const hotCalls = 20;
// A worker that served one request ends 6 s after it.
const restMs = 8000;

// Each with a line of its own: the same function would be stored, and imaged, once.
function compileMany(program, root, work, store, many) {
    const folder = join(work, "functions");
    mkdirSync(folder, { recursive: true });
    const text = readFileSync(join(root, "build/examples/hello.js"), "utf8");
    const files = Array.from({ length: many }, (unused, i) => {
        const file = join(folder, `f${i}.js`);
        writeFileSync(file, `${text}\n// ${i}\n`);
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

async function startSnapcell(program, work, store) {
    const port = await freePort();
    const metrics = await freePort();
    const argv = [
        ...[program, "serve", "--store", store, "--config", join(work, "serve.json")],
        ...["--listen", `127.0.0.1:${port}`, "--metrics", `127.0.0.1:${metrics}`],
    ];
    const server = await start({
        argv,
        port,
        host: "f0.localhost",
        log: join(work, "servers.log"),
    });
    return {
        ...server,
        get: i => ask(port, "/", `f${i}.localhost`),
        // Images lie in memory that no process has mapped.
        memory: async () =>
            pssOf(server.pid) + Math.round((await metric(metrics, "snapcell_image_bytes")) / 1024),
    };
}

async function startWorkerd(peer, many) {
    for (let i = 0; i < many; i++) rmSync(join(peer.folder, `${i}.sock`), { force: true });
    const since = process.hrtime.bigint();
    const child = spawn(peer.program, ["serve", "config.capnp", ...peer.sockets], {
        cwd: peer.folder,
        stdio: "ignore",
    });
    const get = i => getUnix(join(peer.folder, `${i}.sock`));
    await untilAnswers(() => get(0));
    const ready = Number(process.hrtime.bigint() - since) / 1e6;
    const ended = new Promise(resolve => child.on("exit", resolve));
    return {
        ready,
        get,
        memory: async () => pssOf(child.pid),
        stop: () => (child.kill("SIGKILL"), ended),
    };
}

async function measureServer(server, many, name, results) {
    const { starts, atOnce, once, hot } = results;
    starts[name].push(server.ready);
    for (let i = 0; i < many; i++) await server.get(i);
    atOnce[name].push(await server.memory());
    await pause(restMs);
    once[name].push(await server.memory());
    for (let i = 0; i < Math.min(many, hotCount); i++)
        for (let call = 0; call < hotCalls; call++) await server.get(i);
    await pause(2000);
    hot[name].push(await server.memory());
    await server.stop();
}

export async function measureMany(root, work, many, quick) {
    const program = join(root, "build/snapcell");
    const store = join(work, "many-store");
    compileMany(program, root, work, store, many);
    const peer = manyWorkerd(root, work, join(root, "build/examples/hello.js"), many);
    const both = () => ({ snapcell: [], workerd: [] });
    const results = {
        hotCount,
        hotCalls,
        starts: both(),
        atOnce: both(),
        once: both(),
        hot: both(),
    };
    for (let round = 0; round < (quick ? 1 : 2); round++) {
        await measureServer(await startSnapcell(program, work, store), many, "snapcell", results);
        if (peer) await measureServer(await startWorkerd(peer, many), many, "workerd", results);
    }
    return results;
}
