// The first answer of a function: by `snapcell run`, by a server that never loaded it, and by one in which it went to
// its image. They take turns, and the same pause comes before each.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { freePort, metric, pause, start } from "./serve_peers.mjs";

// Before each of the three, so that processors have had nothing to do and caches hold something else alike.
const idleSeconds = 1.5;

// By a shell, whose own clock is read around it: in ms.
function timeRun(program, store, name) {
    const script = `sleep "$3"; a=$EPOCHREALTIME; "$0" run --store "$1" "$2" >/dev/null || exit 1
        echo $((\${EPOCHREALTIME/./} - \${a/./}))`;
    const done = spawnSync("bash", ["-c", script, program, store, name, String(idleSeconds)], {
        encoding: "utf8",
    });
    if (done.status !== 0) throw new Error(done.stderr);
    return Number(done.stdout) / 1000;
}

// From a new connection to the end of the answer, in ms.
function timeRequest(port, host) {
    return new Promise((resolve, reject) => {
        const since = process.hrtime.bigint();
        let text = "";
        const socket = connect(port, "127.0.0.1", () =>
            socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
        );
        socket.on("data", data => (text += data));
        socket.on("error", reject);
        socket.on("close", () =>
            text.startsWith("HTTP/1.1 200")
                ? resolve(Number(process.hrtime.bigint() - since) / 1e6)
                : reject(new Error(`${host}: ${text.slice(0, 200)}`))
        );
    });
}

async function startServer(program, work, store, primer) {
    const port = await freePort();
    const metrics = await freePort();
    const argv = [
        ...[program, "serve", "--store", store, "--config", join(work, "first.json")],
        ...["--listen", `127.0.0.1:${port}`, "--metrics", `127.0.0.1:${metrics}`],
    ];
    const server = await start({ argv, port, host: primer, log: join(work, "servers.log") });
    return { ...server, metrics };
}

async function until(ask) {
    for (let i = 0; i < 6000; i++) {
        if (await ask()) return;
        await pause(5);
    }
    throw new Error("a server is not as it should be");
}

// A server that has answered for another function, but never for this one.
async function timeUnknown(program, work, store, name, primer) {
    const server = await startServer(program, work, store, primer);
    try {
        await pause(idleSeconds * 1000); // a process waits again, and is ready
        return await timeRequest(server.port, name);
    } finally {
        await server.stop();
    }
}

const starts = (server, name, from) =>
    metric(
        server.metrics,
        `snapcell_worker_starts_total{function="${name}",start="cold",from="${from}"}`
    );

async function timeImage(server, name) {
    for (const state of ["busy", "idle"]) {
        const workers = `snapcell_workers{function="${name}",state="${state}"}`;
        await until(async () => (await metric(server.metrics, workers)) === 0);
    }
    await pause(idleSeconds * 1000); // a launcher waits again
    return timeRequest(server.port, name);
}

// Its image is made when it is started for the second time.
async function makeImage(server, name) {
    const made = 'snapcell_images_total{event="made"}';
    const before = await metric(server.metrics, made);
    for (let i = 0; i < 2; i++) await timeImage(server, name);
    await until(async () => (await metric(server.metrics, made)) > before);
    await timeImage(server, name); /* the first launcher is started for it */
}

async function measureOne(context, name, primer, rounds) {
    const { program, work, store, server } = context;
    const found = { run: [], unknown: [], image: [] };
    const own = ["sum", "count"].map(
        part => `snapcell_phase_seconds_${part}{function="${name}",phase="start"}`
    );
    await makeImage(server, name);
    const before = await Promise.all(own.map(key => metric(server.metrics, key)));
    const kinds = {
        run: () => timeRun(program, store, name),
        unknown: () => timeUnknown(program, work, store, name, primer),
        image: () => timeImage(server, name),
    };
    for (let round = 0; round < rounds; round++) {
        const order = Object.keys(kinds);
        if (round % 2 === 1) order.reverse();
        for (const kind of order) found[kind].push(await kinds[kind]());
    }
    const [sum, count] = await Promise.all(own.map(key => metric(server.metrics, key)));
    found.phases = `${(((sum - before[0]) / (count - before[1])) * 1000).toFixed(2)} ms`;
    found.launched = await starts(server, name, "image");
    return found;
}

export async function measureFirst(program, work, store, functions, quick) {
    const config = { access_log: false, defaults: { pool: { idle_ms: 200 } } };
    writeFileSync(join(work, "first.json"), JSON.stringify(config));
    const server = await startServer(program, work, store, functions[0]);
    const results = {};
    for (const name of functions) {
        const primer = functions.find(other => other !== name);
        const context = { program, work, store, server };
        results[name] = await measureOne(context, name, primer, quick ? 5 : 12);
    }
    await server.stop();
    return results;
}
