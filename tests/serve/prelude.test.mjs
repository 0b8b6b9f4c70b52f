// With --dev: a process that has evaluated a function's prelude goes on with the next version.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Server, folder, kill, pause, program, store, until } from "./server.mjs";

const config = join(folder, "prelude.json");
const host = "f";
let server;
let count = 0;

const prelude = "export const born = Date.now();\n";
const rest = (version, text = "born") =>
    `import { born } from "snapcell:prelude";\nexport default { fetch: (request, env) => ` +
    `Response.json({ version: ${version}, setting: env.SETTING, text: ${text} }) };\n`;

// A new version in the store, which the server is told of. Returns when.
function save(first, second) {
    const parameters = ["--store", store, "--name", host, "--unevaluated", "--format", "esm"];
    if (first) parameters.push("--prelude-length", String(first.length));
    const done = spawnSync(program, ["compile", "-", ...parameters], { input: first + second });
    assert.equal(done.status, 0, String(done.stderr));
    const now = Date.now();
    server?.child.kill("SIGHUP");
    return now;
}

const configure = setting =>
    writeFileSync(config, JSON.stringify({ functions: { [host]: { env: { SETTING: setting } } } }));

// What was before may answer, or fail, until the server has seen the change.
async function answerOf(version) {
    return until(`version ${version}`, async () => {
        const { status, body } = await server.get("/", { host });
        const answer = status === 200 && JSON.parse(body);
        return answer && answer.version === version && answer;
    });
}

// Until one is answered whose prelude was evaluated before it was saved.
const goesOn = () =>
    until("one that goes on", async () => {
        await pause(200);
        const saved = save(prelude, rest(++count));
        const answer = await answerOf(count);
        return answer.text < saved && answer;
    });

before(async () => {
    configure("one");
    save(prelude, rest(0));
    server = await Server.start("--dev", "--config", config);
    await answerOf(0);
});
after(() => server.stop());

test("the next version goes on, and so does the one after it", async () => {
    const first = await goesOn();
    const second = await goesOn();
    assert.ok(second.text > first.text); // each version has a prelude of its own
});

test("each call finds a fresh instance", async () => {
    await goesOn();
    save(prelude, `let calls = 0;\n${rest(++count, "++calls")}`);
    for (let i = 0; i < 5; i++) assert.equal((await answerOf(count)).text, 1);
});

test("a version with another prelude, or with none, is what it is", async () => {
    await goesOn();
    save('export const born = "other";\n', rest(++count));
    assert.equal((await answerOf(count)).text, "other");
    save("", `const born = "none";\n${rest(++count).replace(/^.*\n/, "")}`);
    assert.equal((await answerOf(count)).text, "none");
});

test("other settings take another process", async () => {
    await goesOn();
    configure("two");
    const saved = save(prelude, rest(++count));
    const answer = await answerOf(count);
    assert.equal(answer.setting, "two");
    assert.ok(answer.text >= saved);
    assert.equal((await goesOn()).setting, "two");
});

test("processes that wait may be killed", async () => {
    await goesOn();
    for (const { pid } of server.children()) kill(pid);
    save(prelude, rest(++count));
    await answerOf(count);
    await goesOn();
});

test("a prelude that throws, or sets a timer, is evaluated with each version, and not in between", async () => {
    save("setTimeout(() => {}, 1e6);\nexport const born = 7;\n", rest(++count));
    assert.equal((await answerOf(count)).text, 7);
    save("throw new Error('thrown above');\nexport const born = 8;\n", rest(++count));
    const failed = await until("a failure", async () => {
        const { status, body } = await server.get("/", { host });
        return status >= 500 && body;
    });
    assert.match(failed, /thrown above/);
    await pause(500); // no process is started again and again meanwhile
    save(prelude, rest(++count));
    await answerOf(count);
});
