// HTTP as clients speak it: framing both ways, what functions see, what clients get.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { Server, compile, parse, pause, raw, until } from "./server.mjs";

let server;
before(async () => {
    compile("front");
    compile("event", "event.js", "--shape", "event");
    server = await Server.start();
});
after(() => server.stop());

const twice = text => text.split("HTTP/1.1 ").length > 2;

test("a function answers at its name, whatever the case and the port", async () => {
    for (const host of ["front.localhost", "FRONT.localhost:1234", "front.example.org."]) {
        const answer = await server.get("/x", { host });
        assert.equal(answer.status, 200);
        assert.equal(answer.body, "front");
        assert.equal(answer.headers["content-length"], "5");
        assert.match(answer.headers.date, /^\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/);
    }
    assert.equal((await server.get("/", { host: "nobody.localhost" })).status, 404);
    assert.equal((await server.get("/", { host: "127.0.0.1" })).status, 404);
});

test("each request has an instance of its own", async () => {
    for (let i = 0; i < 5; i++) assert.equal((await server.get("/count")).body, "1");
});

test("a connection serves several requests, and pipelined ones in their order", async () => {
    const one = mark => `GET /mark HTTP/1.1\r\nhost: front\r\nx-mark: ${mark}\r\n\r\n`;
    const text = await raw(server.port, one("first") + one("second") + one("third"), {
        enough: got => got.includes("third"),
    });
    const order = [...text.matchAll(/first|second|third/g)].map(String);
    assert.deepEqual(order, ["first", "second", "third"]);
});

test("requests that arrive byte by byte are the same", async () => {
    const head = "POST /echo HTTP/1.1\r\nhost: front\r\ntransfer-encoding: chunked\r\n\r\n";
    const body = "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\ntrailer: dropped\r\n\r\n";
    const last = "GET /mark HTTP/1.1\r\nhost: front\r\nx-mark: last\r\nconnection: close\r\n\r\n";
    const text = await raw(server.port, head + body + last, { piece: 1 });
    assert.ok(twice(text), text);
    assert.equal(parse(text.slice(0, text.lastIndexOf("HTTP/1.1"))).body, "abcdefg");
    assert.match(text, /last$/);
    assert.doesNotMatch(text, /dropped/);
});

test("bodies of all sizes come back", async () => {
    for (const size of [0, 1, 65535, 65536, 65537, 300_000, 2_000_000]) {
        const body = "0123456789abcdef".repeat(Math.ceil(size / 16)).slice(0, size);
        const answer = await server.get("/echo", { method: "POST", body });
        assert.equal(answer.status, 200);
        assert.ok(answer.body === body, `${answer.body.length} of ${size}`);
    }
});

test("a body that is sent in chunks comes back, too", async () => {
    const parts = Array.from({ length: 50 }, (unused, i) => String(i).repeat(1000 + i));
    const answer = await new Promise((resolve, reject) => {
        const sent = httpRequest(
            {
                port: server.port,
                host: "127.0.0.1",
                method: "PUT",
                path: "/late-echo",
                headers: { host: "front" },
            },
            async response => {
                let text = "";
                for await (const data of response) text += data;
                resolve(text);
            }
        );
        sent.on("error", reject);
        for (const part of parts) sent.write(part);
        sent.end();
    });
    assert.ok(answer === parts.join(""));
});

test("a body of GET is read, and nobody gets it", async () => {
    for (const body of ["12345", "x".repeat(200_000)])
        assert.equal((await server.get("/x", { body })).body, "front");
    const chunks =
        "host: front\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert.equal(parse(await raw(server.port, `GET /x HTTP/1.1\r\n${chunks}`)).body, "front");
});

test("responses stream, and end as they should", async () => {
    const text = await raw(
        server.port,
        "GET /pieces HTTP/1.1\r\nhost: front\r\n\r\nGET /x HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n"
    );
    const answer = parse(text.slice(0, text.lastIndexOf("HTTP/1.1")));
    assert.equal(answer.body, "piece 0\npiece 1\npiece 2\npiece 3\n");
    assert.ok(answer.whole);
    const old = await raw(server.port, "GET /pieces HTTP/1.0\r\nhost: front\r\n\r\n");
    assert.match(old, /connection: close\r\n\r\npiece 0\n/);
    assert.doesNotMatch(old, /chunked|content-length/);
    assert.equal((await server.get("/large")).body.length, 5_000_000);
});

test("a body that only passed through a stream is whole", async () => {
    for (const [path, body] of [
        ["/wrapped", "wrapped"],
        ["/wrapped-bytes", "AB"],
        ["/wrapped-nothing", ""],
        ["/looked-at", "looked at"],
    ]) {
        const answer = await server.get(path);
        assert.deepEqual([answer.status, answer.body], [200, body]);
        assert.equal(answer.headers["content-length"], String(body.length));
    }
    assert.equal((await server.get("/wrapped")).headers["x-wrapped"], "yes");
    assert.equal((await server.get("/wrapped", { method: "HEAD" })).body, "");
    assert.equal((await server.get("/branch")).body, "branch");
    assert.equal((await server.get("/locked")).status, 500);
});

test("a response that breaks off does not look complete", async () => {
    const answer = parse(await raw(server.port, "GET /break HTTP/1.1\r\nhost: front\r\n\r\n"));
    assert.equal(answer.body, "begun");
    assert.equal(answer.whole, false);
});

test("a length that a function says wrong is put right", async () => {
    const answer = await server.get("/long");
    assert.equal(answer.headers["content-length"], "4");
    assert.equal(answer.body, "said");
});

test("HEAD, 204 and OPTIONS *", async () => {
    const head = await server.get("/large", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.body, "");
    const empty = await server.get("/empty");
    assert.equal(empty.status, 204);
    assert.ok(!("content-length" in empty.headers) && !("transfer-encoding" in empty.headers));
    assert.equal((await server.get("*", { method: "OPTIONS" })).status, 204);
    assert.equal((await server.get("/", { method: "TRACE" })).status, 405);
    /* after an answer without a body, the next one begins at once */
    const text = await raw(
        server.port,
        "HEAD /x HTTP/1.1\r\nhost: front\r\n\r\nGET /mark HTTP/1.1\r\nhost: front\r\nx-mark: next\r\nconnection: close\r\n\r\n"
    );
    assert.match(text, /\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*next$/);
});

test("100-continue: the body is waited for before it is requested", async () => {
    const text = await new Promise(resolve => {
        let got = "";
        let isSent = false;
        const socket = connect(server.port, "127.0.0.1", () =>
            socket.write(
                "POST /echo HTTP/1.1\r\nhost: front\r\ncontent-length: 4\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
            )
        );
        socket.on("data", data => {
            got += data;
            if (!isSent && got.startsWith("HTTP/1.1 100 Continue\r\n\r\n")) {
                isSent = true;
                socket.write("body");
            }
        });
        socket.on("close", () => resolve(got));
    });
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /body/);
    const other = await server.get("/", { headers: { expect: "miracles" } });
    assert.equal(other.status, 417);
});

test("a function sees the request as it was sent, without what is the connection's", async () => {
    const answer = await server.get("/seen?q=1&r=%20", {
        host: "front.localhost:81",
        headers: {
            connection: "close, x-mine",
            "x-mine": "hop",
            te: "trailers",
            upgrade: "websocket",
            "x-kept": "yes",
            "x-forwarded-for": "6.6.6.6",
            "x-forwarded-proto": "https",
            forwarded: "for=6.6.6.6",
        },
    });
    const seen = JSON.parse(answer.body);
    assert.equal(seen.url, "http://front.localhost:81/seen?q=1&r=%20");
    assert.equal(seen.headers["x-kept"], "yes");
    assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1");
    for (const name of ["connection", "x-mine", "te", "upgrade", "x-forwarded-proto", "forwarded"])
        assert.ok(!(name in seen.headers), name);
    const absolute = await server.get("http://front.localhost:82/seen", { host: "nobody" });
    assert.equal(JSON.parse(absolute.body).url, "http://front.localhost:82/seen");
});

test("traceparent is passed on, or made", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const known = JSON.parse(
        (await server.get("/seen", { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } }))
            .body
    ).headers.traceparent;
    assert.match(known, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    assert.ok(!known.includes("b7ad6b7169203331"));
    const made = JSON.parse((await server.get("/seen", { headers: { traceparent: "00-x" } })).body);
    assert.match(made.headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
});

test("several cookies, and no header of the connection's", async () => {
    const text = await raw(server.port, "GET /cookies HTTP/1.1\r\nhost: front\r\n\r\n", {
        enough: got => got.endsWith("cookies"),
    });
    assert.match(text, /set-cookie: a=1\r\nset-cookie: b=2\r\n/);
    assert.doesNotMatch(text, /keep-alive|connection: close/);
});

test("functions of JSON take the body, or the request", async () => {
    const body = await server.get("/", { host: "event", method: "POST", body: '{"a":[1]}' });
    assert.deepEqual(JSON.parse(body.body), { event: { a: [1] } });
    assert.equal(body.headers["content-type"], "application/json");
    const seen = JSON.parse((await server.get("/p?q", { host: "event" })).body).event;
    assert.equal(seen.method, "GET");
    assert.equal(seen.url, "http://event/p?q");
    assert.equal(seen.body, null);
});

test("what a function cannot be called with is the client's failure, not the function's", async () => {
    const names = ["event", "front"].map(
        name => `snapcell_call_failures_total{function="${name}"}`
    );
    const failures = async () => {
        const metrics = await server.metrics();
        return names.map(name => metrics.get(name) ?? 0);
    };
    const before = await failures();
    for (const [host, body, wrong] of [
        ["event", "{no", /not JSON/],
        ["event", "", undefined],
        ["front:99999", "{}", /not a URL/],
        ["front.xn--a", "{}", /not a URL/],
        ["event", "[1", /not JSON/],
    ]) {
        const answer = await server.get("/echo", { host, method: "POST", body });
        assert.equal(answer.status, wrong ? 400 : 200, `${host} ${body}: ${answer.body}`);
        if (!wrong) continue;
        const id = answer.headers["x-request-id"];
        const line = await until("the line", () =>
            server.lines("bad_request").find(({ request }) => request === id)
        );
        assert.match(line.error, wrong);
        assert.equal(server.lines("failure").filter(({ request }) => request === id).length, 0);
    }
    assert.deepEqual(await failures(), before);
});

test("a failure is 500 with an id that the log has", async () => {
    const answer = await server.get("/throw");
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /deliberate/);
    const id = /request id: ([0-9a-f]{32})/.exec(answer.body)[1];
    assert.equal(answer.headers["x-request-id"], id);
    const line = await until("the line", () => server.lines("failure").find(l => l.request === id));
    assert.match(line.error, /a deliberate failure/);
    assert.ok(line.line > 0);
});

test("the log has the size of the server's own answers, too", async () => {
    for (const [path, status] of [
        ["/throw", 500],
        ["/loop-back", 200],
    ]) {
        const answer = await server.get(path);
        assert.equal(answer.status, status);
        const id = answer.headers["x-request-id"];
        const line = await until("its line", () =>
            server.lines("request").find(entry => entry.request === id)
        );
        assert.equal(line.sent_bytes, answer.body.length);
    }
});

test("console output is in the log, with the request's id", async () => {
    const answer = await server.get("/log");
    const line = await until("the line", () =>
        server.lines("console").find(l => l.request === answer.headers["x-request-id"])
    );
    assert.equal(line.level, "warn");
    assert.equal(line.text, 'a "warning"\n of two lines');
});

test("waitUntil() goes on after the response", async () => {
    assert.equal((await server.get("/after")).body, "before");
    await until("what was waited for", () =>
        server.lines("console").some(l => l.text === "after the response")
    );
});

test("a client that sends no more still gets its answer", async () => {
    const text = await raw(server.port, "GET /x HTTP/1.1\r\nhost: front\r\n\r\n", { end: true });
    assert.match(text, /front$/);
});

test("the call of a client that goes away is cancelled", async () => {
    const before = (await server.metrics()).get(
        'snapcell_requests_total{function="front",status="gone"}'
    );
    const socket = connect(server.port, "127.0.0.1", () =>
        socket.write("GET /never HTTP/1.1\r\nhost: front\r\n\r\n")
    );
    await pause(100);
    socket.resetAndDestroy();
    await until("the cancelled call", async () => {
        const now = await server.metrics();
        return (
            now.get('snapcell_requests_total{function="front",status="gone"}') > before &&
            now.get('snapcell_workers{function="front",state="busy"}') === 0
        );
    });
    assert.equal((await server.get("/x")).body, "front");
});

test("a slow reader does not make the server take more", async () => {
    const socket = connect(server.port, "127.0.0.1", () =>
        socket.write("GET /endless HTTP/1.1\r\nhost: front\r\n\r\n")
    );
    let got = 0;
    socket.on("data", data => {
        got += data.length;
        socket.pause();
        setTimeout(() => socket.resume(), 5);
    });
    await until("some of the body", () => got > 500_000);
    assert.equal((await server.get("/x")).body, "front");
    socket.destroy();
});

test("curl, with and without keep-alive", () => {
    const url = `http://front.localhost:${server.port}`;
    const done = spawnSync(
        "curl",
        [
            "-sS",
            "--resolve",
            `front.localhost:${server.port}:127.0.0.1`,
            "-d",
            "some=form",
            `${url}/echo`,
            "--next",
            "-sS",
            "-T",
            "-",
            `${url}/echo`,
        ],
        { input: "from stdin", encoding: "utf8" }
    );
    if (done.error?.code === "ENOENT") return;
    assert.equal(done.stdout, "some=formfrom stdin", done.stderr);
});

test("Node's client keeps its connections", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 2 });
    const ask = i =>
        new Promise((resolve, reject) =>
            httpRequest(
                {
                    port: server.port,
                    host: "127.0.0.1",
                    path: "/mark",
                    agent,
                    headers: { host: "front", "x-mark": `m${i}` },
                },
                async response => {
                    let text = "";
                    for await (const data of response) text += data;
                    resolve(text);
                }
            )
                .on("error", reject)
                .end()
        );
    const all = await Promise.all(Array.from({ length: 60 }, (unused, i) => ask(i)));
    all.forEach((text, i) => assert.equal(text, `m${i}`));
    agent.destroy();
});
