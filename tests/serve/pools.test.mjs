// Workers: how many there are, who waits, what changes under way, and what dies.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, compile, extra, folder, kill, pause, until } from "./server.mjs";

let server;
const config = join(folder, "pools.json");
const settings = {
    functions: {
        front: { pool: { max_workers: 3, idle_ms: 700 } },
        narrow: { pool: { max_workers: 1, queue: 2, queue_ms: 300 } },
        idler: { pool: { idle_ms: 4000 } },
        sleeper: { pool: { max_workers: 9 } },
        kept: { policy: "keep", pool: { max_workers: 1, recycle_calls: 3, min_workers: 1 } },
    },
};
const write = () => writeFileSync(config, JSON.stringify(settings, null, 4));

function compileVersion(text) {
    const path = join(folder, "version.js");
    const source = readFileSync(new URL("functions/version.js", import.meta.url), "utf8");
    writeFileSync(path, source.replace("VERSION", text));
    compile("version", path);
}

before(async () => {
    for (const name of ["front", "narrow", "kept", "sleeper"]) compile(name, "front.js");
    const idler = join(folder, "idler.js");
    writeFileSync(idler, 'export default { fetch: () => new Response("here") };');
    compile("idler", idler);
    compileVersion("one");
    write();
    server = await Server.start("--config", config);
});
after(() => server.stop());

const workers = async (name, state) =>
    (await server.metrics()).get(`snapcell_workers{function="${name}",state="${state}"}`) ?? 0;
const ends = async (name, reason) =>
    (await server.metrics()).get(
        `snapcell_worker_ends_total{function="${name}",reason="${reason}"}`
    ) ?? 0;

const origins = ["artifact", "image", "image_new_launcher"];
const starts = (metrics, name, start, from = origins) =>
    from.reduce(
        (sum, origin) =>
            sum +
            metrics.get(
                `snapcell_worker_starts_total{function="${name}",start="${start}",from="${origin}"}`
            ),
        0
    );

const images = (metrics, event) => metrics.get(`snapcell_images_total{event="${event}"}`);

test("a kept worker is there before it is needed, keeps its state, and is recycled", async () => {
    await until("its worker", async () => (await workers("kept", "idle")) === 1);
    const counts = [];
    for (let i = 0; i < 7; i++) counts.push((await server.get("/count", { host: "kept" })).body);
    assert.deepEqual(counts, ["1", "2", "3", "1", "2", "3", "1"]);
    assert.equal(await ends("kept", "recycled"), 2);
});

test("a client that goes away is no failure of a function that stops by its signal", async () => {
    const socket = connect(server.port, "127.0.0.1", () =>
        socket.write("GET /tied HTTP/1.1\r\nhost: kept\r\n\r\n")
    );
    await new Promise(resolve => socket.once("data", resolve));
    assert.equal(await workers("kept", "busy"), 1);
    socket.resetAndDestroy();
    await until("the call's end", async () => (await workers("kept", "busy")) === 0);
    await server.get("/log", { host: "kept" });
    await until("a later line", () => server.lines("console").length > 0);
    assert.deepEqual(
        server.lines("console").filter(line => /AbortError|waitUntil/.test(line.text)),
        []
    );
    assert.deepEqual(server.lines("failure"), []);
});

// As many clients as that, which ask again and again until so many workers are busy at a time.
async function untilBusy(host, path, clients, count) {
    let isOver = false;
    const asking = Promise.all(
        Array.from({ length: clients }, async () => {
            const answers = [];
            while (!isOver) answers.push((await server.get(path, { host })).body);
            return answers;
        })
    );
    await until(`${count} workers`, async () => (await workers(host, "busy")) === count);
    isOver = true;
    return (await asking).flat();
}

test("calls that wait for others get workers of their own, up to the maximum", async () => {
    for (const body of await untilBusy("front", "/slow", 6, 3)) assert.equal(body, "slow");
    const metrics = await server.metrics();
    assert.ok(starts(metrics, "front", "more") >= 2);
    assert.ok(starts(metrics, "front", "cold") >= 1);
    await until("their end", async () => (await ends("front", "idle")) >= 3);
});

test("functions whose calls wait get more workers than there are CPUs", async () => {
    for (const body of await untilBusy("sleeper", "/doze", 9, 9)) assert.equal(body, "awake");
});

test("a function that was used little has no process soon, and comes back from its image", async t => {
    const host = "idler";
    const ask = async () => assert.equal((await server.get("/", { host })).body, "here");
    for (let i = 1; i <= 2; i++) {
        await ask();
        await until("its worker's end", async () => (await ends(host, "idle")) === i);
        assert.equal(starts(await server.metrics(), host, "cold", ["artifact"]), i);
    }
    if (extra.length > 0) return t.skip("a build with sanitizers makes no images");
    await until("an image", async () => {
        const metrics = await server.metrics();
        return metrics.get("snapcell_image_bytes") > 0 && images(metrics, "made") > 0;
    });
    await ask();
    assert.equal(starts(await server.metrics(), host, "cold", origins.slice(1)), 1);
});

test("a queue has a bound and a deadline: 503 with Retry-After", async () => {
    await until(
        "its worker",
        async () => (await server.get("/x", { host: "narrow" })).status === 200
    );
    const refused = async () =>
        (await server.metrics()).get('snapcell_queue_refusals_total{function="narrow"}');
    const before_ = await refused();
    const answers = await Promise.all(
        Array.from({ length: 5 }, () => server.get("/slow", { host: "narrow" }))
    );
    const good = answers.filter(answer => answer.status === 200).length;
    const bad = answers.filter(answer => answer.status === 503);
    assert.ok(good >= 1 && bad.length >= 2, JSON.stringify(answers));
    for (const answer of bad) assert.match(answer.headers["retry-after"], /^\d+$/);
    assert.equal((await refused()) - before_, bad.length);
});

test("a new version takes effect without a request that fails", async () => {
    assert.equal((await server.get("/", { host: "version" })).body, "one");
    let isOver = false;
    const seen = new Set();
    const asking = Promise.all(
        Array.from({ length: 4 }, async () => {
            while (!isOver) {
                const answer = await server.get("/", { host: "version" });
                assert.equal(answer.status, 200);
                seen.add(answer.body);
            }
        })
    );
    await until("the old version", () => seen.has("one")); // nothing is sent while it is compiled
    compileVersion("two");
    /* workers that start just then have it before the others are replaced */
    let inRow = 0;
    await until("the new version alone", async () => {
        inRow = (await server.get("/", { host: "version" })).body === "two" ? inRow + 1 : 0;
        return inRow > 50;
    });
    isOver = true;
    await asking;
    assert.deepEqual([...seen].toSorted(), ["one", "two"]);
    assert.ok((await ends("version", "replaced")) >= 1);
});

test("a function that is compiled while the server runs is served", async () => {
    assert.equal((await server.get("/", { host: "newcomer" })).status, 404);
    compile("newcomer", "front.js");
    await until("it", async () => (await server.get("/", { host: "newcomer" })).body === "front");
});

test("SIGHUP reads the configuration again; one that is wrong changes nothing", async () => {
    settings.functions.front.env = { MODE: "new", LIST: [1, 2] };
    settings.routes = [{ pattern: "routed.example/only/*", function: "front" }];
    write();
    server.child.kill("SIGHUP");
    await until(
        "the route",
        async () => (await server.get("/only/x", { host: "routed.example" })).status === 200
    );
    const env = JSON.parse((await server.get("/env")).body);
    assert.deepEqual(env, { MODE: "new", LIST: [1, 2] });
    assert.equal((await server.get("/other", { host: "routed.example" })).status, 404);
    writeFileSync(config, '{"functions": {"front": {"polcy": "keep"}}}');
    server.child.kill("SIGHUP");
    await until(
        "the failure",
        async () => (await server.metrics()).get("snapcell_reload_failures_total") === 1
    );
    assert.match(
        server.text,
        /pools\.json:1:\d+: "polcy" is not known here; did you mean "policy"\?/
    );
    assert.deepEqual(JSON.parse((await server.get("/env")).body), { MODE: "new", LIST: [1, 2] });
    server.text = server.text.replace(/^[^{].*\n/gm, "");
});

test("SIGHUP leaves workers alone if the configuration says what it said", async () => {
    write();
    const reload = async () => {
        const count = async () => (await server.metrics()).get("snapcell_reloads_total");
        const before = await count();
        server.child.kill("SIGHUP");
        await until("the reload", async () => (await count()) > before);
    };
    await reload();
    await until("its worker", async () => (await workers("kept", "idle")) === 1);
    const replaced = await ends("kept", "replaced");
    await reload();
    assert.equal(await ends("kept", "replaced"), replaced);
    settings.functions.kept.env = { MODE: "other" };
    write();
    await reload();
    await until("another worker", async () => (await ends("kept", "replaced")) === replaced + 1);
});

test("kill -9 of workers: no request gets another's answer, and the server goes on", async () => {
    let isOver = false;
    const counts = { right: 0, failed: 0 };
    const asking = Promise.all(
        Array.from({ length: 8 }, async (unused, client) => {
            for (let i = 0; !isOver; i++) {
                const mark = `m-${client}-${i}`;
                const answer = await server.get("/mark", { headers: { "x-mark": mark } });
                if (answer.status === 200) {
                    assert.equal(answer.body, mark);
                    counts.right++;
                } else {
                    assert.ok([500, 503].includes(answer.status), String(answer.status));
                    counts.failed++;
                }
            }
        })
    );
    for (let i = 0; i < 12; i++) {
        for (const { pid } of server.children()) if (i % 3 > 0) kill(pid);
        await pause(40);
    }
    const before = counts.right;
    await until("answers after it", () => counts.right > before + 20);
    isOver = true;
    await asking;
    assert.ok((await ends("front", "crash")) >= 1);
    assert.ok(counts.right > 0);
});

test("a function that cannot start is backed off, and does not harm others", async () => {
    const broken = join(folder, "broken.js");
    writeFileSync(
        broken,
        `globalThis.id = crypto.randomUUID();
        if (Date.now() > Date.UTC(2026, 0, 1)) throw new Error("not at run time");
        export default { fetch: () => new Response("never") };`
    );
    compile("broken", broken, "--entropy", "fresh");
    const first = await until("it", async () => {
        const answer = await server.get("/", { host: "broken" });
        return answer.status !== 404 && answer;
    });
    assert.equal(first.status, 503);
    await until("the back-off", async () => {
        assert.equal((await server.get("/", { host: "broken" })).status, 503);
        return server
            .lines("backoff")
            .some(l => l.function === "broken" && /not at run time/.test(l.error));
    });
    const started = await ends("broken", "start");
    for (let i = 0; i < 50; i++)
        assert.equal((await server.get("/", { host: "broken" })).status, 503);
    assert.ok((await ends("broken", "start")) - started < 20);
    assert.equal((await server.get("/", { host: "front" })).status, 200);
});
