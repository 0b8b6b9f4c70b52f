// Workers that die in a call: who asks again, and who does not. The function waits for a server of the test, which
// knows by that when to kill it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, compile, folder, kill, until } from "./server.mjs";

const host = "front";
const config = join(folder, "deaths.json");
let server, upstream, target;
let deaths; // that are still to come

function killWorkers() {
    for (const { pid, kind } of server.children()) if (kind !== "snapcell-net") kill(pid);
}

before(async () => {
    compile(host, "front.js");
    upstream = createServer((request, response) => {
        if (deaths-- > 0) killWorkers();
        else response.end(request.url);
    }).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const { port } = upstream.address();
    target = `http://127.0.0.1:${port}/it`;
    const settings = {
        defaults: { allow_net: [`127.0.0.1:${port}`], allow_net_private: true },
    };
    writeFileSync(config, JSON.stringify(settings));
    server = await Server.start("--config", config);
});
after(async () => {
    await server.stop();
    upstream.closeAllConnections();
    upstream.close();
});

async function repeats() {
    return (await server.metrics()).get(`snapcell_call_repeats_total{function="${host}"}`) ?? 0;
}

// What comes of a call whose worker dies so often, and how often it was repeated.
async function ask(method, count) {
    const before_ = await repeats();
    deaths = count;
    const body = method === "POST" ? "x" : undefined;
    const answer = await server.get("/fetch", {
        host,
        method,
        body,
        headers: { "x-target": target },
    });
    return { status: answer.status, body: answer.body, repeats: (await repeats()) - before_ };
}

// A function whose workers die one after the other is not started for a while.
const recovers = () =>
    until("an answer", async () => (await server.get("/", { host })).status === 200);

test("GET and HEAD are called once more", async () => {
    assert.deepEqual(await ask("GET", 0), { status: 200, body: "fetched /it", repeats: 0 });
    assert.deepEqual(await ask("GET", 1), { status: 200, body: "fetched /it", repeats: 1 });
    assert.deepEqual(await ask("HEAD", 1), { status: 200, body: "", repeats: 1 });
});

test("but not a third time", async () => {
    const answer = await ask("GET", 2);
    assert.deepEqual([answer.status, answer.repeats], [500, 1]);
    await recovers();
});

test("what may have done its work is not called again", async () => {
    for (const method of ["POST", "PUT", "DELETE"]) {
        const answer = await ask(method, 1);
        assert.deepEqual([method, answer.status, answer.repeats], [method, 500, 0]);
        await recovers();
    }
});

test("nor what the client has some of an answer to", async () => {
    const before_ = await repeats();
    const socket = connect(server.port, "127.0.0.1", () =>
        socket.write(`GET /endless HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    );
    const [data] = await once(socket, "data");
    assert.match(data.toString("latin1"), /^HTTP\/1\.1 200 /);
    killWorkers();
    let text = data.toString("latin1");
    socket
        .on("data", more => (text = (text + more.toString("latin1")).slice(-100)))
        .on("error", () => {});
    await new Promise(resolve => socket.on("close", resolve));
    assert.ok(!text.endsWith("0\r\n\r\n"), "a response that breaks off must not look whole");
    assert.equal(await repeats(), before_);
});
