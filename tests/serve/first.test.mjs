// The first worker of a function, which is there soon, and the one that takes its place.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, compile, folder, kill, pause, until, restores } from "./server.mjs";

const names = ["once", "often", "narrow", "busy", "killed"];
const config = join(folder, "first.json");
let server;

before(async () => {
    for (const name of names) compile(name, "front.js");
    const single = { pool: { max_workers: 1 } };
    writeFileSync(config, JSON.stringify({ functions: { narrow: single, busy: single } }));
    server = await Server.start("--config", config);
});
after(() => server.stop());

const count = async host => (await server.get("/count", { host })).body;

// What the metrics have about a function's workers.
async function facts(of, host) {
    const metrics = await of.metrics();
    const get = (name, labels) => metrics.get(`snapcell_${name}{function="${host}",${labels}}`);
    return {
        cold: get("worker_starts_total", 'start="cold",from="artifact"'),
        more: get("worker_starts_total", 'start="more",from="artifact"'),
        replaced: get("worker_ends_total", 'reason="replaced"'),
        idle: get("workers", 'state="idle"'),
    };
}

const isReplaced = { cold: 1, more: 1, replaced: 1, idle: 1 };
const makesPlace = { cold: 2, more: 0, replaced: 1, idle: 1 };
const becomes = (host, expected, of = server) =>
    until(JSON.stringify(expected), async () => {
        const found = await facts(of, host);
        return Object.keys(expected).every(key => found[key] === expected[key]);
    });

test("a function that is called once has one worker", async () => {
    assert.equal(await count("once"), "1");
    assert.deepEqual(await facts(server, "once"), { cold: 1, more: 0, replaced: 0, idle: 1 });
});

for (const [host, expected] of [
    ["often", isReplaced],
    ["narrow", makesPlace], // never two at once
])
    test(`one that is called again gets another worker in its place: ${host}`, async () => {
        for (let i = 0; i < 3; i++) assert.equal(await count(host), "1");
        await becomes(host, expected);
        for (let i = 0; i < 20; i++) assert.equal(await count(host), "1");
        assert.deepEqual(await facts(server, host), expected);
    });

test("one that is never idle gets it, too", async () => {
    const all = await Promise.all(Array.from({ length: 40 }, () => count("busy")));
    assert.deepEqual([...new Set(all)], ["1"]);
    await becomes("busy", makesPlace);
});

test("no image is made for that", async () => {
    assert.equal((await server.metrics()).get('snapcell_images_total{event="made"}'), 0);
});

test("after a first worker that died in a call comes one that is not replaced", async () => {
    const host = "killed";
    const slow = server.get("/never", { host, method: "POST", body: "" });
    const busy = `snapcell_workers{function="${host}",state="busy"}`;
    await until("its call", async () => (await server.metrics()).get(busy) === 1);
    for (const { pid } of server.children()) kill(pid);
    assert.equal((await slow).status, 500);
    for (let i = 0; i < 3; i++) assert.equal(await count(host), "1");
    assert.deepEqual(await facts(server, host), { cold: 2, more: 0, replaced: 0, idle: 1 });
});

test("where there is room for one worker, the first one makes place", async () => {
    writeFileSync(config, JSON.stringify({ limits: { workers: 1 } }));
    const small = await Server.start("--config", config);
    for (let i = 0; i < 2; i++)
        assert.equal((await small.get("/count", { host: "once" })).body, "1");
    await becomes("once", makesPlace, small);
    assert.equal((await small.get("/count", { host: "once" })).body, "1");
    assert.deepEqual(await facts(small, "once"), makesPlace);
    assert.equal(await small.stop(), 0);
});

// A snapshot in which one request was counted.
async function countWarm(...options) {
    compile("warm", "front.js", "--warm", "/count");
    const warm = await Server.start(...options);
    const ask = async () => Number((await warm.get("/count", { host: "warm" })).body);
    for (let i = 0; i < 3; i++) assert.equal(await ask(), 2);
    await becomes("warm", isReplaced, warm);
    return { warm, ask };
}

test("a worker repeats warm-up requests when it is idle", { skip: !restores }, async () => {
    const { warm, ask } = await countWarm();
    await until("more of them", async () => (await ask()) > 2);
    assert.equal(await warm.stop(), 0);
});

test("with --dev it does not, and prepares nothing", async () => {
    const { warm, ask } = await countWarm("--dev");
    for (let i = 0; i < 20; i++) {
        await pause(50);
        assert.equal(await ask(), 2);
    }
    assert.equal(await warm.stop(), 0);
});
