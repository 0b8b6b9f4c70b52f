// A server that follows a tag of a registry: releases come, are tried, served and taken back; the bad ones are refused,
// and a registry that is away changes nothing.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Builder, Registry, hasRegistry, marked, snapcell } from "./registry.mjs";
import { Server, extra, folder, pause, program, until } from "./server.mjs";

const slow = 60_000; // for machines that have other things to do
const registry = hasRegistry ? await new Registry(join(folder, "registry")).start() : null;
const builder = hasRegistry ? await new Builder(join(folder, "builder")).open() : null;
const options = { skip: hasRegistry ? false : "docker-registry is not installed" };

const follow = (name, url, ...more) =>
    Server.start(
        ...["--store", join(folder, name), "--source", url, "--source-interval", "1"],
        ...["--plain-http", "--trust", `${builder.key}.pub`, ...more]
    );

const answer = async (server, name) => (await server.get("/", { host: name })).body;
const serves = (server, name, text) =>
    until(text, async () => (await answer(server, name)) === text, slow);
const count = async (server, what) => (await server.metrics()).get(`snapcell_source_${what}_total`);
const line = (server, event) => until(event, () => server.lines(event).at(-1), slow);
// What a server does may be seen before its line in the log.
const lineAt = (server, event, i) => until(event, () => server.lines(event)[i], slow);
const ready = async server =>
    (await fetch(`http://127.0.0.1:${server.metricsPort}/readyz`)).status === 200;

test("a release comes into an empty store, and one after it", options, async () => {
    const url = registry.url("follow", "prod");
    const server = await follow("follow", url);
    assert.equal(await ready(server), false);
    assert.match(server.text, /has no function yet; it waits for oci:/);
    await builder.compile(marked("1", "one", "two"));
    const pushed = await builder.push("follow-1", url);
    await serves(server, "one", "one 1");
    assert.equal(await answer(server, "two"), "two 1");
    assert.equal(await ready(server), true);
    const first = await lineAt(server, "source_pulled", 0);
    assert.equal(first.functions, 2);
    assert.equal(first.digest, pushed.digest);
    // The one that stays the same is not fetched again.
    await builder.compile(marked("2", "one"));
    const { functions } = await builder.push("follow-2", url);
    await serves(server, "one", "one 2");
    assert.equal(await answer(server, "two"), "two 1");
    const bytes = functions.find(({ name }) => name === "one").artifact_bytes;
    assert.equal((await lineAt(server, "source_pulled", 1)).fetched_bytes, bytes);
    const metrics = await server.metrics();
    assert.equal(metrics.get("snapcell_source_switches_total"), 2);
    assert.equal(metrics.get("snapcell_source_up"), 1);
    const { release, digest } = await lineAt(server, "source_switched", 1);
    assert.equal(
        metrics.get(`snapcell_source_release_info{release="${release}",digest="${digest}"}`),
        1
    );
    const history = await snapcell(
        "release",
        "ls",
        "--history",
        "one",
        "--store",
        join(folder, "follow")
    );
    assert.match(history, /activated prod-[0-9a-f]{12} +serve --source oci:/);
    assert.equal(await server.stop(), 0);
});

test("a switch loses no request, and no two releases are served at once", options, async () => {
    const url = registry.url("switch", "prod");
    await builder.compile(marked("1", "one", "two"));
    await builder.push("switch-1", url);
    const server = await follow("switch", url);
    await serves(server, "one", "one 1");
    const seen = [];
    let isOver = false;
    const asking = Promise.all(
        ["one", "two", "one", "two"].map(async name => {
            while (!isOver) {
                const began = performance.now();
                const { status, body } = await server.get("/", { host: name });
                assert.equal(status, 200, body);
                seen.push({ began, ended: performance.now(), mark: Number(body.split(" ")[1]) });
            }
        })
    );
    for (const mark of ["2", "3"]) {
        await builder.compile(marked(mark, "one", "two"));
        await builder.push(`switch-${mark}`, url);
        await until(mark, () => seen.some(one => one.mark === Number(mark)), slow);
        await pause(200);
    }
    isOver = true;
    await asking;
    // What begins after an answer of a release has come is answered by it, or by one after it.
    for (const one of seen)
        for (const other of seen)
            assert.ok(one.ended > other.began || one.mark <= other.mark, "a mixture");
    assert.equal(await server.stop(), 0);
});

test("what is not signed, damaged or not to be loaded is refused once", options, async () => {
    const url = registry.url("refuse", "prod");
    await builder.compile(marked("good", "one", "two"));
    await builder.push("refuse-1", url);
    const config = join(folder, "refuse.json");
    writeFileSync(config, JSON.stringify({ defaults: { limits: { memory_mb: 16 } } }));
    const server = await follow("refuse", url, "--config", config);
    await serves(server, "one", "one good");
    const refused = async (number, reason) => {
        await until(reason, async () => (await count(server, "refusals")) === number, slow);
        const checks = await count(server, "checks");
        await until("more looks", async () => (await count(server, "checks")) > checks + 1, slow);
        const lines = server.lines("source_refused");
        assert.equal(lines.length, number);
        assert.match(lines.at(-1).error, reason);
        assert.equal(await answer(server, "one"), "one good");
    };
    await builder.compile(marked("unsigned", "one"), { sign: false });
    await builder.push("refuse-2", url);
    await refused(1, /not signed/);
    const heavy = `globalThis.kept = new Uint8Array(40 << 20);
        export default { fetch: () => new Response("heavy") };`;
    await builder.compile({ one: heavy });
    await builder.push("refuse-3", url);
    await refused(2, /one cannot be loaded: .*memory/);
    await builder.compile(marked("damaged", "one"));
    const pushed = await builder.push("refuse-4", registry.url("refuse", "other"));
    damage(pushed.functions.find(({ name }) => name === "one").artifact_bytes);
    await snapcell("copy", registry.url("refuse", "other"), url, "--plain-http");
    await refused(3, /sends other bytes|truncated or altered/);
    // A restart does not try it again, either.
    assert.equal(await server.stop(), 0);
    const again = await follow("refuse", url, "--config", config);
    await refusedBefore(again);
    await builder.compile(marked("better", "one"));
    await builder.push("refuse-5", url);
    await serves(again, "one", "one better");
    assert.equal(await again.stop(), 0);
});

// Changes a byte of the newest blob of that size.
function damage(size) {
    const blobs = readdirSync(join(folder, "registry/data"), { recursive: true })
        .filter(name => name.endsWith("/data"))
        .map(name => join(folder, "registry/data", name))
        .filter(name => statSync(name).size === size)
        .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    const bytes = readFileSync(blobs[0]);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(blobs[0], bytes);
}

async function refusedBefore(server) {
    await line(server, "source_refused");
    await until("two looks", async () => (await count(server, "checks")) > 1, slow);
    assert.equal(server.lines("source_pulled").length, 0);
    assert.equal(await answer(server, "one"), "one good");
}

test("a registry that is away changes nothing, at the start, too", options, async () => {
    const url = registry.url("away", "prod");
    await builder.compile(marked("1", "one"));
    await builder.push("away-1", url);
    let server = await follow("away", url);
    await serves(server, "one", "one 1");
    await registry.stop();
    await line(server, "source_failed");
    assert.equal(await answer(server, "one"), "one 1");
    assert.equal((await server.metrics()).get("snapcell_source_up"), 0);
    assert.equal(await server.stop(), 0);
    server = await follow("away", url);
    assert.equal(await answer(server, "one"), "one 1");
    assert.equal(await ready(server), true);
    const waits = await until("tries", () => server.lines("source_failed")[2] && server, slow);
    const [first, , third] = waits.lines("source_failed").map(({ wait_ms }) => wait_ms);
    assert.ok(first <= 1200 && third > 2 * first, `${first} ms, then ${third} ms`);
    await registry.start();
    server.child.kill("SIGHUP"); // has it look at once
    await line(server, "source_recovered");
    await builder.compile(marked("2", "one"));
    await builder.push("away-2", url);
    await serves(server, "one", "one 2");
    assert.equal(await server.stop(), 0);
});

const failing = `export default { fetch() { throw new Error("broken"); } };`;

test("a version that fails more often is taken back, when that is wanted", options, async () => {
    const url = registry.url("back", "prod");
    await builder.compile(marked("1", "one", "two"));
    await builder.push("back-1", url);
    const server = await follow(
        ...["back", url, "--source-failure-action", "rollback"],
        ...["--source-monitor", "60", "--source-min-requests", "5"]
    );
    const keeping = await follow("keep", url);
    await serves(server, "one", "one 1");
    await serves(keeping, "one", "one 1");
    await builder.compile({ one: failing });
    await builder.push("back-2", url);
    await until(
        "the failure",
        async () => (await server.get("/", { host: "one" })).status === 500,
        slow
    );
    for (let i = 0; i < 4; i++) await server.get("/", { host: "one" });
    await serves(server, "one", "one 1");
    const told = await line(server, "source_rolled_back");
    assert.match(
        told.error,
        /^one: (\d+) of \1 requests have failed since the switch, before it 0 of/
    );
    assert.equal(await count(server, "rollbacks"), 1);
    await until(
        "it there",
        async () => (await keeping.get("/", { host: "one" })).status === 500,
        slow
    );
    for (let i = 0; i < 20; i++) await keeping.get("/", { host: "one" });
    assert.equal(await count(keeping, "rollbacks"), 0);
    const checks = await count(server, "checks");
    await until("more looks", async () => (await count(server, "checks")) > checks + 1, slow);
    assert.equal(await answer(server, "one"), "one 1");
    await builder.compile(marked("3", "one"));
    await builder.push("back-3", url);
    await serves(server, "one", "one 3");
    assert.equal(await server.stop(), 0);
    assert.equal(await keeping.stop(), 0);
});

test("a registry that wants fewer requests gets fewer", options, async () => {
    const asked = [];
    const busy = createServer((request, response) => {
        asked.push(request.method);
        response.writeHead(429, { "retry-after": "300" }).end();
    }).listen(0, "127.0.0.1");
    await until("a port", () => busy.address());
    const url = `oci://127.0.0.1:${busy.address().port}/team/app:prod`;
    const server = await follow("busy", url);
    const { wait_ms, error } = await line(server, "source_failed");
    assert.ok(wait_ms >= 300_000, `${wait_ms} ms`);
    assert.match(error, /429.*fewer requests/);
    assert.deepEqual(asked, ["HEAD"]);
    assert.equal(await server.stop(), 0);
    busy.close();
});

test("what is wrong with a source is told in one line", options, () => {
    const refuses = (pattern, ...args) => fails(2, pattern, ...args);
    const fails = (status, pattern, ...args) => {
        const command = ["serve", "--store", join(folder, "none"), ...extra, ...args];
        const done = spawnSync(program, command, { encoding: "utf8" });
        assert.equal(done.status, status, done.stderr);
        assert.match(done.stderr, pattern);
        assert.equal(done.stderr.split("\n").length, 2, done.stderr);
    };
    const digest = `sha256:${"0".repeat(64)}`;
    refuses(/'http:\/\/x' .*oci:\/\//, "--source", "http://x");
    refuses(/a source is a tag/, "--source", `oci://host/app@${digest}`);
    refuses(/--source-interval/, "--source", "oci://host/app:v1", "--source-interval", "0");
    refuses(/keep or rollback.*did you mean/, "--source-failure-action", "rolback");
    refuses(/--source-max-failure-percent/, "--source-max-failure-percent", "100");
    refuses(/--source-monitor is for --source/, "--source-monitor", "5");
    refuses(/--plain-http is for --source/, "--plain-http");
    fails(3, /certificates in nowhere/, "--source", "oci://host/app:v1", "--ca-file", "nowhere");
    const file = join(folder, "wrong.json");
    const wrong = {
        source: {
            reference: "oci://HOST",
            interval_s: 0,
            failure_action: "panic",
            ca_file: "no",
            tag: "v1",
        },
    };
    writeFileSync(file, JSON.stringify(wrong, null, 1));
    const checked = spawnSync(program, ["serve", "--check", "--config", file], {
        encoding: "utf8",
    });
    assert.equal(checked.status, 2);
    assert.equal(checked.stderr.match(/wrong\.json:\d+:\d+: /g).length, 5, checked.stderr);
    const good = ["serve", "--check", "--source", "oci://host/app:v1"];
    assert.equal(
        spawnSync(program, good, { encoding: "utf8" }).stdout,
        "oci://host/app:v1 is right\n"
    );
    if (registry) registry.stop();
});
