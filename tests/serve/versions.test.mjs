// With --dev --versions-from-stdin: a text is served before the store has it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { Server, kill, pause, program, store, until } from "./server.mjs";

const host = "f";
let server;
let count = 0;

const prelude = 'export const born = Date.now(), fail = () => { throw new Error("above"); };\n';
const rest = (version, more = "") =>
    `import { born } from "snapcell:prelude";\nexport default { async fetch(request) { ${more}\n` +
    `return Response.json({ version: "${version}", born }); } };\n`;

// Into the store, which the server is told of.
function save(text) {
    const parameters = ["--store", store, "--name", host, "--unevaluated", "--format", "esm"];
    parameters.push("--prelude-length", String(prelude.length));
    const done = spawnSync(program, ["compile", "-", ...parameters], { input: prelude + text });
    assert.equal(done.status, 0, String(done.stderr));
    server?.child.kill("SIGHUP");
}

function bytesOf(text, { name = host, before = prelude, encoding = "latin1", map = "" } = {}) {
    const [body, mapBody] = [Buffer.from(text, encoding), Buffer.from(map)];
    const line = {
        function: name,
        prelude_sha256: createHash("sha256").update(Buffer.from(before, encoding)).digest("hex"),
        encoding,
        text_bytes: body.length,
        map_bytes: mapBody.length,
    };
    return Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), body, mapBody]);
}

const told = () => server.lines().filter(({ event }) => event.startsWith("version"));

// What the log says of a version that is given.
async function give(text, options) {
    const before = told().length;
    server.child.stdin.write(bytesOf(text, options));
    return until("a word on it", () => told()[before]);
}

// As soon as a process waits.
const giveUntilServed = (text, options) =>
    until("a version that is served", async () => {
        const { event } = await give(text, options);
        if (event === "version_declined") await pause(50);
        return event === "version_served";
    });

async function ask(headers = {}) {
    const { status, body } = await server.get("/", { host, ...headers });
    return status === 200 ? JSON.parse(body) : { status, body };
}

const versionIs = wanted =>
    until(`version ${wanted}`, async () => (await ask()).version === wanted);

before(async () => {
    save(rest("first"));
    server = await Server.startAs(
        { stdio: ["pipe", "pipe", "pipe"] },
        ...["--dev", "--versions-from-stdin"]
    );
    await versionIs("first");
});
after(() => server.stop());

test("a version is served at once, and on when the store has it", async () => {
    const asked = Date.now();
    await giveUntilServed(rest("early"));
    const answers = [await ask(), await ask()];
    assert.deepEqual(
        answers.map(({ version }) => version),
        ["early", "early"]
    );
    assert.ok(answers[0].born <= asked + 20_000);
    assert.notEqual(answers[0].born, answers[1].born); // each in a fresh instance
    save(rest("early"));
    for (let i = 0; i < 20; i++) assert.equal((await ask()).version, "early");
    await giveUntilServed(rest("earlier"));
    save(rest("stored")); // which is what counts
    await versionIs("stored");
});

test("what the store still has is not served meanwhile, however many ask", async () => {
    await giveUntilServed(rest("alone", "await new Promise(done => setTimeout(done, 100));"));
    const asked = Array.from({ length: 6 }, () => ask());
    await pause(50);
    save(rest("alone"));
    for (const { version } of await Promise.all(asked)) assert.equal(version, "alone");
});

test("one that ends is followed by what the store gets, not by what it had", async () => {
    await giveUntilServed(rest("killed", "for (;;);"));
    const asked = [ask()];
    const processes = server.children();
    await pause(100);
    for (const { pid } of processes) kill(pid);
    await until("the worker's end", () => server.lines("worker_end").length > 0);
    asked.push(ask());
    await pause(50);
    save(rest("after"));
    for (const { version, status } of await Promise.all(asked))
        assert.ok(version === "after" || status >= 500, version);
    await versionIs("after");
});

test("what cannot be evaluated is declined, and what was before is served on", async () => {
    await giveUntilServed(rest(`good ${++count}`));
    save(rest(`good ${count}`));
    await versionIs(`good ${count}`);
    const decline = async (text, pattern, options) => {
        const { event, error } = await until("a process that waits", async () => {
            const word = await give(text, options);
            return !/process waits|does not wait/.test(word.error) && word;
        });
        assert.equal(event, "version_declined");
        assert.match(error, pattern);
        await versionIs(`good ${count}`);
    };
    await decline("throw new Error('below');", /below/);
    await decline("import { fail } from 'snapcell:prelude'; fail();", /above/);
    await decline("export default {", /SyntaxError/);
    await decline("export const nothing = 1;", /handler/);
    await decline(rest("other"), /encoding/, { encoding: "utf-16le" });
    await decline(rest("other"), /another prelude/, { before: `${prelude} ` });
    await decline(rest("other"), /no function 'absent'/, { name: "absent" });
});

test("versions may come in pieces, and several at once", async () => {
    await giveUntilServed(rest("whole"));
    save(rest("whole"));
    await versionIs("whole");
    const before = told().length;
    const bytes = bytesOf(rest("pieces"), { map: "{}" });
    for (let i = 0; i < bytes.length; i += 40) {
        server.child.stdin.write(bytes.subarray(i, i + 40));
        await pause(1);
    }
    await until("a word on it", () => told().length > before);
    server.child.stdin.write(Buffer.concat([bytesOf(rest("one")), bytesOf(rest("two"))]));
    await until("a word on each", () => told().length === before + 3);
});

test("what is no version ends it, and nothing else", async () => {
    server.child.stdin.write(
        '{"function":"f","encoding":"ebcdic","text_bytes":1,"map_bytes":0}\nx'
    );
    const [{ error }] = await until("a word", () => {
        const lost = server.lines("versions_lost");
        return lost.length > 0 && lost;
    });
    assert.match(error, /expected a line .* got '\{"function":"f","encoding":"ebcdic"/);
    save(rest("still"));
    await versionIs("still");
});

test("a server ends with what gives it versions", async () => {
    const other = await Server.startAs(
        { stdio: ["pipe", "pipe", "pipe"] },
        ...["--dev", "--versions-from-stdin"]
    );
    other.child.stdin.end();
    assert.equal(await other.ended, 0);
});

test("it is for development", () => {
    const parameters = ["serve", "--store", store, "--listen", "127.0.0.1:0"];
    const done = spawnSync(program, [...parameters, "--versions-from-stdin"], { encoding: "utf8" });
    assert.equal(done.status, 2);
    assert.match(done.stderr, /--versions-from-stdin is for --dev/);
});
