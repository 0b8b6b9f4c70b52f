// snapcell dev: builds, serves, and builds again.
import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { kit, project, snapcell, started, write } from "./helper.mjs";

const { dev } = await import(join(kit, "src/index.js"));
const { failureOf } = await import(join(kit, "src/dev_page.js"));
const { parseEnv } = await import(join(kit, "src/env_files.js"));

const running = [];
after(() => running.forEach(({ child }) => child.kill("SIGKILL")));

async function developing(folder, ...parameters) {
    const server = started(folder, ["dev", "--listen", "127.0.0.1:0", ...parameters]);
    running.push(server);
    const { match } = await server.until(/(?:listening on |"url":")(http:[^"\s]+)/);
    const ask = (path, headers = {}) =>
        fetch(match[1] + path, { headers }).then(async response => ({
            status: response.status,
            type: response.headers.get("content-type"),
            text: await response.text(),
        }));
    // Until it is so: an editor's file takes a moment to be noticed.
    const askUntil = async (path, pattern) => {
        for (;;) {
            const answer = await ask(path);
            if (pattern.test(answer.text)) return answer;
            await new Promise(done => setTimeout(done, 20));
        }
    };
    return { ...server, url: match[1], ask, askUntil };
}

const source = text => `export default { fetch(request: Request, env: any) {
    console.log("asked");
    if (request.url.endsWith("/wrong")) throw new Error("thrown <here>");
    return new Response(\`${text} \${env.TOP} \${env.FILE} \${env.SECRET}\`);
} };\n`;

test("a change is answered; errors are told with their code, in the terminal and in the browser", async () => {
    const folder = project({
        "wrangler.jsonc": {
            name: "app",
            main: "src/index.ts",
            vars: { TOP: "top", FILE: "config" },
        },
        "src/index.ts": source("one"),
        ".env": "FILE=env # a comment\nSECRET=env",
        ".dev.vars": `SECRET="a\\nb"`,
    });
    const { ask, askUntil, until, child, ended, output } = await developing(folder);
    assert.equal((await ask("/")).text, "one top env a\nb");
    await until(/GET \/ 200/);
    await until(/app: asked/);

    write(folder, { "src/index.ts": source("two") });
    await askUntil("/", /^two/);

    const wrong = await ask("/wrong", { accept: "text/html" });
    assert.equal(wrong.status, 500);
    assert.match(wrong.type, /text\/html/);
    assert.match(
        wrong.text,
        /<h1>app: Error: thrown &#60;here&#62; \(src\/index\.ts:3:\d+\)<\/h1>/
    );
    assert.match(wrong.text, /<b>&#62; 3 \|/);
    await until(/snapcell: app: Error: thrown <here> \(src\/index\.ts:3:\d+\)\n[^]*> 3 \|/);

    write(folder, { "src/index.ts": source("three").replace("};", "") });
    const broken = await askUntil("/", /src\/index\.ts:\d+:\d+/);
    assert.equal(broken.status, 500);
    assert.match(broken.text, /^> \d+ \|/m);

    write(folder, { "src/index.ts": source("four"), ".env": "FILE=changed" });
    await askUntil("/", /^four top changed/);
    write(folder, {
        "wrangler.jsonc": { name: "app", main: "src/index.ts", vars: { TOP: "new" } },
    });
    await askUntil("/", /^four new/);
    child.kill("SIGTERM");
    assert.deepEqual(await ended, { status: 0, signal: null }, output());
});

test("several functions answer at their names; assets are served; bodies stream", async () => {
    const folder = project({
        "wrangler.json": { assets: { directory: "public" } },
        "snapcell.config.json": { functions: { one: "one.js", two: "two.js" } },
        "one.js": `export default { fetch: async request => new Response("one " + (await request.text()).length) };`,
        "two.js": `export default { fetch: () => new Response("two") };`,
        "public/a.txt": "asset",
    });
    const { url, child, ended } = await developing(folder, "--json");
    const at = (name, path, body) =>
        new Promise((done, failed) => {
            const options = {
                method: body ? "POST" : "GET",
                headers: { host: `${name}.localhost` },
            };
            const sent = request(url + path, options, answer => {
                let text = "";
                answer.on("data", part => (text += part)).on("end", () => done(text));
            });
            sent.on("error", failed);
            sent.end(body);
        });
    assert.equal(await at("two", "/"), "two");
    assert.equal(await at("one", "/", "x".repeat(300_000)), "one 300000");
    assert.equal(await at("one", "/a.txt"), "asset");
    child.kill("SIGINT");
    assert.equal((await ended).status, 0);
});

test("the JavaScript API tells what happens", async () => {
    const folder = project({ "f.js": `export default { fetch: () => new Response("api") };` });
    const events = [];
    const server = await dev({
        cwd: folder,
        entry: "f.js",
        listen: "127.0.0.1:0",
        onEvent: event => events.push(event.event),
    });
    assert.equal(await (await fetch(server.url)).text(), "api");
    await server.close();
    assert.deepEqual(events, ["listening", "built", "request"]);
});

test("a change is answered before its snapshot is there, and what keeps it from being one is told then", async () => {
    const folder = project({ "f.js": `export default { fetch: () => new Response("one") };` });
    const events = [];
    const server = await dev({
        cwd: folder,
        entry: "f.js",
        listen: "127.0.0.1:0",
        onEvent: event => events.push(event),
    });
    const change = async (text, isLast) => {
        events.length = 0;
        write(folder, { "f.js": text });
        while (!events.some(isLast)) await new Promise(done => setTimeout(done, 10));
        return events.filter(({ event }) => event !== "request");
    };
    const names = told => told.map(({ event }) => event);
    const built = await change(
        `export default { fetch: () => new Response("two") };`,
        ({ event }) => event === "built"
    );
    assert.deepEqual(names(built), ["answering", "built"]);
    assert.equal(built[1].functions[0].kind, "snapshot");
    assert.equal(await (await fetch(server.url)).text(), "two");

    // It answers at each load, and yet is no function for production.
    const failed = await change(
        `const id = crypto.randomUUID(); export default { fetch: () => new Response(id) };`,
        ({ event }) => event === "failed"
    );
    assert.deepEqual(names(failed), ["answering", "failed"]);
    assert.match(failed[1].functions[0].error.message, /crypto\.randomUUID/);
    assert.equal((await fetch(server.url)).status, 500);
    await server.close();
});

test("saving again and again ends with what was saved last", async () => {
    const source = text => `export default { fetch: () => new Response("${text}") };`;
    const folder = project({ "f.js": source("first") });
    const events = [];
    const server = await dev({
        cwd: folder,
        entry: "f.js",
        listen: "127.0.0.1:0",
        onEvent: event => events.push(event),
    });
    const asked = [];
    for (let i = 0; i < 12; i++) {
        write(folder, { "f.js": source(`text ${i}`) });
        asked.push(fetch(server.url).then(answer => answer.text()));
        await new Promise(done => setTimeout(done, 30 * (i % 4)));
    }
    for (const text of await Promise.all(asked)) assert.match(text, /^(first|text \d+)$/);
    while ((await (await fetch(server.url)).text()) !== "text 11");
    await server.close();
    assert.deepEqual(
        events.filter(({ event }) => event === "failed"),
        []
    );
});

test("what is wrong from the start is one line", () => {
    const folder = project({ "f.js": "" });
    const cases = [
        [["dev", "absent.ts"], 3, /absent\.ts is not there/],
        [["dev", "f.js", "--listen", "somewhere"], 2, /--listen takes HOST:PORT/],
        [["dev", "f.js", "--listen", "203.0.113.1:80"], 3, /cannot listen on 203\.0\.113\.1:80/],
    ];
    for (const [parameters, status, message] of cases) {
        const ended = snapcell(folder, parameters);
        assert.equal(ended.status, status, ended.stderr);
        assert.match(ended.stderr, message);
        assert.doesNotMatch(ended.stderr, /^\s+at /m);
    }
});

test("the server's error texts and files of variables are read", () => {
    const body =
        "500 Internal Server Error\n\nf: Error: a\nb\n    at x.ts:3:4\n\nError: a\n    at fetch (x.ts:3:4)\n\nrequest id: 7\n";
    assert.deepEqual(failureOf(body, "7"), {
        message: "f: Error: a\nb",
        file: "x.ts",
        line: 3,
        column: 4,
        scriptStack: "Error: a\n    at fetch (x.ts:3:4)",
    });
    assert.equal(failureOf(body, "8"), undefined);
    assert.equal(
        failureOf("504 Gateway Timeout\n\nf: over 10 ms\n\nrequest id: 7\n", "7").message,
        "f: over 10 ms"
    );
    const text = `# comment\nA=1\nexport B = "two words" # c\r\nC='raw \\n'\nD=\nE="x\\ny"\nF=a b # c\nG=\`t\nu\`\nH=a#b`;
    assert.deepEqual(parseEnv(text), {
        A: "1",
        B: "two words",
        C: "raw \\n",
        D: "",
        E: "x\ny",
        F: "a b",
        G: "t\nu",
        H: "a#b",
    });
});
