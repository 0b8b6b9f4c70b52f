// Images of functions that outlive the server, in a folder; the server runs in its sandbox, as a user of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";

import { Server, compile, extra, folder, program, store, until } from "./server.mjs";

const images = join(folder, "images");
const config = join(folder, "images.json");
const isRoot = process.getuid() === 0;
const nobody = 65534;
const user = isRoot ? { uid: nobody, gid: nobody } : {};
const skip = extra.length > 0 && "a build with sanitizers makes no images";
const write = settings => writeFileSync(config, JSON.stringify(settings));

before(() => {
    const source = join(folder, "kept.js");
    writeFileSync(source, 'export default { fetch: () => new Response("from it") };');
    for (const name of ["kept", "other"]) compile(name, source);
    if (isRoot) assert.equal(spawnSync("chown", ["-R", `${nobody}:${nobody}`, folder]).status, 0);
    write({
        images: { folder: "images", folder_mb: 64 },
        defaults: { pool: { idle_ms: 2000 } },
    });
});

// Lets its worker come and go so often.
async function ask(server, times, host = "kept") {
    const workers = state => `snapcell_workers{function="${host}",state="${state}"}`;
    for (let i = 0; i < times; i++) {
        assert.equal((await server.get("/", { host })).body, "from it");
        await until("its end", async () => {
            const metrics = await server.metrics();
            return metrics.get(workers("busy")) + metrics.get(workers("idle")) === 0;
        });
    }
}

const event = (metrics, name) => metrics.get(`snapcell_images_total{event="${name}"}`);
const cold = (metrics, from) =>
    metrics.get(`snapcell_worker_starts_total{function="kept",start="cold",from="${from}"}`);

test("an image outlives the server", { skip }, async () => {
    let server = await Server.startAs(user, "--config", config);
    await ask(server, 2);
    await until("an image", async () => event(await server.metrics(), "made") === 1);
    await until("its file", () => readdirSync(images).some(name => name.endsWith(".image")));
    assert.equal(statSync(images).mode & 0o777, 0o700);
    assert.equal(await server.stop(), 0);

    server = await Server.startAs(user, "--config", config);
    await ask(server, 1);
    await until("the image", async () => event(await server.metrics(), "read") === 1);
    await ask(server, 1);
    const metrics = await server.metrics();
    assert.equal(cold(metrics, "artifact"), 1);
    assert.equal(cold(metrics, "image") + cold(metrics, "image_new_launcher"), 1);
    assert.equal(event(metrics, "made"), 0);
    assert.equal(await server.stop(), 0);
});

test("an image that gave way to another comes back from the folder", { skip }, async () => {
    write({
        images: { folder: "small", folder_mb: 64, memory_mb: 8 },
        defaults: { pool: { idle_ms: 1000 } },
    });
    const server = await Server.startAs(user, "--config", config);
    const becomes = (name, count) =>
        until(`${name}: ${count}`, async () => event(await server.metrics(), name) === count);
    await ask(server, 2);
    await becomes("made", 1);
    await ask(server, 2, "other");
    await becomes("made", 2); // in its place: there is room for one
    assert.ok((await server.metrics()).get("snapcell_image_bytes") < 8 << 20);
    assert.equal(event(await server.metrics(), "read"), 0);
    await ask(server, 1);
    await becomes("read", 1);
    await ask(server, 1);
    const metrics = await server.metrics();
    assert.equal(cold(metrics, "artifact"), 3);
    assert.equal(cold(metrics, "image") + cold(metrics, "image_new_launcher"), 1);
    assert.equal(event(metrics, "made"), 2);
    assert.equal(await server.stop(), 0);
});

test("there are none with no memory for them", { skip }, async () => {
    write({ images: { memory_mb: 0 }, defaults: { pool: { idle_ms: 1000 } } });
    const server = await Server.startAs(user, "--config", config);
    await ask(server, 3);
    const metrics = await server.metrics();
    assert.equal(cold(metrics, "artifact"), 3);
    assert.equal(metrics.get("snapcell_image_bytes"), 0);
    assert.equal(await server.stop(), 0);
});

function refusal(options) {
    const done = spawnSync(
        program,
        ["serve", "--store", store, "--listen", "127.0.0.1:0", "--config", config],
        { encoding: "utf8", timeout: 20_000, ...options }
    );
    assert.ok([2, 3].includes(done.status), `${done.status}: ${done.stderr}`);
    assert.match(done.stderr, /^[^\n]+\n$/);
    return done.stderr;
}

test("a folder that others could write to is refused in one line", () => {
    const open = join(folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    for (const [path, message] of [
        [open, /must belong to this server's user alone/],
        [config, /is no folder/],
        ["/proc/nowhere/images", /cannot make the folder/],
    ]) {
        write({ images: { folder: path } });
        assert.match(refusal(user), message);
    }
    if (isRoot) assert.match(refusal({}), /a user of their own/);
    write({ images: { folder: 5, memory_md: 1 } });
    const check = spawnSync(program, ["serve", "--check", "--config", config], {
        encoding: "utf8",
    });
    assert.equal(check.status, 2);
    assert.match(check.stderr, /the path of a folder/);
    assert.match(check.stderr, /"memory_md" is not known here; did you mean "memory_mb"\?/);
});
