// What an operator meets: command line, configuration, drain, sockets, metrics, the log.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
    chmodSync,
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";

import {
    compile,
    extra,
    folder,
    parse,
    pause,
    program,
    raw,
    Server,
    store,
    until,
    kill,
} from "./server.mjs";

before(() => compile("front"));

const run = (...args) =>
    spawnSync(program, ["serve", ...args], { encoding: "utf8", timeout: 20_000 });

test("what is wrong with the command line is one line, and status 2", () => {
    for (const [args, message] of [
        [
            ["--policy", "keeps"],
            /--policy must be restore, reload or keep, not 'keeps'; did you mean 'keep'\?/,
        ],
        [["--listen", "nowhere:1"], /'nowhere:1' is no address to listen at/],
        [["--listen", "127.0.0.1:99999"], /is no address/],
        [["--lisen", "x"], /did you mean '--listen'/],
        [["--check"], /--check needs a --config FILE/],
        [["extra"], /takes no 'extra'/],
    ]) {
        const done = run("--store", store, ...args);
        assert.equal(done.status, 2, done.stderr);
        assert.match(done.stderr, message);
        assert.equal(done.stdout, "");
    }
});

test("a Unix socket that cannot be made says what is in its way", () => {
    const file = join(folder, "no-socket");
    writeFileSync(file, "");
    for (const [path, message] of [
        [join(folder, "nowhere", "socket"), /its folder must be there/],
        [file, /a file of another kind is there/],
    ]) {
        const done = run("--store", store, "--listen", `unix:${path}`);
        assert.equal(done.status, 3);
        assert.match(done.stderr, message);
    }
    assert.ok(existsSync(file));
});

test("a server whose first line does not arrive ends, one whose reader has gone does not", async () => {
    const shell = line =>
        spawnSync(
            "sh",
            [
                "-c",
                `"$0" serve "$@" ${line}`,
                program,
                "--store",
                store,
                "--listen",
                "127.0.0.1:0",
                ...extra,
            ],
            {
                encoding: "utf8",
                timeout: 20_000,
            }
        );
    for (const [line, message] of [
        [">/dev/full", /^snapcell: cannot write to standard output: No space left on device\n$/m],
        [">&-", /^snapcell: cannot write to standard output: Bad file descriptor\n$/m],
    ]) {
        const done = shell(line);
        assert.equal(done.status, 3, done.stderr);
        assert.match(done.stderr, message);
    }
    const socket = join(folder, "unheard");
    const child = spawn(
        program,
        ["serve", "--store", store, "--listen", `unix:${socket}`, ...extra],
        {
            stdio: ["ignore", "pipe", "ignore"],
        }
    );
    child.stdout.destroy();
    const takes = () =>
        new Promise(done => {
            const client = connect(socket, () => done(true)).on("error", () => done(false));
            client.on("connect", () => client.destroy());
        });
    await until("it takes connections", takes);
    child.kill("SIGTERM");
    assert.deepEqual(await new Promise(done => child.once("exit", (...end) => done(end))), [
        0,
        null,
    ]);
});

test("a store that is not there, or has nothing of the name, is status 3", () => {
    const missing = run("--store", join(folder, "nowhere"));
    assert.equal(missing.status, 3);
    assert.match(missing.stderr, /^snapcell: no store in .*nowhere: .*`snapcell compile`.*\n$/);
    const other = run("--store", store, "--single", "nobody");
    assert.equal(other.status, 3);
    assert.match(other.stderr, /^snapcell: --single nobody: .*no function of this name.*\n$/);
});

test("a port in use is one line, and status 3", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await until("the port", () => taken.address());
    const done = run("--store", store, "--listen", `127.0.0.1:${taken.address().port}`);
    taken.close();
    assert.equal(done.status, 3);
    assert.match(
        done.stderr,
        /^snapcell: cannot listen at 127\.0\.0\.1:\d+: .*in use.*--listen.*\n$/
    );
});

test("an empty store says how to compile, and serves what comes", async () => {
    const empty = join(folder, "empty");
    spawnSync(program, [
        "compile",
        "--store",
        empty,
        "--name",
        "x",
        new URL("functions/version.js", import.meta.url).pathname,
    ]);
    spawnSync(program, ["rm", "--store", empty, "x"]);
    const server = await Server.start("--store", empty);
    await until("the advice", () => /has no function .*snapcell compile --store/.test(server.text));
    assert.equal((await server.get("/")).status, 404);
    assert.equal(await server.stop(), 0);
});

test("--single answers everything, whatever the host", async () => {
    const server = await Server.start("--single", "front");
    for (const host of ["anything", "127.0.0.1:80", "a.b.c"])
        assert.equal((await server.get("/", { host })).body, "front");
    assert.equal(await server.stop("SIGINT"), 0);
});

test("--dev tells what went wrong", async () => {
    const server = await Server.start("--dev");
    const answer = await server.get("/throw");
    assert.equal(answer.status, 500);
    assert.match(answer.body, /TypeError: a deliberate failure[^]*at [^]*front\.js:\d+:\d+/);
    assert.equal(await server.stop(), 0);
});

test("--check tells all that is wrong, with places and suggestions", () => {
    const file = join(folder, "wrong.json");
    const lines = [
        "{",
        '    "lisen": "127.0.0.1:0",',
        '    "listen": ["nonsense"],',
        '    "routes": [',
        '        {"pattern": "a.example/*", "function": "front"},',
        '        {"pattern": "a*b.example/", "function": "front"},',
        '        {"pattern": "a.example/*", "function": "other"},',
        '        {"pattern": "b.example"}',
        "    ],",
        '    "timeouts": {"head_ms": 0, "idle_ms": "long"},',
        '    "functions": {',
        '        "front": {"policy": "kep", "secrets": {"KEY": "not-there"}, "limits": {"memory_mb": -1},',
        '                  "pool": {"min_workers": 5, "max_workers": 2}, "allow_net": ["http://x/"]}',
        "    },",
        '    "trusted_proxies": ["10.0.0.0/99"]',
        "}",
    ];
    writeFileSync(file, lines.join("\n"));
    const done = run("--check", "--config", file);
    assert.equal(done.status, 2);
    const found = new Map();
    for (const line of done.stderr.trimEnd().split("\n").slice(0, -1)) {
        const [, row, column, text] = /^.*wrong\.json:(\d+):(\d+): (.*)$/.exec(line);
        found.set(`${row}:${column}`, text);
    }
    const expected = {
        "2:5": /"lisen" is not known here; did you mean "listen"\?/,
        "3:16": /'nonsense' is no address/,
        "6:21": /'\*' only at its host's beginning/,
        "7:21": /is there already/,
        "8:9": /a route has a "pattern" and a "function"/,
        "10:29": /whole number from 1 to/,
        "10:43": /whole number/,
        "12:29": /expected one of "restore", "reload", "keep"/,
        "12:55": /cannot read .*not-there/,
        "12:93": /whole number from 1 to/,
        "12:18": /min_workers is 5/,
        "13:79": /http:\/\/x\//,
        "15:25": /'10\.0\.0\.0\/99' is neither/,
    };
    for (const [place, message] of Object.entries(expected)) {
        assert.ok(found.has(place), `${place} in\n${done.stderr}`);
        assert.match(found.get(place), message);
    }
    assert.equal(found.size, Object.keys(expected).length, done.stderr);
    assert.match(done.stderr, /wrong\.json: 13 things to be put right\n$/);

    writeFileSync(file, '{\n    "listen": [\n}');
    const broken = run("--check", "--config", file);
    assert.equal(broken.status, 2);
    assert.match(broken.stderr, /wrong\.json:3:\d+: /);
    writeFileSync(file, '{"routes": [{"pattern": "*.example/*", "function": "front"}]}');
    const right = run("--check", "--config", file);
    assert.equal(right.status, 0);
    assert.match(right.stdout, /is right/);
    assert.equal(run("--check", "--config", join(folder, "nowhere.json")).status, 3);
    const noFile = run("--check", "--config", folder);
    assert.equal(noFile.status, 3);
    assert.match(noFile.stderr, /it is a folder, not a file/);
});

test("routes, env, secrets and a trusted proxy come from the file", async () => {
    const file = join(folder, "full.json");
    mkdirSync(join(folder, "secrets"));
    writeFileSync(join(folder, "secrets", "key"), "the secret\n");
    compile("other", "front.js");
    writeFileSync(
        file,
        JSON.stringify({
            by_host: false,
            trusted_proxies: ["127.0.0.0/8"],
            defaults: { env: { SHARED: "all" } },
            functions: { front: { env: { OWN: "front" }, secrets: { KEY: "secrets/key" } } },
            routes: [
                { pattern: "*.example.com/*", function: "front" },
                { pattern: "special.example.com/*", function: "other" },
                { pattern: "special.example.com/front/*", function: "front" },
                { pattern: "special.example.com/front/exact", function: "other" },
                { pattern: "/path/*", function: "other" },
            ],
        })
    );
    const server = await Server.start("--config", file);
    const envOf = async (host, path = "/env") =>
        JSON.parse((await server.get(path, { host })).body);
    assert.deepEqual(await envOf("a.example.com"), {
        SHARED: "all",
        OWN: "front",
        KEY: "the secret",
    });
    assert.deepEqual(await envOf("Special.Example.com:80"), { SHARED: "all" });
    assert.equal((await server.get("/", { host: "front.localhost" })).status, 404);
    assert.equal((await server.get("/path/x", { host: "any" })).status, 200);
    const functions = async path => {
        const answer = await server.get(path, { host: "special.example.com" });
        const line = await until("the line", () =>
            server.lines("request").find(l => l.request === answer.headers["x-request-id"])
        );
        return line.function;
    };
    assert.equal(await functions("/front/x"), "front");
    assert.equal(await functions("/front/exact?q"), "other");
    assert.equal(await functions("/frontage"), "other");
    const seen = JSON.parse(
        (
            await server.get("/seen", {
                host: "internal",
                headers: {
                    "x-forwarded-host": "a.example.com",
                    "x-forwarded-proto": "https",
                    "x-forwarded-for": "9.9.9.9",
                },
            })
        ).body
    );
    assert.equal(seen.url, "https://a.example.com/seen");
    assert.equal(seen.headers["x-forwarded-for"], "9.9.9.9, 127.0.0.1");
    writeFileSync(join(folder, "secrets", "key"), "another secret\n");
    server.child.kill("SIGHUP");
    await until("it", async () => (await envOf("a.example.com")).KEY === "another secret");
    assert.equal(await server.stop(), 0);
});

test("a Unix socket, which is removed at the end; one that was left is taken over", async () => {
    const path = join(folder, "sock");
    const options = ["--listen", `unix:${path}`];
    for (let i = 0; i < 2; i++) {
        const child = spawn(program, ["serve", "--store", store, ...options], {
            stdio: ["ignore", "pipe", "ignore"],
        });
        const line = await new Promise(resolve =>
            child.stdout.once("data", data => resolve(String(data)))
        );
        assert.equal(line, `listening on unix:${path}\n`);
        const answer = await new Promise(resolve => {
            const socket = connect(path, () =>
                socket.write("GET / HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n")
            );
            let text = "";
            socket.on("data", data => (text += data)).on("close", () => resolve(text));
        });
        assert.equal(parse(answer).body, "front");
        const ended = new Promise(resolve => child.on("exit", resolve));
        child.kill(i === 0 ? "SIGKILL" : "SIGTERM");
        await ended;
    }
    assert.throws(() => statSync(path));
});

test("SIGTERM drains: what is under way ends well, new connections are refused", async () => {
    const server = await Server.start();
    await server.get("/x");
    const slow = Array.from({ length: 3 }, () => server.get("/slow"));
    const kept = raw(server.port, "GET /slow HTTP/1.1\r\nhost: front\r\n\r\n");
    const idle = raw(server.port, "");
    await until(
        "the calls",
        async () =>
            (await server.metrics()).get('snapcell_workers{function="front",state="busy"}') >= 1
    );
    const ended = server.stop();
    await until(
        "the notice",
        async () =>
            (await fetch(`http://127.0.0.1:${server.metricsPort}/readyz`).catch(() => ({})))
                .status === 503
    );
    /* a worker that is just being started has the socket until it runs its program */
    await until(
        "the end of listening",
        () =>
            new Promise(resolve => {
                const socket = connect(server.port, "127.0.0.1");
                socket.on("connect", () => resolve(false) || socket.destroy());
                socket.on("error", () => resolve(true));
            })
    );
    for (const answer of await Promise.all(slow)) assert.equal(answer.body, "slow");
    assert.match(await kept, /connection: close\r\n\r\nslow$/);
    assert.equal(await idle, "");
    assert.equal(await ended, 0);
});

test("a drain has a deadline", async () => {
    const file = join(folder, "drain.json");
    writeFileSync(file, JSON.stringify({ timeouts: { drain_ms: 200 } }));
    const server = await Server.start("--config", file);
    const never = server.get("/never").catch(error => error);
    await until(
        "the call",
        async () =>
            (await server.metrics()).get('snapcell_workers{function="front",state="busy"}') === 1
    );
    assert.equal(await server.stop(), 0);
    await never;
});

test("/healthz, /readyz, /metrics, and nothing else", async () => {
    const server = await Server.start();
    await server.get("/x");
    const ask = async (path, options) => {
        const answer = await fetch(`http://127.0.0.1:${server.metricsPort}${path}`, options);
        return `${answer.status} ${(await answer.text()).trim()}`;
    };
    assert.equal(await ask("/healthz"), "200 ok");
    assert.equal(await ask("/readyz"), "200 ready");
    assert.match(await ask("/"), /^404 /);
    assert.match(await ask("/metrics", { method: "POST" }), /^405 /);
    const metrics = await server.metrics();
    assert.equal(metrics.get('snapcell_requests_total{function="front",status="2xx"}'), 1);
    for (const phase of ["queue", "start", "call", "restore"]) {
        const count = metrics.get(
            `snapcell_phase_seconds_count{function="front",phase="${phase}"}`
        );
        assert.equal(count, 1, phase);
        assert.equal(
            metrics.get(
                `snapcell_phase_seconds_bucket{function="front",phase="${phase}",le="+Inf"}`
            ),
            1
        );
        const buckets = [...metrics]
            .filter(([key]) => key.includes(`phase="${phase}",le=`))
            .map(([, value]) => value);
        assert.deepEqual(
            buckets,
            buckets.toSorted((a, b) => a - b)
        );
        assert.equal(buckets.length, 17);
    }
    assert.equal(await server.stop(), 0);
});

test("each request has a line in the log", async () => {
    const server = await Server.start();
    const answer = await server.get("/echo?x=%22", {
        method: "POST",
        body: "12345",
        headers: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-00` },
    });
    const line = await until("the line", () => server.lines("request")[0]);
    assert.equal(line.request, answer.headers["x-request-id"]);
    assert.equal(line.trace, "a".repeat(32));
    assert.deepEqual(
        [
            line.function,
            line.method,
            line.path,
            line.status,
            line.received_bytes,
            line.sent_bytes,
            line.client,
        ],
        ["front", "POST", "/echo?x=%22", 200, 5, 5, "127.0.0.1"]
    );
    assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
    assert.ok(line.total_ms >= line.queue_ms);
    assert.equal(await server.stop(), 0);
});

test("sockets of systemd, and its notices", async () => {
    const helper = join(folder, "activate.mjs");
    const socket = createServer().listen(0, "127.0.0.1");
    await until("the port", () => socket.address());
    const { port } = socket.address();
    writeFileSync(helper, `#!/bin/sh\nLISTEN_FDS=1 LISTEN_PID=$$ exec "$@"\n`);
    chmodSync(helper, 0o755);
    const child = spawn(helper, [program, "serve", "--store", store, ...extra], {
        stdio: ["ignore", "pipe", "ignore", socket._handle.fd],
    });
    socket.close();
    const line = await new Promise(resolve =>
        child.stdout.once("data", data => resolve(String(data)))
    );
    assert.equal(line, `listening on http://127.0.0.1:${port}\n`);
    const answer = parse(
        await raw(port, "GET / HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n")
    );
    assert.equal(answer.body, "front");
    const ended = new Promise(resolve => child.on("exit", resolve));
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    await pause(0);
});

test(
    "once it serves it has no privileges, and makes no files",
    { skip: process.getuid() !== 0 || extra.length > 0 },
    async () => {
        const place = mkdtempSync("/tmp/snapcell-serve-open-");
        chmodSync(place, 0o755);
        const open = join(place, "store");
        cpSync(store, open, { recursive: true });
        const server = await Server.start("--store", open);
        const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
        assert.match(status, /^CapEff:\s0+$/m);
        assert.match(status, /^CapPrm:\s0+$/m);
        assert.match(status, /^NoNewPrivs:\s1$/m);
        assert.match(status, /^Seccomp:\s2$/m);
        const readable =
            spawnSync("setpriv", ["--reuid=65534", "--clear-groups", "test", "-r", program])
                .status === 0;
        if (readable) assert.match(status, /^Uid:\s65534\s65534/m);
        assert.equal((await server.get("/x")).body, "front");
        assert.equal(await server.stop(), 0);
        rmSync(place, { recursive: true });
    }
);

test("fetch() reaches what the configuration allows, and nothing else", async () => {
    const other = createHttpServer((request, response) => response.end("another server"));
    await new Promise(resolve => other.unref().listen(0, "127.0.0.1", resolve));
    const target = `http://127.0.0.1:${other.address().port}/`;
    compile("fetcher", "front.js");
    const file = join(folder, "fetch.json");
    const allow = `127.0.0.1:${other.address().port}`;
    writeFileSync(file, JSON.stringify({ functions: { fetcher: { allow_net: [allow] } } }));
    const server = await Server.start("--config", file);
    const get = host => server.get("/fetch", { host, headers: { "x-target": target } });
    for (let i = 0; i < 3; i++) assert.equal((await get("fetcher")).body, "fetched another server");
    assert.equal((await get("front")).status, 500);
    const net = await until("the network of a worker that fetched", async () => {
        await get("fetcher"); // another worker may have taken the first one's place meanwhile
        return server.children().find(({ kind }) => kind === "snapcell-net");
    });
    kill(net.pid);
    await until("another one", async () => (await get("fetcher")).status === 200);
    for (let i = 0; i < 3; i++) assert.equal((await get("fetcher")).body, "fetched another server");
    assert.equal(await server.stop(), 0);
    other.close();
});

test("help names all options", () => {
    const help = run("--help");
    assert.equal(help.status, 0);
    for (const option of [
        "--store",
        "--listen",
        "--metrics",
        "--config",
        "--single",
        "--policy",
        "--check",
        "--dev",
    ])
        assert.ok(help.stdout.includes(option), option);
});
