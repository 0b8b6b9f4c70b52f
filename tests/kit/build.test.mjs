// snapcell build: bundles, compiles, and does nothing where nothing changed.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
    answer,
    built,
    hello,
    kit,
    native,
    project,
    read,
    snapcell,
    started,
    write,
} from "./helper.mjs";

test("a TypeScript project with JSX becomes a snapshot", () => {
    const folder = project({
        "package.json": { name: "@scope/page", type: "module" },
        "tsconfig.json": { compilerOptions: { jsx: "react-jsx", jsxImportSource: "hono/jsx" } },
        "src/index.tsx": `
            import { Hono } from "hono";
            import { shout } from "./shout.ts";
            const app = new Hono();
            app.get("/:name", c => c.html(<p>{shout(c.req.param("name") satisfies string)}</p>));
            export default app;`,
        "src/shout.ts": `export const shout = (text: string): string => text.toUpperCase();`,
    });
    const result = built(folder);
    assert.equal(result.name, "page");
    assert.equal(result.kind, "snapshot");
    assert.equal(result.entry, "src/index.tsx");
    assert.equal(result.unchanged, false);
    assert.equal(answer(folder, "page", "/ann"), "<p>ANN</p>");
});

test("unchanged input is not built again, and any change is noticed", () => {
    const folder = project({
        "index.js": `import { text } from "./text.js"; import { other } from "./other";
            export default { fetch: () => new Response(text + other) };`,
        "text.js": `export const text = "one";`,
        "other.js": `export const other = "";`,
    });
    const name = folder.split("/").at(-1);
    const first = built(folder);
    const bundle = read(folder, first.bundle);
    write(folder, { [first.bundle]: "not looked at" });
    const second = built(folder);
    assert.equal(second.unchanged, true);
    assert.equal(second.key, first.key);
    assert.equal(read(folder, first.bundle), "not looked at");

    write(folder, { "text.js": `export const text = "two";` });
    assert.equal(built(folder).unchanged, false);
    assert.equal(answer(folder, name), "two");
    write(folder, { "other.ts": `export const other: string = "!";` }); // found before other.js
    assert.equal(built(folder).unchanged, false);
    assert.equal(answer(folder, name), "two!");
    assert.equal(built(folder, "--minify").unchanged, false, "an option counts");
    assert.equal(built(folder, "--minify").unchanged, true);
    assert.equal(built(folder, "--minify", "--force").unchanged, false);
    rmSync(join(folder, "snapcell-store"), { recursive: true });
    assert.equal(built(folder, "--minify").unchanged, false, "the store counts");
    assert.match(bundle, /sourceMappingURL/);
});

test("the same source gives the same key in another folder", () => {
    const files = {
        "index.ts": `import { Buffer } from "node:buffer"; export default {
        fetch: () => new Response(Buffer.from("aGk", "base64").toString()) };`,
    };
    const folders = [project(files), project(files)];
    const keys = folders.map(folder => built(folder, "--name", "same").key);
    assert.equal(keys[0], keys[1]);
    assert.equal(answer(folders[0], "same"), "hi");
});

test("errors are one line with their place, and the code", () => {
    const cases = [
        ["export default { fetch() { return 1 +; } }", /Expected|Unexpected/, "index.ts", 1],
        [`import "./nothing";`, /Could not resolve "\.\/nothing"/, "index.ts", 1],
        [
            `\nimport { nope } from "node:fs"; export default () => nope;`,
            /"nope" of node:fs is not there/,
            "index.ts",
            2,
        ],
        [`import "node:nonesuch"; export default {};`, /"node:nonesuch"/, "index.ts", 1],
        [
            `interface A { b: 1 }\n\nnull!.x;\nexport default { fetch() {} };`,
            /TypeError: /,
            "index.ts",
            3,
        ],
        [`import "./a.odd"; export default {};`, /\.odd.*--loader \.odd=text/, "index.ts", 1],
        [`self.id = crypto.randomUUID(); export default { fetch() {} };`, /random/, "index.ts", 1],
    ];
    for (const [source, message, file, line] of cases) {
        const folder = project({ "index.ts": source, "a.odd": "" });
        const { status, stderr, lines } = snapcell(folder, ["build", "--json"]);
        assert.equal(status, 1, source);
        const [{ error }] = lines();
        assert.match(error.message, message);
        assert.equal(error.file, file);
        assert.equal(error.line, line);
        assert.equal(typeof error.code, "string");
        assert.match(stderr.split("\n")[0], /^snapcell: .*index\.ts/);
        assert.match(stderr, new RegExp(`^> ${line} \\| `, "m"));
    }
});

test("a place is that of the source, also where the bundle has the same name", () => {
    const folder = project({ "f.js": `\n\nconst x = undefined;\nx.y;\n${hello}` });
    const { stderr, lines } = snapcell(folder, ["build", "f.js", "--json"]);
    const [{ error }] = lines();
    assert.deepEqual([error.file, error.line], ["f.js", 4]);
    assert.match(stderr, /^> 4 \| x\.y;$/m);
});

test("names that a stand-in of Node's module lacks are told once, with who uses them", () => {
    const folder = project({
        "index.js": `import "./a.js"; import { nope } from "fs"; export default () => nope;`,
        "a.js": `import { nope } from "node:fs"; console.log(nope);`,
    });
    const { stderr } = snapcell(folder, ["build"]);
    assert.equal(stderr.match(/"nope" of node:fs/g)?.length, 1, stderr);
    assert.match(stderr, /1 more place/);
});

test("what only other platforms have is told: modules, and globals that code makes", () => {
    const other = `export const connect = async () => (await import("cloudflare:sockets")).connect();
        export const open = () => new XMLHttpRequest(); export const query = () => require("bun:sqlite");`;
    const folder = project({
        "f.ts": `import { connect } from "other";
            class EventSource {}
            const pair = () => (typeof WebSocketPair === "function" ? new WebSocketPair() : undefined);
            const rewrite = (page: Response) => new HTMLRewriter().transform(page);
            export default { async fetch() { return new Response(await connect().catch(({ code }) => code) +
                typeof pair() + typeof rewrite + typeof new EventSource()); } };`,
        "g.js": `import { connect } from "cloudflare:sockets"; export default { fetch: connect };`,
        "node_modules/other/package.json": { name: "other", type: "module", main: "index.js" },
        "node_modules/other/index.js": other,
    });
    const { status, stderr } = snapcell(folder, ["build", "f.ts"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stderr.trim().split("\n"), [
        'snapcell: f: warning: "HTMLRewriter" is not there (f.ts:4)',
        'snapcell: f: warning: "XMLHttpRequest" is not there, used by other (node_modules/other/index.js:2)',
    ]);
    assert.equal(answer(folder, "f"), "MODULE_NOT_FOUNDundefinedfunctionobject");
    const wrong = snapcell(folder, ["build", "g.js"]);
    assert.equal(wrong.status, 1);
    assert.match(
        wrong.stderr,
        /"cloudflare:sockets" is a module of Workers that functions do not have \(g\.js:1:\d+\)/
    );
});

test("Node's globals are there where a function needs them, and only there", () => {
    const folder = project({
        "plain.js": hello,
        "node.ts": `export default { fetch: () => new Response(Buffer.from("x").toString("hex")) };`,
        "guard.js": `export default { fetch: () => new Response(typeof Deno + typeof Bun) };`,
    });
    const results = snapcell(folder, ["build", "--json"]).lines();
    assert.deepEqual(
        results.map(({ name }) => name),
        ["guard", "node", "plain"]
    );
    assert.equal(answer(folder, "node"), "78");
    assert.equal(answer(folder, "guard"), "undefinedundefined");
    assert.doesNotMatch(read(folder, ".snapcell/plain.js"), /Buffer/);
});

test("options reach the bundler and the compiler", () => {
    const folder = project({
        "index.js": `import value from "library"; import text from "./note.md";
            let calls = 0; export default { fetch: () => new Response([VERSION, value, text, ++calls].join()) };`,
        "mine.js": `export default "mine";`,
        "note.md": "note",
    });
    const options = [
        "--define",
        `VERSION="1.2"`,
        "--alias",
        "library=./mine.js",
        "--loader",
        ".md=text",
    ];
    const result = built(
        folder,
        ...options,
        "--name",
        "opt",
        "--warm",
        "/",
        "--metafile",
        "meta.json",
        "--minify"
    );
    assert.equal(answer(folder, "opt"), "1.2,mine,note,2");
    assert.ok("index.js" in JSON.parse(read(folder, "meta.json")).inputs);
    assert.ok(result.source_bytes < 400);
});

test("an artifact is signed, and another trust refuses it", () => {
    const folder = project({ "f.js": hello });
    assert.equal(snapcell(folder, ["keygen", "key"]).status, 0);
    assert.equal(snapcell(folder, ["keygen", "other"]).status, 0);
    built(folder, "f.js", "--sign", "key");
    assert.equal(answer(folder, "f", "/x", "--trust", "key.pub"), "hello /x");
    assert.equal(snapcell(folder, ["run", "f", "--trust", "other.pub"]).status, 4);
});

test("a project's configuration, its esbuild plugins and its own bundler", () => {
    const folder = project({
        "snapcell.config.mjs": `export default {
            functions: { one: "a.js", two: { entry: "b.js", warm: [{ url: "/w", method: "POST", body: "x" }] } },
            esbuild: { plugins: [{ name: "p", setup(build) {
                build.onResolve({ filter: /^virtual$/ }, () => ({ path: "v", namespace: "v" }));
                build.onLoad({ filter: /.*/, namespace: "v" }, () => ({ contents: "export default 'plugged'" }));
            } }] } };`,
        "a.js": `import text from "virtual"; export default { fetch: () => new Response(text) };`,
        "b.js": `let seen = []; export default { async fetch(r) { seen.push(r.method + await r.text());
            return new Response(seen.join()); } };`,
        "bundler.mjs": `export default { name: "mine", async bundle({ name }) {
            return { code: "export default { fetch: () => new Response('" + name + " by hand') };",
                inputs: ["a.js"], warnings: [] }; } };`,
    });
    const results = snapcell(folder, ["build", "--json"]).lines();
    assert.deepEqual(
        results.map(({ name }) => name),
        ["one", "two"]
    );
    assert.equal(answer(folder, "one"), "plugged");
    assert.equal(answer(folder, "two"), "POSTx,GET");
    built(folder, "a.js", "--bundler", "./bundler.mjs");
    assert.equal(answer(folder, "a"), "a by hand");
});

test("a bundler is found where the project is, and told by its name when it fails", () => {
    const folder = project({
        "f.js": hello,
        "node_modules/by-hand/package.json": {
            name: "by-hand",
            exports: { import: "./bundler.js" },
            type: "module",
        },
        "node_modules/by-hand/bundler.js": `export default { name: "by-hand", bundle: () => ({ warnings: [],
            code: "export default { fetch: () => new Response('by hand') };", inputs: ["f.js"] }) };`,
        "rolls.mjs": `export default { bundle() { throw Object.assign(new Error("Build failed"), { errors: [{ message:
            "\\u001b[31m[PARSE_ERROR] \\u001b[0mExpected\\n   ╭─[ f.js:1:8 ]", loc: { line: 1, column: 7 } }] }); } };`,
        "fails.mjs": `export default { name: "clumsy", bundle() { throw new RangeError("too much"); } };`,
    });
    built(folder, "--bundler", "by-hand", "f.js");
    assert.equal(answer(folder, "f"), "by hand");
    const rolled = snapcell(folder, ["build", "f.js", "--bundler", "./rolls.mjs"]);
    assert.match(rolled.stderr, /^snapcell: f: Expected \(f\.js:1:8\)\n> 1 \| /);
    const { status, stdout, stderr } = snapcell(folder, [
        "build",
        "f.js",
        "--json",
        "--bundler",
        "./fails.mjs",
    ]);
    assert.equal(status, 1);
    assert.equal(stderr, "snapcell: f: the bundler clumsy failed: too much\n");
    const { error } = JSON.parse(stdout);
    assert.match(error.stack, /RangeError: too much\n.*fails\.mjs:1:/);
});

test("paths of a command are of the folder that it was given in", () => {
    const folder = project({
        "src/f.js": hello,
        "src/public/page.html": "<p>page</p>",
        "src/note.txt": "",
        "src/bundler.mjs": `export default { bundle: () => ({ warnings: [], inputs: ["src/f.js"],
            code: "export default { fetch: () => new Response('by hand') };" }) };`,
        "src/other.json": { functions: { called: "src/f.js" } },
    });
    const src = join(folder, "src");
    built(src, "f.js", "--assets", "public", "--files", "/note=note.txt");
    assert.equal(answer(src, "f", "/page"), "<p>page</p>");
    built(src, "f.js", "--bundler", "./bundler.mjs");
    assert.equal(answer(src, "f"), "by hand");
    built(folder, ".", "--config", "src/other.json");
    assert.equal(answer(folder, "called", "/x"), "hello /x");
});

test("what the program says is about the function's source", () => {
    const folder = project({
        "none.ts": "export const x = 1;",
        "kept.ts": "export const memory = new WebAssembly.Memory({ initial: 1 });\n" + hello,
        "slow.ts": "for (;;);",
        "empty.ts": "",
    });
    for (const [parameters, status, message] of [
        [["none.ts"], 1, /^snapcell: none: none\.ts: no handler: /],
        [["empty.ts"], 1, /^snapcell: empty: empty\.ts: no handler: /],
        [["kept.ts", "--strict"], 1, /^snapcell: kept: kept\.ts cannot become a snapshot/],
        [["slow.ts", "--wall-ms", "100"], 5, /^snapcell: slow: slow\.ts: .* in 100 ms/],
    ]) {
        const ended = snapcell(folder, ["build", ...parameters]);
        assert.equal(ended.status, status, ended.stderr);
        assert.match(ended.stderr, message);
        assert.doesNotMatch(ended.stderr, /\.snapcell/);
    }
});

test("of a long line, the part is shown that the error is in", () => {
    const long = "x".repeat(5000);
    const source = `export default { fetch() { return "${long}" +; } }; // ${long}`;
    const { stderr } = snapcell(project({ "f.js": `// ${long}\n${source}\n` }), ["build"]);
    const [, before, line, mark] = stderr.split("\n");
    assert.match(before, /^ {2}1 \| …x{20,}$/);
    assert.match(line, /^> 2 \| …x+" \+; \} \}; \/\/ x+…$/);
    assert.equal(line[mark.indexOf("^")], ";");
    assert.ok(line.length < 140, line);
});

test("a source without exports is a module, too", () => {
    const answers = `addEventListener("fetch", e => e.respondWith(new Response(String((function () { return this; })()))));`;
    const folder = project({ "f.js": answers, "g.js": `absent = 1; ${answers}` });
    built(folder, "f.js");
    assert.equal(answer(folder, "f"), "undefined");
    const { status, stderr } = snapcell(folder, ["build", "g.js"]);
    assert.equal(status, 1);
    assert.match(stderr, /absent is not defined/);
    built(folder, "f.js", "--no-bundle");
    assert.equal(answer(folder, "f"), "[object Object]");
});

test("what a function writes while it is compiled is shown, above all when that fails", () => {
    const folder = project({
        "f.js": `console.log("at the top"); export default { async fetch() {
            console.warn("two\\nlines");
            return new Promise(() => setTimeout(() => Promise.reject(new TypeError("the cause")))); } };`,
    });
    const good = snapcell(folder, ["build", "--json"]);
    assert.equal(good.stderr, "f: at the top\n");
    assert.deepEqual(good.lines()[0].console, ["f: at the top"]);
    const failed = snapcell(folder, ["build", "--json", "--warm", "/"]);
    assert.equal(failed.status, 1);
    assert.match(
        failed.stderr,
        /^f: at the top\nf: two\nlines\nf: Uncaught \(in promise\) TypeError: the cause\n[^]*\nsnapcell: f: warm-up \//
    );
    assert.equal(failed.lines()[0].error.console[1], "f: two");
});

test("a metafile is written, also when nothing else is to be done", () => {
    const folder = project({ "f.js": hello });
    built(folder);
    assert.equal(built(folder).unchanged, true);
    built(folder, "--metafile", "meta.json");
    assert.ok(JSON.parse(read(folder, "meta.json")).inputs);
    assert.equal(built(folder, "--metafile", "meta.json").unchanged, true);
    write(folder, { "meta.json": "{}" });
    built(folder, "--metafile", "meta.json");
    assert.ok(JSON.parse(read(folder, "meta.json")).inputs);
    built(folder, "--metafile", "other.json");
    assert.ok(existsSync(join(folder, "other.json")));
    assert.equal(built(folder).unchanged, true);
});

test("createRequire() finds what a file requires by name, which is bundled", () => {
    const files = {
        "src/f.mjs": `import module, { createRequire as make } from "node:module"; import { version } from "told";
            const load = make(import.meta.url);
            const caught = name => { try { return load(name); } catch ({ code }) { return code; } };
            export default { fetch: () => Response.json([load("../data.json"), load('./common.cjs')(), version,
                module.createRequire(import.meta.url)("./common.cjs")(), load("node:path").sep,
                make(import.meta.url)(\`hono\`).Hono.name.slice(0, 4), caught("./a" + "b"), load.resolve("fs")]) };`,
        "src/common.cjs": `module.exports = () => "common";`,
        "src/unused.json": "[]",
        "data.json": { a: 1 },
        "node_modules/told/package.json": {
            name: "told",
            version: "1.2.3",
            exports: "./index.mjs",
        },
        "node_modules/told/index.mjs": `import { createRequire } from "module"; const require = createRequire(import.meta.url);
            export const { version } = require("./package.json");`,
    };
    const folders = [project(files), project({ ...files, "src/other.js": hello })];
    const results = folders.map(folder => built(folder, "src/f.mjs"));
    assert.deepEqual(results[0].notices, []);
    assert.equal(results[0].key, results[1].key);
    assert.deepEqual(JSON.parse(answer(folders[0], "f")), [
        { a: 1 },
        "common",
        "1.2.3",
        "common",
        "/",
        "Hono",
        "MODULE_NOT_FOUND",
        "fs",
    ]);
    write(folders[0], { "data.json": { a: 2 } });
    assert.equal(built(folders[0], "src/f.mjs").unchanged, false);
    rmSync(join(folders[0], "src/common.cjs"));
    const { status, stderr } = snapcell(folders[0], ["build", "src/f.mjs"]);
    assert.equal(status, 0);
    assert.match(
        stderr,
        /warning: "\.\/common\.cjs", which is required, is not there \(src\/f\.mjs:1/
    );
});

test("a bundle is taken as it is", () => {
    const folder = project({ "out.js": `export default { fetch: () => new Response("as is") };` });
    built(folder, "out.js", "--no-bundle");
    assert.equal(answer(folder, "out"), "as is");
});

test("wrong usage and missing files are one line each, with their status", () => {
    const folder = project({
        "f.js": hello,
        "snapcell.config.json": "{",
        "note.md": "",
        "empty/x.md": "",
    });
    const cases = [
        [["build", "--nope"], 2, /--nope/],
        [["build", "a", "b"], 2, /one argument/],
        [["build", "absent.ts"], 3, /absent\.ts is not there/],
        [["build", "note.md"], 2, /no source file/],
        [["build", "empty"], 3, /no function was found/],
        [["build", "f.js"], 2, /snapcell\.config\.json:1:\d+: not JSON/],
        [["build", "f.js", "--define", "x"], 2, /--define takes NAME=VALUE/],
        [["build", "f.js", "--native", "f.js"], 3, /not the native program/],
        [["build", "f.js", "--name", "../f"], 2, /neither "\/" nor control characters: "\.\.\/f"/],
        [["build", "f.js", "--name", ""], 2, /1 to 200 bytes/],
        [["build", "f.js", "--store", "note.md"], 3, /note\.md is not a store/],
        [["build", "f.js", "--metafile", "no/where.json"], 3, /no\/where\.json/],
        [["build", "f.js", "--config", "none.json"], 3, /none\.json is not there/],
        [["build", "f.js", "--loader", ".foo=bar"], 2, /Invalid loader value: "bar"/],
        [["build", "f.js", "--files", "note=note.md"], 2, /"note".* must start with a slash/],
        [["build", "f.js", "--files", "/note=absent.md"], 3, /absent\.md, to be embedded/],
        [["build", "f.js", "--empty", "nonesuch"], 2, /nonesuch.* is not a module of Node/],
        [["build", "f.js", "--bundler", "nonesuch"], 2, /no package nonesuch/],
        [["build", "f.js", "--wall-ms", "x"], 2, /--wall-ms must be a whole number/],
        [["init", "--js", "--bogus"], 2, /--bogus/],
        [["init", "note.md"], 3, /note\.md/],
        [["init", "/proc/snapcell"], 3, /mkdir '\/proc\/snapcell'/],
        [["nonsense"], 2, /nonsense/],
    ];
    for (const [parameters, status, message] of cases) {
        if (message.source.startsWith("snapcell") === false && parameters[1] === "f.js")
            rmSync(join(folder, "snapcell.config.json"), { force: true });
        const ended = snapcell(folder, parameters);
        assert.equal(ended.status, status, `${parameters}: ${ended.stderr}`);
        assert.match(ended.stderr, message);
        assert.doesNotMatch(ended.stderr, /^\s+at /m);
    }
});

test("a configuration that is misspelt, or names what is not there, is told", () => {
    const folder = project({ "f.js": hello });
    const functions = more => ({ functions: { f: { entry: "f.js", ...more } } });
    for (const [config, status, message] of [
        [null, 2, /a configuration is an object/],
        [[], 2, /a configuration is an object/],
        [{ warn: ["/"] }, 2, /"warn" is not known here; did you mean "warm"\?/],
        [
            functions({ wram: ["/"] }),
            2,
            /functions\.f: "wram" is not known here; did you mean "warm"/,
        ],
        [functions({ functions: {} }), 2, /functions\.f: "functions" is not known here/],
        [functions({ warm: "/" }), 2, /functions\.f: "warm" must be a list/],
        [{ env: "A=1" }, 2, /"env" must be an object/],
        [{ functions: { f: {} } }, 2, /functions\.f names no "entry"/],
        [{ functions: { f: 5 } }, 2, /functions\.f must be an entry/],
        [{ functions: { f: "absent.js" } }, 3, /absent\.js is not there/],
        [{ functions: { "a/b": "f.js" } }, 2, /function's name/],
        [{ $schema: "x", ...functions({ node: true, warm: ["/"] }) }, 0, /^$/],
    ]) {
        writeFileSync(join(folder, "snapcell.config.json"), JSON.stringify(config));
        const ended = snapcell(folder, ["build"]);
        assert.equal(ended.status, status, ended.stderr);
        assert.match(ended.stderr, message);
        assert.doesNotMatch(ended.stderr, /^\s+at /m);
    }
});

test("the native program: $SNAPCELL, PATH without npm's own script, and how to get it", () => {
    const folder = project({ "f.js": hello });
    mkdirSync(join(folder, "bin"));
    symlinkSync(native, join(folder, "bin/snapcell"));
    const PATH = `${folder}/../node_modules/.bin:${process.env.PATH}`;
    const without = PATH.split(":")
        .filter(dir => !existsSync(join(dir, "snapcell")) || dir.endsWith(".bin"))
        .join(":");
    const env = { SNAPCELL: undefined, PATH: without };
    const missing = snapcell(folder, ["build"], { env });
    assert.equal(missing.status, 3);
    assert.match(missing.stderr, /native program snapcell was not found: .*\$SNAPCELL/);
    const onPath = snapcell(folder, ["engine", "--json"], {
        env: { ...env, PATH: `${without}:${folder}/bin` },
    });
    assert.equal(onPath.status, 0, onPath.stderr);
    assert.equal(typeof JSON.parse(onPath.stdout).fingerprint, "string");
    const wrong = snapcell(folder, ["ls"], { env: { SNAPCELL: "/nonexistent/snapcell" } });
    assert.equal(wrong.status, 3);
    assert.match(wrong.stderr, /\$SNAPCELL names/);
    assert.equal(
        snapcell(folder, ["run", "absent"]).status,
        3,
        "a status of the native program's is handed on"
    );
});

test("--watch builds again, survives errors, and ends with status 0", async () => {
    const folder = project({ "f.js": hello });
    const { child, until, ended } = started(folder, ["build", "f.js", "--watch"]);
    let { end } = await until(/watching for changes/);
    write(folder, { "f.js": "export default {" });
    ({ end } = await until(/f\.js:1:\d+[^]*watching/, end));
    write(folder, { "f.js": `export default { fetch: () => new Response("changed") };` });
    await until(/f +[0-9a-f]{12}[^]*watching/, end);
    assert.equal(answer(folder, "f"), "changed");
    child.kill("SIGTERM");
    assert.deepEqual(await ended, { status: 0, signal: null });
});

test("--watch --json tells what is wrong with the project, too", async () => {
    const folder = project({ "wrangler.json": { name: "w", main: "f.js" }, "f.js": hello });
    const { child, until, ended } = started(folder, ["build", "--watch", "--json"]);
    const { end } = await until(/watching for changes/);
    write(folder, { "wrangler.json": "{ wrong" });
    await until(/^{"error":{"code":"E_USAGE","message":".*wrangler\.json:1:/m, end);
    child.kill("SIGTERM");
    assert.deepEqual(await ended, { status: 0, signal: null });
});

test("the package has few dependencies, in exact versions, and runs nothing when it is installed", () => {
    const { dependencies, scripts } = JSON.parse(read(kit, "package.json"));
    const pinned = JSON.parse(
        readFileSync(new URL("package.json", import.meta.url), "utf8")
    ).dependencies;
    assert.deepEqual(Object.keys(dependencies), ["esbuild", "jsonc-parser", "smol-toml"]);
    for (const [name, version] of Object.entries(dependencies)) {
        assert.match(version, /^\d+\.\d+\.\d+$/);
        assert.equal(pinned[name], version, "tests/kit installs what the kit needs");
    }
    assert.match(read(kit, "LICENSE"), /Apache License/);
    for (const name of Object.keys(dependencies))
        assert.ok(read(kit, "README.md").includes(`\n| ${name} | `), "each with its reason");
    for (const name of Object.keys(scripts)) assert.doesNotMatch(name, /install|prepare|publish/);
    for (const name of ["index", "esbuild", "vite"])
        assert.ok(existsSync(join(kit, `src/${name}.d.ts`)));
});

test("init makes a project that builds, and replaces nothing", () => {
    const folder = project({});
    const { lines } = snapcell(folder, ["init", "shop", "--json"]);
    const [{ files, name }] = lines();
    assert.equal(name, "shop");
    for (const file of files) assert.ok(existsSync(join(folder, "shop", file)), file);
    built(join(folder, "shop"));
    assert.equal(answer(join(folder, "shop"), "shop", "/a"), "Hello /a\n");
    const again = snapcell(folder, ["init", "shop"]);
    assert.equal(again.status, 3);
    assert.match(again.stderr, /is there already/);
    const named = snapcell(folder, ["init", "plain 'one'", "--js", "--name", "plain"]);
    assert.equal(named.status, 0);
    assert.match(named.stdout, /^Next: cd 'plain '\\''one'\\''' && npm install/m);
    built(join(folder, "plain 'one'"));
    // What `npm install` is to find: the tarball that this package came from.
    const { devDependencies } = JSON.parse(read(folder, "shop/package.json"));
    const [, tarball] = /^file:(.*)$/.exec(devDependencies.snapcell);
    assert.match(tarball, /packed\/snapcell-.*\.tgz$/);
    assert.ok(existsSync(join(folder, "shop", tarball)));
});

test("a package that looks whether there is an environment finds the mode in it", () => {
    const folder = project({
        "node_modules/asks/package.json": { name: "asks", main: "index.js" },
        "node_modules/asks/index.js": `const env = typeof process < "u" ? process?.env : undefined;
            exports.mode = () => (env ?? {}).NODE_ENV;`,
        "node_modules/looks/package.json": { name: "looks", main: "index.js" },
        "node_modules/looks/index.js": `exports.mode = () => globalThis.process?.env["NODE_ENV"];`,
        "f.js": `import { mode } from "asks"; export default { fetch: () => new Response(mode()) };`,
        "g.js": `import { mode } from "looks"; export default { fetch: () => new Response(mode()) };`,
    });
    for (const name of ["f", "g"]) {
        built(folder, `${name}.js`);
        assert.equal(answer(folder, name), "production");
    }
});

test("a package that uses process without looking whether there is one has it", () => {
    const packages = {
        version: `exports.answer = () => String(process.versions.v8).length > 0;`,
        looks: `exports.answer = () => typeof process !== "undefined" ? process.platform : "no";`,
        own: `var process = { platform: "own" }; exports.answer = () => process.platform;`,
        given: `exports.answer = () => [{ platform: "given" }].map(function (process) { return process.platform; });`,
        said: `/* process.exit() */ // process.platform
            exports.answer = () => "process.env, " + { process: { exit: 1 } }.process.exit;`,
        mode: `exports.answer = () => process.env.NODE_ENV;`,
    };
    const files = {};
    for (const [name, text] of Object.entries(packages)) {
        files[`node_modules/${name}/index.js`] = text;
        files[`${name}.js`] = `import { answer } from "./node_modules/${name}/index.js";
            export default { fetch: () => new Response(String(answer())) };`;
    }
    const folder = project(files);
    snapcell(folder, ["build"]);
    const answers = Object.keys(packages).map(name => answer(folder, name));
    const plain = ["no", "own", "given", "process.env, 1", "production"];
    assert.deepEqual(answers, ["true", ...plain]);
    for (const name of ["own", "given", "said", "mode"])
        assert.doesNotMatch(read(folder, `.snapcell/${name}.js`), /snapcell:node-compat/, name);
});
