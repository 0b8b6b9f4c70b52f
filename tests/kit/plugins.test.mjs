// The plug-ins for esbuild and for Vite, and the JavaScript API.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { answer, built, installed, kit, native, project, read, write } from "./helper.mjs";

const require = createRequire(join(installed, "package.json"));
const { build: esbuild } = require("esbuild");
const api = await import(join(kit, "src/index.js"));
const { snapcell: esbuildPlugin } = await import(join(kit, "src/esbuild.js"));
const { snapcell: vitePlugin } = await import(join(kit, "src/vite.js"));

test("the API builds and checks as the program does", async () => {
    const folder = project({
        "f.ts": `export default { fetch: (): Response => new Response("api") };`,
    });
    const { functions } = await api.build({ cwd: folder, entry: "f.ts", store: "s", warm: ["/"] });
    assert.equal(functions[0].kind, "snapshot");
    assert.equal(answer(folder, "f", "--store", "s"), "api");
    assert.equal(functions[0].key, built(folder, "f.ts", "--warm", "/").key);
    const checked = await api.check({ cwd: folder, entry: "f.ts" });
    assert.equal(checked.functions[0].modules[0].path, "f.ts");
    await assert.rejects(api.build({ cwd: folder, entry: "absent" }), error => {
        assert.ok(error instanceof api.Failure);
        assert.equal(error.status, api.statuses.files);
        return true;
    });
    const failed = await api.build({ cwd: project({ "f.js": "export default {" }), entry: "f.js" });
    assert.deepEqual([failed.functions[0].error.file, failed.functions[0].error.line], ["f.js", 1]);
    assert.equal(api.findNative(), native);
});

test("the types name the settings of a configuration", async () => {
    const { settingNames } = await import(join(kit, "src/configuration.js"));
    const text = readFileSync(join(kit, "src/index.d.ts"), "utf8");
    const names = ["BundleOptions", "CompileOptions", "FunctionConfiguration", "Configuration"];
    const members = names.flatMap(name => {
        const [, body] = new RegExp(`^export interface ${name}\\b[^{]*{\n([^]*?)^}`, "m").exec(
            text
        );
        return [...body.matchAll(/^ {4}(\w+)\?:/gm)].map(([, member]) => member);
    });
    assert.deepEqual(members.sort(), [...settingNames].sort());
});

test("the esbuild plug-in compiles what a build makes", async () => {
    const folder = project({
        "src/f.ts": `import { join } from "node:path"; export default { fetch: () => new Response(join("a", "b")) };`,
        "src/bad.ts": `null!.x;\nexport default { fetch() {} };`,
        "src/nope.ts": `import { nope } from "node:path"; export default () => nope;`,
    });
    const results = [];
    const options = {
        absWorkingDir: folder,
        sourcemap: true,
        outfile: "out/f.js",
        logLevel: "silent",
    };
    const plugin = esbuildPlugin({
        store: join(folder, "s"),
        warm: ["/"],
        onBuilt: result => results.push(result),
    });
    await esbuild({ ...options, entryPoints: ["src/f.ts"], plugins: [plugin] });
    assert.deepEqual(
        [results[0].name, results[0].kind, results[0].entry],
        ["f", "snapshot", "src/f.ts"]
    );
    assert.equal(answer(folder, "f", "--store", "s"), "a/b");
    assert.match(read(folder, "out/f.js"), /sourceMappingURL/);
    const failing = entry =>
        esbuild({ ...options, write: false, entryPoints: [entry], plugins: [plugin] }).catch(
            error => error.errors
        );
    const [thrown] = await failing("src/bad.ts");
    assert.match(thrown.text, /TypeError/);
    assert.deepEqual([thrown.location.file, thrown.location.line], ["src/bad.ts", 1]);
    assert.match((await failing("src/nope.ts"))[0].text, /"nope" of node:path is not there/);
});

test("the esbuild plug-in shows what esbuild does not", () => {
    const script =
        level => `import { build } from "esbuild"; import { snapcell } from "snapcell/esbuild";
        await build({ entryPoints: ["f.js"], outfile: "out.js", sourcemap: true, logLevel: "${level}", plugins: [snapcell({ store: "s" })] })
            .catch(() => {});`;
    const folder = project({
        "f.js": "let x;\nx.y;",
        "a.mjs": script("error"),
        "b.mjs": script("silent"),
    });
    const run = file =>
        spawnSync(process.execPath, [file], { cwd: folder, encoding: "utf8" }).stderr;
    assert.match(run("a.mjs"), /ERROR.*TypeError: [^]* f\.js:2:2:\n[^]*2 │ x\.y;/);
    assert.equal(run("b.mjs"), "");
});

const [major, minor] = process.versions.node.split(".").map(Number);
const vite = { skip: (major < 20 || (major === 20 && minor < 19)) && "Vite 8 needs Node 20.19" };

const app = {
    "src/index.ts": `import { word } from "virtual:word"; import { join } from "node:path";
        export default { async fetch(request: Request) {
            console.log("seen", new URL(request.url).pathname);
            if (request.url.endsWith("/wrong")) throw new Error("thrown");
            return new Response([word, join("a", "b"), request.method, await request.text()].join());
        } };`,
};
const virtual = text => ({
    name: "word",
    resolveId: id => (id === "virtual:word" ? "\0word" : undefined),
    load: id => (id === "\0word" ? `export const word = ${JSON.stringify(text)};` : undefined),
});

// What a user's vite.config.mjs has; the plug-in's bundler reads that file again.
const config = `import { snapcell } from "snapcell/vite";
    export default { plugins: [(${virtual})("plugged"), snapcell({ store: "s", name: "app" })] };`;

test("the Vite plug-in: a build ends in the store", vite, async () => {
    const { build } = await import(require.resolve("vite"));
    const folder = project({ ...app, "vite.config.mjs": config, "index.html": "<p>page</p>" });
    await build({ root: folder, logLevel: "silent" });
    assert.equal(
        answer(folder, "app", "--store", "s", "-X", "POST", "-d", "x"),
        "plugged,a/b,POST,x"
    );
});

test("the Vite plug-in: a project without a page is built, too", vite, async () => {
    const { createBuilder } = await import(require.resolve("vite"));
    const folder = project({ ...app, "vite.config.mjs": config });
    const builder = await createBuilder({ root: folder, logLevel: "silent" }, null); // as `vite build`
    await builder.buildApp();
    assert.equal(answer(folder, "app", "--store", "s"), "plugged,a/b,GET,");
    assert.equal(existsSync(join(folder, "dist")), false);
});

test("the Vite plug-in: an environment that answers requests", vite, async () => {
    const { createServer, isFetchableDevEnvironment } = await import(require.resolve("vite"));
    const folder = project({ ...app, "vite.config.mjs": config });
    const told = [];
    const add = text => told.push(text);
    const logger = { hasWarned: false, info: add, warn: add, warnOnce: add, error: add };
    const server = await createServer({
        root: folder,
        customLogger: { ...logger, clearScreen() {}, hasErrorLogged: () => false },
        server: { port: 0, host: "127.0.0.1" },
    });
    try {
        await server.listen();
        const environment = server.environments.snapcell;
        assert.ok(isFetchableDevEnvironment(environment));
        const direct = await environment.dispatchFetch(new Request("http://localhost/"));
        assert.equal(await direct.text(), "plugged,a/b,GET,");
        const url = `http://127.0.0.1:${server.httpServer.address().port}`;
        const posted = await fetch(url, { method: "POST", body: "hi" });
        assert.equal(await posted.text(), "plugged,a/b,POST,hi");
        const wrong = await fetch(`${url}/wrong`);
        assert.equal(wrong.status, 500);
        assert.match(await wrong.text(), /Error: thrown \(src\/index\.ts:4:\d+\)/);
        const tells = async pattern => {
            while (!pattern.test(told.join("\n"))) await pause(10); // the server's log is its own stream
        };
        await tells(/^app: seen \/$/m);
        await tells(/^snapcell: app: Error: thrown \(src\/index\.ts:4:\d+\)\n[^]*^> 4 \| /m);
        write(folder, { "src/index.ts": `export default { fetch( };` });
        while (!/index\.ts:1:/.test(await (await fetch(url)).text()));
        await tells(/^snapcell: app: [^]*src\/index\.ts:1:\d+/m);
        // What a build writes does not ask for another one.
        await pause(500);
        await fetch(url);
        const failures = told.length;
        await pause(500);
        await fetch(url);
        assert.equal(told.length, failures);
        write(folder, {
            "src/index.ts": `export default { fetch: () => new Response("changed") };`,
        });
        while ((await (await fetch(url)).text()) !== "changed");
    } finally {
        await server.close();
    }
});
