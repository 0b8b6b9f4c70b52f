// snapcell dev: builds, serves, and builds again.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { get, request } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { answer, kit, native, project, read, snapcell, started, write } from "./helper.mjs";

const { dev } = await import(join(kit, "src/index.js"));
const { failureOf } = await import(join(kit, "src/dev_page.js"));
const { parseEnv } = await import(join(kit, "src/env_files.js"));
const { ServeProcess } = await import(join(kit, "src/serve_process.js"));
const { Sources } = await import(join(kit, "src/sources.js"));
const { UnevaluatedCompiler } = await import(join(kit, "src/unevaluated.js"));

/** The program `snapcell dev`, until the test ends. */
async function developing(t, folder, ...parameters) {
    const server = started(folder, ["dev", "--listen", "127.0.0.1:0", ...parameters]);
    t.after(() => server.child.kill("SIGKILL"));
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
            await pause(20);
        }
    };
    return { ...server, url: match[1], ask, askUntil };
}

/** dev() of a function in f.js, until the test ends, with the events that it told. */
async function serving(t, text, options = {}) {
    const folder = project({ "f.js": text });
    const events = [];
    const onEvent = event => events.push(event);
    const where = { cwd: folder, entry: "f.js", listen: "127.0.0.1:0" };
    const server = await dev({ ...where, ...options, onEvent });
    t.after(() => server.close());
    const ask = async () => (await fetch(server.url)).text();
    return { folder, server, events, ask, save: content => write(folder, { "f.js": content }) };
}

const answering = text => `export default { fetch: () => new Response("${text}") };`;
const named = (events, name) => events.filter(({ event }) => event === name);

const source = text => `export default { fetch(request: Request, env: any) {
    console.log("asked");
    if (request.url.endsWith("/wrong")) throw new Error("thrown <here>", { cause: RangeError("why") });
    return new Response(\`${text} \${env.TOP} \${env.FILE} \${env.SECRET}\`);
} };\n`;

test("a change is answered; errors are told with their code, in the terminal and in the browser", async t => {
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
    const { ask, askUntil, until, child, ended, output } = await developing(t, folder);
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
    await until(/^Caused by: RangeError: why$/m);

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

test("several functions answer at their names; assets are served; bodies stream", async t => {
    const folder = project({
        "wrangler.json": { assets: { directory: "public" } },
        "snapcell.config.json": { functions: { one: "one.js", two: "two.js" } },
        "one.js": `export default { fetch: async request => new Response("one " + (await request.text()).length) };`,
        "two.js": `export default { fetch: () => new Response("two") };`,
        "public/a.txt": "asset",
    });
    const { url, child, ended } = await developing(t, folder, "--json");
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

test("a function that is new in a folder answers, and their addresses are told", async t => {
    const folder = project({ "fns/one.js": answering("one"), "fns/two.js": answering("two") });
    const { url, until } = await developing(t, folder, "fns");
    const { port } = new URL(url);
    const askOf = name =>
        new Promise((done, failed) =>
            get(`${url}/`, { headers: { host: `${name}.localhost:${port}` } }, response =>
                response.setEncoding("utf8").once("data", done)
            ).on("error", failed)
        );
    const { end } = await until(new RegExp(`http://two\\.localhost:${port}`));
    assert.equal(await askOf("two"), "two");
    write(folder, { "fns/three.js": answering("three") });
    await until(new RegExp(`http://three\\.localhost:${port}`), end);
    assert.equal(await askOf("three"), "three");
    rmSync(join(folder, "fns/two.js"));
    await until(/built one, three in/, end);
});

test("one function answers everywhere, two at their names, and none may become one again", async t => {
    const folder = project({ "fns/one.js": answering("one") });
    const { ask, askUntil, until } = await developing(t, folder, "fns");
    assert.equal((await ask("/")).text, "one");
    write(folder, { "fns/two.js": answering("two") });
    await until(/built one, two in/);
    assert.equal((await ask("/")).status, 404);
    rmSync(join(folder, "fns/two.js"));
    await askUntil("/", /^one$/);
    rmSync(join(folder, "fns/one.js"));
    await askUntil("/", /no function|nothing|is not there|empty/i);
    write(folder, { "fns/again.js": answering("again") });
    await askUntil("/", /^again$/);
});

test("what it listens on is told once it is known what is built", () => {
    const folder = project({});
    const { status, stdout } = snapcell(folder, ["dev", "--listen", "127.0.0.1:0"]);
    assert.equal(status, 3);
    assert.doesNotMatch(stdout, /listening/);
});

test("the JavaScript API tells what happens", async t => {
    const { server, events, ask } = await serving(t, answering("api"));
    assert.equal(await ask(), "api");
    await server.close();
    assert.deepEqual(
        events.map(({ event }) => event),
        ["listening", "built", "request"]
    );
});

test("a change is answered before its snapshot is there, and what keeps it from being one is told then", async t => {
    const { server, events, ask, save } = await serving(t, answering("one"));
    const change = async (text, last) => {
        events.length = 0;
        save(text);
        while (named(events, last).length === 0) await pause(10);
        return events.filter(({ event }) => event !== "request");
    };
    // A change may be noticed in two steps, and then be answered, or built, twice.
    const names = told =>
        told
            .map(({ event }) => event)
            .filter((name, i, all) => name !== all[i - 1])
            .slice(-2);
    const built = await change(answering("two"), "built");
    assert.deepEqual(names(built), ["answering", "built"]);
    assert.equal(built.at(-1).functions[0].kind, "snapshot");
    assert.equal(await ask(), "two");

    // It answers at each load, and yet is no function for production.
    const failed = await change(`globalThis.id = crypto.randomUUID(); ${answering("$")}`, "failed");
    assert.deepEqual(names(failed), ["answering", "failed"]);
    assert.match(failed.at(-1).functions[0].error.message, /crypto\.randomUUID/);
    assert.equal((await fetch(server.url)).status, 500);
});

test("the bundler's process, and it alone, collects garbage less often", () => {
    const folder = project({ "f.js": answering("one") });
    const script = `import { dev } from ${JSON.stringify(join(kit, "src/index.js"))};
        import { readFileSync } from "node:fs";
        const server = await dev({ entry: "f.js", listen: "127.0.0.1:0" });
        const children = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8").trim().split(" ");
        const of = (pid, file) => readFileSync("/proc/" + pid + "/" + file, "utf8").split("\\0");
        const told = children.map(pid => [of(pid, "cmdline")[0], of(pid, "environ").includes("GOGC=300")]);
        console.log(JSON.stringify({ own: process.env.GOGC ?? null, told }));
        await server.close();`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, GOGC: undefined },
    });
    const { own, told } = JSON.parse(stdout || "{}");
    assert.equal(own, null, stderr);
    const [esbuilds, others] = [true, false].map(isEsbuild =>
        told.filter(([command]) => command.endsWith("/esbuild") === isEsbuild)
    );
    assert.deepEqual(
        esbuilds.map(([, isSet]) => isSet),
        [true]
    );
    assert.ok(others.length > 0 && others.every(([, isSet]) => !isSet), stdout);
});

test("saving again and again ends with what was saved last", async t => {
    const { events, ask, save } = await serving(t, answering("first"));
    const asked = [];
    for (let i = 0; i < 12; i++) {
        save(answering(`text ${i}`));
        asked.push(ask());
        await pause(30 * (i % 4));
    }
    for (const text of await Promise.all(asked)) assert.match(text, /^(first|text \d+)$/);
    while ((await ask()) !== "text 11");
    assert.deepEqual(named(events, "failed"), []);
});

test("a file that was read half written is neither told as a failure nor answered", async t => {
    let loads = 0;
    let asked;
    const halfWritten = {
        name: "half written",
        setup(build) {
            build.onLoad({ filter: /f\.js$/ }, () => {
                if (++loads !== 2) return undefined;
                asked = ask();
                save(answering("three"));
                return { contents: "" };
            });
        },
    };
    const esbuild = { plugins: [halfWritten] };
    const { events, ask, save } = await serving(t, answering("one"), { esbuild });
    save(answering("to be replaced"));
    while ((await ask()) !== "three") await pause(10);
    assert.equal(await asked, "three");
    assert.deepEqual(named(events, "failed"), []);
});

test("bundles are put by a process that waits, or by a new one", async t => {
    const folder = project({});
    const settings = { name: "f", store: join(folder, "snapcell-store"), cwd: folder };
    const compiler = new UnevaluatedCompiler(native);
    t.after(() => compiler.close());
    const put = async text => {
        await compiler.put({ code: answering(text) }, settings, "fetch");
        assert.equal(answer(folder, "f", "/"), text);
    };
    await put("nobody waited");
    compiler.prepare(settings, "fetch");
    compiler.prepare(settings, "fetch");
    await put("one waited");
    await put("it is used up");
    compiler.prepare({ ...settings, name: "g" }, "fetch");
    compiler.prepare({ ...settings, name: "h" }, "fetch");
    compiler.prepare(settings, "fetch");
    await put("others waited as well");
    const misnamed = { ...settings, name: "no/name" };
    await assert.rejects(
        compiler.put({ code: answering("") }, misnamed, "fetch"),
        /a function's name is/
    );
});

test("a build waits while a file is empty that was not", async () => {
    const folder = project({ "f.js": "text" });
    const file = join(folder, "f.js");
    const sources = new Sources();
    sources.use([file, join(folder, "absent")]);
    await sources.begin();
    assert.equal(sources.areAsBuilt(), true);
    write(folder, { "f.js": "" });
    assert.equal(sources.areAsBuilt(), false);
    const begun = sources.begin().then(() => read(folder, "f.js"));
    await new Promise(setImmediate);
    write(folder, { "f.js": "text again" });
    assert.equal(await begun, "text again");
    assert.equal(sources.areAsBuilt(), true);

    // One that stays empty is what its author wants.
    write(folder, { "f.js": "" });
    await sources.begin();
    assert.equal(sources.areAsBuilt(), true);
});

test("what changed while a first build went on is seen", async () => {
    const folder = project({ "old.js": "text", "f.js": "text" });
    const files = ["old.js", "f.js"].map(name => join(folder, name));
    const sources = new Sources();
    await sources.begin(); // what is bundled is not known yet
    await pause(30); // the clock of files is coarse
    write(folder, { "f.js": "another" });
    sources.use(files);
    assert.equal(sources.areAsBuilt(), false);
    await sources.begin();
    assert.equal(sources.areAsBuilt(), true);
    sources.use([files[0]]);
    assert.equal(sources.areAsBuilt(), true);
});

test("a server that takes no versions, or ends, keeps nobody waiting", async t => {
    const says = (event, then) =>
        `#!/bin/sh\necho "listening on here"\nread -r line\necho '{"event":"${event}","function":"f"}' >&2\n${then}\n`;
    const early = { prelude: "", encoding: "latin1", text: "text", map: "{}" };
    for (const [event, then, expected] of [
        ["version_served", "exec sleep 100", [true]],
        ["version_declined", "exec sleep 100", [false]],
        ["versions_lost", "exec sleep 100", [false, false]],
        ["another", "exit 1", [false, false]],
    ]) {
        const folder = project({ program: says(event, then) });
        chmodSync(join(folder, "program"), 0o755);
        const server = new ServeProcess({
            program: join(folder, "program"),
            store: folder,
            event: () => {},
            ended: () => {},
        });
        t.after(() => server.stop());
        assert.equal(await server.serveEarly({}, "f", early), false); // it does not run yet
        await server.update({});
        assert.equal(await server.serveEarly({ functions: {} }, "f", early), false); // other settings
        for (const isServed of expected)
            assert.equal(await server.serveEarly({}, "f", early), isServed, event);
    }
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
