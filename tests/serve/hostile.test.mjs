// Clients that mean harm, or are broken: what they send is refused, and nobody else notices.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, compile, folder, parse, pause, raw, until } from "./server.mjs";

let server;
before(async () => {
    compile("front");
    const config = join(folder, "hostile.json");
    writeFileSync(
        config,
        JSON.stringify({
            limits: { head_bytes: 4096, connections: 600 },
            timeouts: { head_ms: 700, body_ms: 700, write_ms: 1500, idle_ms: 5000 },
            functions: {
                front: {
                    limits: { request_mb: 1, cpu_ms: 300, memory_mb: 32, wait_until_ms: 300 },
                },
            },
        })
    );
    server = await Server.start("--config", config);
});
after(() => server.stop());

// A second request follows each: it must not be answered, since nobody can tell where it begins.
const smuggled = "GET /mark HTTP/1.1\r\nhost: front\r\nx-mark: smuggled\r\n\r\n";
const post = lines => `POST /echo HTTP/1.1\r\nhost: front\r\n${lines.join("\r\n")}\r\n\r\n`;

const refused = {
    "two lengths": post(["content-length: 0", `content-length: ${smuggled.length}`]),
    "the same length twice": post(["content-length: 0", "content-length: 0"]),
    "a list of lengths": post(["content-length: 0, 0"]),
    "a length with a sign": post(["content-length: +0"]),
    "a negative length": post(["content-length: -1"]),
    "a hexadecimal length": post(["content-length: 0x0"]),
    "an empty length": post(["content-length:"]),
    "a length above all": post(["content-length: 99999999999999999999999"]),
    "a length and chunks": post(["content-length: 5", "transfer-encoding: chunked"]) + "0\r\n\r\n",
    "chunks and a length": post(["transfer-encoding: chunked", "content-length: 5"]) + "0\r\n\r\n",
    "chunked twice":
        post(["transfer-encoding: chunked", "transfer-encoding: chunked"]) + "0\r\n\r\n",
    "another coding": post(["transfer-encoding: gzip, chunked"]) + "0\r\n\r\n",
    "chunked is not last": post(["transfer-encoding: chunked, identity"]) + "0\r\n\r\n",
    "an unknown coding": post(["transfer-encoding: xchunked"]) + "0\r\n\r\n",
    "a vertical tab before chunked": post(["transfer-encoding: \x0bchunked"]) + "0\r\n\r\n",
    "a blank before the colon": post(["transfer-encoding : chunked"]) + "0\r\n\r\n",
    "a folded line": post(["x-a: b", " transfer-encoding: chunked"]) + "0\r\n\r\n",
    "a folded coding": post(["transfer-encoding:", " chunked"]) + "0\r\n\r\n",
    "a bare LF after a header": "GET / HTTP/1.1\r\nhost: front\nx: y\r\n\r\n",
    "bare LFs": "GET / HTTP/1.1\nhost: front\n\n",
    "a bare CR in a value": "GET / HTTP/1.1\r\nhost: front\r\nx: a\rcontent-length: 5\r\n\r\n",
    "a bare CR as a line's end": "GET / HTTP/1.1\r\nhost: front\rx: y\r\n\r\n",
    "CR CR LF": "GET / HTTP/1.1\r\nhost: front\r\r\n\r\n",
    "an end of CR LF CR X": "GET / HTTP/1.1\r\nhost: front\r\n\rX: y\r\n\r\n",
    "a zero byte": "GET / HTTP/1.1\r\nhost: front\r\nx: a\0b\r\n\r\n",
    "a zero byte in the target": "GET /\0 HTTP/1.1\r\nhost: front\r\n\r\n",
    "a name with a blank": "GET / HTTP/1.1\r\nhost: front\r\nx y: z\r\n\r\n",
    "an empty name": "GET / HTTP/1.1\r\nhost: front\r\n: z\r\n\r\n",
    "no colon": "GET / HTTP/1.1\r\nhost: front\r\nnonsense\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\nx: y\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nhost: front\r\nhost: other\r\n\r\n",
    "a host that is none": "GET / HTTP/1.1\r\nhost: front/../other\r\n\r\n",
    "a host with a user": "GET / HTTP/1.1\r\nhost: a@front\r\n\r\n",
    "a target with a blank": "GET /a b HTTP/1.1\r\nhost: front\r\n\r\n",
    "a target that is none": "GET nowhere HTTP/1.1\r\nhost: front\r\n\r\n",
    "two blanks": "GET  / HTTP/1.1\r\nhost: front\r\n\r\n",
    "a tab between": "GET\t/ HTTP/1.1\r\nhost: front\r\n\r\n",
    "no version": "GET /\r\nhost: front\r\n\r\n",
    "version 0.9": "GET / HTTP/0.9\r\nhost: front\r\n\r\n",
    "version 2.0": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 1.2": "GET / HTTP/1.2\r\nhost: front\r\n\r\n",
    "a small method": "get / HTTP/1.1\r\nhost: front\r\n\r\n",
    TLS: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "chunks in HTTP/1.0":
        "POST /echo HTTP/1.0\r\nhost: front\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk's size with a sign": post(["transfer-encoding: chunked"]) + "+1\r\na\r\n0\r\n\r\n",
    "a chunk's size with 0x": post(["transfer-encoding: chunked"]) + "0x1\r\na\r\n0\r\n\r\n",
    "a chunk's size above all":
        post(["transfer-encoding: chunked"]) + "fffffffffffffffff\r\na\r\n0\r\n\r\n",
    "a bare LF after a chunk's size": post(["transfer-encoding: chunked"]) + "1\na\r\n0\r\n\r\n",
    "a bare LF after a chunk": post(["transfer-encoding: chunked"]) + "1\r\na\n0\r\n\r\n",
    "a chunk that is too long": post(["transfer-encoding: chunked"]) + "1\r\nab\r\n0\r\n\r\n",
    "a blank after a chunk's size": post(["transfer-encoding: chunked"]) + "1 \r\na\r\n0\r\n\r\n",
    "a bare CR in a chunk's extension":
        post(["transfer-encoding: chunked"]) + "1;a\rb\r\na\r\n0\r\n\r\n",
    "a bare LF in a chunk's extension":
        post(["transfer-encoding: chunked"]) + "1;a\nb\r\na\r\n0\r\n\r\n",
    "a folded trailer": post(["transfer-encoding: chunked"]) + "0\r\nx: y\r\n z\r\n\r\n",
    "a trailer with a bare CR": post(["transfer-encoding: chunked"]) + "0\r\nx: y\rz\r\n\r\n",
    "a trailer with a bare LF": post(["transfer-encoding: chunked"]) + "0\r\nx: y\n\r\n\r\n",
};

for (const [name, bytes] of Object.entries(refused)) {
    test(`refused: ${name}`, async () => {
        const text = await raw(server.port, bytes + smuggled);
        assert.doesNotMatch(text, /smuggled/);
        const last = parse(/(?:^|\n)(HTTP\/1\.1 (?!200 )[^]*)/.exec(text)?.[1] ?? text);
        assert.ok([400, 501, 505].includes(last.status), text);
        assert.equal(last.headers.connection, "close");
    });
}

test("refused byte by byte, too", async () => {
    for (const name of [
        "two lengths",
        "a folded line",
        "a bare CR in a value",
        "a bare LF after a chunk",
    ]) {
        const text = await raw(server.port, refused[name] + smuggled, { piece: 1 });
        assert.doesNotMatch(text, /smuggled/);
        /* a function that streams may have begun by then: its response breaks off */
        assert.ok(text.includes("HTTP/1.1 400 ") || !parse(text).whole, text);
    }
});

test("a head that is too large is 431, whole or in pieces", async () => {
    for (const bytes of [
        `GET /${"x".repeat(5000)} HTTP/1.1\r\nhost: front\r\n\r\n`,
        `GET / HTTP/1.1\r\nhost: front\r\nx: ${"y".repeat(100_000)}`,
        `GET / HTTP/1.1\r\nhost: front\r\n${"x: y\r\n".repeat(200)}\r\n`,
        "x".repeat(5000),
    ]) {
        assert.match(await raw(server.port, bytes), /^HTTP\/1\.1 431 /);
        assert.match(await raw(server.port, bytes, { piece: 999 }), /^HTTP\/1\.1 431 /);
    }
});

test("a body that is too large is 413, announced or not", async () => {
    const announced = await raw(server.port, post(["content-length: 2000000"]));
    assert.match(announced, /^HTTP\/1\.1 413 /);
    const chunk = `10000\r\n${"x".repeat(65536)}\r\n`;
    const unannounced = await raw(
        server.port,
        `POST /late-echo HTTP/1.1\r\nhost: front\r\ntransfer-encoding: chunked\r\n\r\n${chunk.repeat(20)}`
    );
    assert.match(unannounced, /^HTTP\/1\.1 413 /);
});

test("chunks that are all framing, and trailers without end, are refused", async () => {
    const extension = `1;${"x".repeat(60_000)}\r\na\r\n`;
    const text = await raw(
        server.port,
        post(["transfer-encoding: chunked"]) + extension + "0\r\n\r\n"
    );
    assert.match(text, /HTTP\/1\.1 400 /);
    const trailer = post(["transfer-encoding: chunked"]) + `0\r\n${"x: y\r\n".repeat(2000)}`;
    assert.match(await raw(server.port, trailer), /HTTP\/1\.1 431 /);
});

test("slow senders are timed out", async () => {
    assert.match(await raw(server.port, "GET / HTTP/1.1\r\nhost: fr"), /^HTTP\/1\.1 408 /);
    assert.match(await raw(server.port, post(["content-length: 10"]) + "123"), /^HTTP\/1\.1 408 /);
    const chunks = await raw(server.port, post(["transfer-encoding: chunked"]) + "3\r\nabc\r\n");
    assert.match(chunks, /HTTP\/1\.1 (408|200) /);
});

test("a reader that stops is cut off, and its call with it", async () => {
    const socket = connect(server.port, "127.0.0.1", () =>
        socket.write("GET /endless HTTP/1.1\r\nhost: front\r\n\r\n")
    );
    socket.on("error", () => {});
    socket.pause();
    await until(
        "the call",
        async () =>
            (await server.metrics()).get('snapcell_workers{function="front",state="busy"}') > 0
    );
    await until(
        "its end",
        async () =>
            (await server.metrics()).get('snapcell_workers{function="front",state="busy"}') === 0
    );
    socket.destroy();
});

test("limits end calls, not the server", async () => {
    const [loop, hog] = await Promise.all([server.get("/loop"), server.get("/hog")]);
    assert.equal(loop.status, 500);
    assert.equal(hog.status, 500);
    assert.equal((await server.get("/x")).body, "front");
    const metrics = await server.metrics();
    assert.equal(metrics.get('snapcell_limits_total{function="front",limit="cpu"}'), 1);
    assert.equal(metrics.get('snapcell_limits_total{function="front",limit="memory"}'), 1);
});

test("connections above the maximum are closed, those below it wait", async () => {
    const sockets = [];
    let closed = 0;
    for (let i = 0; i < 700; i++) {
        const socket = connect(server.port, "127.0.0.1");
        socket.on("close", () => closed++);
        socket.on("error", () => {});
        sockets.push(socket);
    }
    await until("those above it", () => closed >= 100);
    const busy = sockets.find(socket => !socket.destroyed);
    const answer = new Promise(resolve => busy.once("data", data => resolve(String(data))));
    busy.write("GET /x HTTP/1.1\r\nhost: front\r\n\r\n");
    assert.match(await answer, /^HTTP\/1\.1 200 /);
    sockets.forEach(socket => socket.destroy());
    await until("room", async () => (await server.metrics()).get("snapcell_connections") < 10);
});

test("nonsense of all kinds is answered, or closed", async () => {
    let seed = 7;
    const random = n => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    const parts = [
        "GET ",
        "/ ",
        "HTTP/1.1",
        "\r\n",
        "\n",
        "\r",
        "host: front",
        "content-length: 3",
        ":",
        " ",
        "transfer-encoding: chunked",
        "0",
        "abc",
        "\0",
        "\xff",
        "1;x",
        "\r\n\r\n",
    ];
    await Promise.all(
        Array.from({ length: 60 }, async () => {
            let bytes = random(2) ? "GET / HTTP/1.1\r\nhost: front\r\n" : "";
            for (let i = 0; i < 12; i++) bytes += parts[random(parts.length)];
            await raw(server.port, bytes, { end: true });
        })
    );
    assert.equal((await server.get("/x")).body, "front");
    await pause(0);
});
