// With nginx in front, which speaks TLS and HTTP/2.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, compile, folder, parse, raw, until } from "./server.mjs";

const has = (...command) => spawnSync(command[0], command.slice(1)).status === 0;
process.env.PATH = `${process.env.PATH}:/usr/sbin`;

let server, nginx, port;

async function freePort() {
    const taken = createServer().listen(0, "127.0.0.1");
    await until("a port", () => taken.address());
    const found = taken.address().port;
    await new Promise(resolve => taken.close(resolve));
    return found;
}

const config = (place, upstream) => `
daemon off;
pid ${place}/pid;
error_log ${place}/error.log;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path ${place}/body;
    proxy_temp_path ${place}/proxy;
    fastcgi_temp_path ${place}/fastcgi;
    uwsgi_temp_path ${place}/uwsgi;
    scgi_temp_path ${place}/scgi;
    upstream snapcell {
        server 127.0.0.1:${upstream};
        keepalive 8;
    }
    server {
        listen 127.0.0.1:${port} ssl http2;
        ssl_certificate ${place}/cert.pem;
        ssl_certificate_key ${place}/key.pem;
        client_max_body_size 0;
        location / {
            proxy_pass http://snapcell;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_request_buffering off;
            proxy_buffering off;
        }
    }
}
`;

const curl = (...args) => {
    const done = spawnSync(
        "curl",
        ["-sSk", "--http2", "--resolve", `front.localhost:${port}:127.0.0.1`, ...args],
        { encoding: "utf8", maxBuffer: 1 << 26 }
    );
    assert.equal(done.status, 0, done.stderr);
    return done.stdout;
};

before(async () => {
    compile("front");
    const place = join(folder, "nginx");
    mkdirSync(place);
    writeFileSync(join(folder, "proxied.json"), JSON.stringify({ trusted_proxies: "127.0.0.1" }));
    server = await Server.start("--config", join(folder, "proxied.json"));
    port = await freePort();
    const made = spawnSync("openssl", [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=front.localhost",
        "-keyout",
        join(place, "key.pem"),
        "-out",
        join(place, "cert.pem"),
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    writeFileSync(join(place, "nginx.conf"), config(place, server.port));
    nginx = spawn("nginx", ["-e", join(place, "error.log"), "-c", join(place, "nginx.conf")], {
        stdio: "ignore",
    });
    await until("nginx", () => has("curl", "-sk", "-o", "/dev/null", `https://127.0.0.1:${port}/`));
});
after(async () => {
    nginx.kill("SIGQUIT");
    await server.stop();
});

const base = () => `https://front.localhost:${port}`;

test("HTTP/2 and TLS in front: the function sees https", () => {
    const version = curl("-o", "/dev/null", "-w", "%{http_version}", `${base()}/x`);
    assert.equal(version, "2");
    const seen = JSON.parse(curl(`${base()}/seen?q`));
    assert.equal(seen.url, "https://front.localhost/seen?q");
    assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1, 127.0.0.1");
});

test("bodies stream through both ways", () => {
    assert.equal(curl("-d", "@-", `${base()}/echo`).length, 0);
    assert.equal(curl(`${base()}/large`).length, 5_000_000);
    assert.equal(curl(`${base()}/pieces`), "piece 0\npiece 1\npiece 2\npiece 3\n");
    assert.equal(curl("-d", "x".repeat(1_000_00), `${base()}/echo`).length, 100_000);
});

test("connections between them are kept", async () => {
    const before = (await server.metrics()).get("snapcell_connections_total");
    for (let i = 0; i < 5; i++) curl(`${base()}/x`);
    const after_ = (await server.metrics()).get("snapcell_connections_total");
    assert.ok(after_ - before <= 2 + 1, `${after_ - before}`);
    assert.equal(
        parse(await raw(server.port, "GET /x HTTP/1.1\r\nhost: front\r\nconnection: close\r\n\r\n"))
            .body,
        "front"
    );
});
