// Input as it comes: wrangler projects, what other tools built, functions for other platforms.
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { answer, built, hello, kit, project, read, snapcell, started, write } from "./helper.mjs";

// A module that exports add(a, b).
const wasmBytes = Buffer.from(
    "0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b",
    "hex"
);

const worker = `
    import { DurableObject } from "cloudflare:workers";
    import module from "./add.wasm"; import text from "./greeting.txt"; import data from "./data.bin";
    import page from "./page.tpl"; import value from "aliased";
    export class Room extends DurableObject {}
    const { exports } = new WebAssembly.Instance(module);
    export default { fetch(request, env) {
        return Response.json([exports.add(20, 22), text, data.byteLength, page, value, MODE, env.NAME, env.OBJ]);
    } };`;
const workerFiles = {
    "src/index.ts": worker,
    "src/add.wasm": wasmBytes,
    "src/greeting.txt": "hi",
    "src/data.bin": Buffer.alloc(5),
    "src/page.tpl": "<p>",
    "src/aliased.js": "export default 'aliased';",
};
const workerAnswer = `[42,"hi",5,"<p>","aliased","fast","top",{"a":1}]`;
const given = ["-e", "NAME=top", "--env-json", 'OBJ={"a":1}'];

test("wrangler.toml", () => {
    const folder = project({
        ...workerFiles,
        "wrangler.toml": `
            name = "my-worker"
            main = "src/index.ts"
            compatibility_date = "2026-01-01"
            compatibility_flags = ["nodejs_compat", "made_up_flag"]
            rules = [{ type = "Text", globs = ["**/*.tpl"], fallthrough = true }]
            [alias]
            aliased = "./src/aliased.js"
            [define]
            MODE = '"fast"'
            [vars]
            NAME = "top"
            OBJ = { a = 1 }
            [[kv_namespaces]]
            binding = "KV"
            id = "x"
            [env.staging]
            vars = { NAME = "staged" }`,
    });
    const ended = snapcell(folder, ["build", "--json"]);
    assert.equal(ended.status, 0, ended.stderr);
    const [result] = ended.lines();
    assert.equal(result.name, "my-worker");
    assert.deepEqual(result.env, { NAME: "top", OBJ: { a: 1 } });
    assert.match(ended.stderr, /wrangler\.toml: KV namespaces are not there/);
    assert.match(ended.stderr, /without effect: made_up_flag/);
    assert.equal(answer(folder, "my-worker", ...given), workerAnswer);
    const [staged] = snapcell(folder, ["build", "--json", "--environment", "staging"]).lines();
    assert.equal(staged.name, "my-worker-staging");
    assert.deepEqual(staged.env, { NAME: "staged" });
    const wrong = snapcell(folder, ["build", "--environment", "absent"]);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /no environment "absent": there are staging/);
});

test("wrangler.jsonc, as an argument, with assets", () => {
    const folder = project({
        "app/wrangler.jsonc": `{ // a comment
            "name": "site", "main": "worker.js",
            "assets": { "directory": "./public", "binding": "FILES", "not_found_handling": "404-page" }, }`,
        "app/worker.js": `export default { fetch: (request, env) =>
            new URL(request.url).pathname === "/api" ? new Response("api") : env.FILES.fetch(request) };`,
        "app/public/index.html": "<h1>home</h1>",
        "app/public/404.html": "<h1>lost</h1>",
    });
    built(folder, "app/wrangler.jsonc");
    assert.equal(answer(folder, "site", "/"), "<h1>home</h1>");
    assert.equal(answer(folder, "site", "/api"), "api");
    assert.equal(answer(folder, "site", "/nothing"), "<h1>lost</h1>");
});

const navigating = ["-H", "sec-fetch-mode: navigate"];

test("a page that is not there is the assets' or the function's, as a wrangler file says", () => {
    const folder = assets => {
        const { compatibility_date, compatibility_flags, ...rest } = assets;
        const config = { name: "app", main: "worker.js", compatibility_date, compatibility_flags };
        return project({
            "wrangler.json": { ...config, assets: { directory: "public", ...rest } },
            "worker.js": `export default { fetch: () => new Response("worker") };`,
            "public/index.html": "app",
            "public/api/docs.html": "docs",
            "public/api/file.txt": "file",
        });
    };
    const single = { not_found_handling: "single-page-application" };
    const recent = { ...single, compatibility_date: "2026-01-01" };
    const lists = { ...single, run_worker_first: ["/api/*", "!/api/docs*"] };
    for (const [assets, parameters, expected] of [
        [recent, ["/settings", ...navigating], "app"],
        [recent, ["/settings"], "worker"],
        [recent, ["/settings", ...navigating, "-X", "POST", "-d", ""], "worker"],
        [{ ...single, compatibility_date: "2025-01-01" }, ["/settings", ...navigating], "worker"],
        [
            { ...recent, compatibility_flags: ["assets_navigation_has_no_effect"] },
            ["/settings", ...navigating],
            "worker",
        ],
        [{ compatibility_date: "2026-01-01" }, ["/settings", ...navigating], "worker"],
        [lists, ["/settings"], "app"],
        [lists, ["/api/file.txt"], "worker"],
        [lists, ["/api/docs"], "docs"],
        [lists, ["/api/docs/none"], "app"],
    ]) {
        const made = folder(assets);
        const ended = snapcell(made, ["build"]);
        assert.equal(ended.stderr, "");
        assert.equal(
            answer(made, "app", ...parameters),
            expected,
            JSON.stringify([assets, parameters])
        );
    }
});

test("a wrangler file with assets and no main is a function of assets", () => {
    const folder = project({
        "wrangler.jsonc": {
            name: "page",
            assets: { directory: "dist", not_found_handling: "single-page-application" },
        },
        "src/main.js": "document.title = 'of the browser';",
        "dist/index.html": "app",
        "dist/main.js": "script",
    });
    assert.equal(built(folder).entry, "wrangler.jsonc");
    assert.equal(answer(folder, "page", "/main.js"), "script");
    assert.equal(answer(folder, "page", "/elsewhere"), "app");
});

test("what a wrangler file says to esbuild is heard, and what is not known is told", () => {
    const folder = project({
        "wrangler.json": {
            name: "w",
            main: "src/w.jsx",
            jsx_factory: "h",
            jsx_fragment: "'all'",
            keep_names: true,
            tsconfig: "config/ts.json",
            account_id: "x",
            build: { command: "make" },
            limits: { cpu_ms: 5 },
            ratelimits: [{ name: "LIMIT" }],
            compatability_flags: [],
        },
        "config/ts.json": { compilerOptions: { baseUrl: "..", paths: { "@/*": ["./src/*"] } } },
        "src/w.jsx": `import { name } from "@/name.js"; const h = (...all) => JSON.stringify(all);
            export default { fetch: () => new Response(name + <><b>x</b></>) };`,
        "src/name.js": `{ function same() {} } { var one = function same() {} } export const name = one.name;`,
    });
    const { status, stderr } = snapcell(folder, ["build"]);
    assert.equal(status, 0, stderr);
    const notes = stderr
        .trim()
        .split("\n")
        .map(line => line.replace(/^.*?wrangler\.json: /, ""));
    assert.deepEqual(notes, [
        "rate limits are not there: env has no such bindings",
        "the command of `build` is not run: run it before",
        "limits are the host's: set them in the configuration of `snapcell serve`",
        '"compatability_flags" is not known here; did you mean "compatibility_flags"?',
    ]);
    assert.equal(answer(folder, "w"), `same["all",null,"[\\"b\\",null,\\"x\\"]"]`);
});

test("wrong wrangler files are one line each, with status 2", () => {
    const cases = {
        "wrangler.toml": ["name = ", /wrangler\.toml:1:\d+: not TOML/],
        "wrangler.json": [{ main: 5 }, /"main" is a value of type string, not number/],
        "wrangler.jsonc": [{ rules: [{ type: "Text" }] }, /a rule has a type/],
    };
    for (const [name, [text, message]] of Object.entries(cases)) {
        const { status, stderr } = snapcell(project({ [name]: text, "index.js": hello }), [
            "build",
        ]);
        assert.equal(status, 2, stderr);
        assert.match(stderr, message);
    }
    const missing = snapcell(project({ "wrangler.json": { main: "gone.js" } }), ["build"]);
    assert.equal(missing.status, 3);
    assert.match(missing.stderr, /gone\.js is not there: build what makes it first/);
});

test("the output of wrangler deploy --dry-run", () => {
    const folder = project({
        "dist/index.js": `import module from "./a1b2-add.wasm"; import text from "./c3-note.txt";
            var x = new WebAssembly.Instance(module); var worker = { fetch: () => new Response(text + x.exports.add(1, 2)) };
            export { worker as default };\n//# sourceMappingURL=index.js.map\n`,
        "dist/index.js.map": {
            version: 3,
            sources: ["../src/index.ts"],
            names: [],
            mappings: "AAAA",
        },
        "dist/a1b2-add.wasm": wasmBytes,
        "dist/c3-note.txt": "note ",
        "dist/README.md": "",
    });
    const { name } = built(folder, "dist");
    assert.equal(answer(folder, name), "note 3");
});

test("the output of a dry run belongs to the project around it", () => {
    const folder = project({
        "wrangler.json": {
            name: "whole",
            main: "src/index.ts",
            rules: [{ type: "Text", globs: ["**/*.md"] }],
            vars: { A: "1" },
        },
        "out/index.js": `import text from "./c3-note.md"; export default { fetch: () => new Response(text) };`,
        "out/c3-note.md": "note",
        "out/README.md":
            'This folder contains the built output assets for the worker "whole" generated at 0.',
    });
    const { name, env } = built(folder, "out");
    assert.deepEqual([name, env], ["whole", { A: "1" }]);
    assert.equal(answer(folder, "whole"), "note");
});

test("the output of frameworks' builds, and of Vite's plugin for Workers", () => {
    const page = `import { text } from "../chunks/text.js"; export default { fetch: () => new Response(text) };`;
    const kit = project({
        ".svelte-kit/cloudflare/_worker.js": page,
        ".svelte-kit/chunks/text.js": `export const text = "kit";`,
    });
    assert.equal(answer(kit, built(kit, "--name", "k").name), "kit");
    const vite = project({
        "package.json": { name: "v" },
        "wrangler.json": { main: "src/gone.ts" },
        ".wrangler/deploy/config.json": { configPath: "../../dist/app/wrangler.json" },
        "dist/app/wrangler.json": {
            name: "app",
            main: "index.js",
            no_bundle: true,
            rules: [{ type: "ESModule", globs: ["**/*.js"] }],
            assets: { directory: "../client" },
        },
        "dist/app/index.js": `import { text } from "./assets/t.js"; export default { fetch: () => new Response(text) };`,
        "dist/app/assets/t.js": `export const text = "vite";`,
        "dist/client/style.css": "p {}",
    });
    assert.equal(answer(vite, built(vite).name), "vite");
    assert.equal(answer(vite, "app", "/style.css"), "p {}");
});

test("functions of Vercel and Netlify, and exports named after methods", () => {
    const vercel = project({
        "api/edge.ts": `export const config = { runtime: "edge" };
            export default (request: Request) => new Response("edge " + request.method);`,
        "api/node.ts": `import "node:child_process"; export default (req, res) => res.end();`,
    });
    assert.deepEqual(
        snapcell(vercel, ["build", "--json"])
            .lines()
            .map(({ name }) => name),
        ["edge"]
    );
    assert.equal(answer(vercel, "edge"), "edge GET");
    const netlify = project({
        "netlify/edge-functions/hi.ts": `export const config = { path: "/hi" };
            export default async (request: Request) => new Response("hi " + new URL(request.url).pathname);`,
    });
    built(netlify);
    assert.equal(answer(netlify, "hi", "/hi"), "hi /hi");
    const methods = project({
        "items.ts": `export const GET = () => new Response("got");
            export async function POST(request: Request) { return new Response("posted " + await request.text()); }`,
    });
    built(methods, "items.ts");
    assert.equal(answer(methods, "items"), "got");
    assert.equal(answer(methods, "items", "-d", "x"), "posted x");
    assert.match(
        answer(methods, "items", "-X", "DELETE", "-i"),
        /405[^]*allow: GET, POST, HEAD, OPTIONS/i
    );
});

test("Netlify's edge functions have its environment, cookies, parameters and what follows them", () => {
    const folder = project({
        "netlify/edge-functions/shop.ts": `import type { Config, Context } from "@netlify/edge-functions";
            const early = typeof Netlify.env.get;
            export default async (request: Request, context: Context) => {
                const { pathname } = new URL(request.url);
                if (pathname === "/page") return;
                if (pathname === "/moved") return new URL("/page", request.url);
                context.cookies.set({ name: "seen", value: "1", path: "/", httpOnly: true });
                context.cookies.delete("old");
                if (pathname === "/next") return context.next();
                return context.json([early, Netlify.env.get("PLACE"), context.cookies.get("a"), context.params.id,
                    context.ip, context.geo.city ?? "nowhere", Netlify.env.has("NONE")], { status: 201 });
            };
            export const config: Config = { path: ["/none", "/items/:id"] };`,
        "netlify/edge-functions/plain.js": `export default () => new Response("plain");`,
        "site/page.html": "page",
        "snapcell.config.json": { assets: { directory: "site", workerFirst: true } },
    });
    const ended = snapcell(folder, ["build"]);
    assert.equal(ended.stderr, ""); // an event handler, one without a config was taken for
    assert.equal(answer(folder, "plain"), "plain");
    const headers = ["-H", "cookie: a=b=c; d=e", "-H", "x-forwarded-for: 10.1.2.3, 10.0.0.1"];
    const item = answer(folder, "shop", "/items/7", "-i", "-e", "PLACE=here", ...headers);
    assert.match(item, /^HTTP\/1\.1 201 /);
    assert.match(item, /^set-cookie: seen=1; Path=\/; HttpOnly$/im);
    assert.match(item, /^set-cookie: old=; Expires=Thu, 01 Jan 1970 00:00:00 GMT$/im);
    assert.deepEqual(JSON.parse(item.split(/\r?\n\r?\n/)[1]), [
        "function",
        "here",
        "b=c",
        "7",
        "10.1.2.3",
        "nowhere",
        false,
    ]);
    assert.equal(answer(folder, "shop", "/page"), "page");
    assert.equal(answer(folder, "shop", "/moved"), "page");
    assert.match(answer(folder, "shop", "/next", "-i"), /404[^]*set-cookie: seen=1/i);
});

test("what Deno has and functions have not is told; waiting for a server's end is no waiting", async () => {
    const folder = project({
        "main.ts": `const server = Deno.serve(() => new Response(Deno.cwd() + typeof Deno.stdin));
            if (typeof Deno.watchFs === "function") Deno.watchFs("/");
            export const read = () => Deno.readTextFileSync("a") + Deno.readTextFileSync("b");
            await server.finished;`,
    });
    const { status, stderr } = snapcell(folder, ["build"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stderr.match(/Deno\.\w+ is not there \(.*\)/g), [
        "Deno.readTextFileSync is not there (main.ts:3:39)",
    ]);
    const { names } = await import(join(kit, "src/plugin_deno.js"));
    const asks = project({
        "f.js": `export default { fetch: () => { try { Deno.readFileSync("x") } catch ({ message }) {
            return Response.json([message, Object.keys(Deno).filter(name => {
                try { Deno[name](() => {}) } catch (error) { return !/is not there/.test(error.message) } return true })]) } } };`,
    });
    built(asks, "f.js");
    const [message, there] = JSON.parse(answer(asks, "f"));
    assert.match(message, /^Deno\.readFileSync\(\) is not there: functions have no files/);
    assert.deepEqual(there.sort(), names);
});

test("Deno.serve, its environment, npm: specifiers and an import map", () => {
    const folder = project({
        "deno.jsonc": `{ "imports": { "@/": "./lib/", "hono": "npm:hono@^4" } }`,
        "main.ts": `
            import { Hono } from "hono"; import { html } from "npm:hono@4.13/html"; import { word } from "@/word.ts";
            const app = new Hono();
            app.get("/:x", c => c.text([String(html\`<b>\`), word, c.req.param("x"), Deno.env.get("PLACE")].join()));
            Deno.serve({ port: 8000 }, (request: Request, info) => info.remoteAddr ? app.fetch(request) : undefined);`,
        "lib/word.ts": `export const word: string = "word";`,
    });
    const { name } = built(folder);
    assert.equal(answer(folder, name, "/q", "-e", "PLACE=here"), "<b>,word,q,here");
    const absent = snapcell(
        project({ "main.ts": `import "npm:not-there@1"; Deno.serve(() => 1);` }),
        ["build"]
    );
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /"npm:not-there@1" is not installed: npm install not-there/);
});

const lambda = `
    export const handler = async (event, context) => ({
        statusCode: 201, headers: { "x-a": "1" }, cookies: ["c=1", "d=2"], multiValueHeaders: { "x-m": ["1", "2"] },
        body: JSON.stringify([event, context.functionVersion, context.getRemainingTimeInMillis() > 0]),
    });`;
const call = ["/p%20q/r?a=1&a=2&b=x%20y", "-X", "POST", "-H", "Cookie: k=v; l=w", "-H", "X-Two: z"];
const json = ["-H", "Content-Type: application/json", "-d", '{"n":1}'];

function lambdaAnswer(adapter, source, ...parameters) {
    const folder = project({ "fn.mjs": source });
    built(folder, "fn.mjs", "--adapter", adapter);
    const text = answer(folder, "fn", ...parameters, "-i");
    const [head, body] = text.split(/\r?\n\r?\n/);
    return { head, body };
}
const eventOf = (...parameters) => {
    const { head, body } = lambdaAnswer(...parameters);
    const [event, version, time] = JSON.parse(body);
    assert.match(head, /201/);
    assert.deepEqual([version, time], ["$LATEST", true]);
    return { event, head };
};

test("Lambda: API Gateway's format 2.0", () => {
    const { event, head } = eventOf("lambda", lambda, ...call, ...json);
    assert.equal(event.version, "2.0");
    assert.equal(event.rawPath, "/p%20q/r");
    assert.equal(event.rawQueryString, "a=1&a=2&b=x%20y");
    assert.deepEqual(event.queryStringParameters, { a: "1,2", b: "x y" });
    assert.deepEqual(event.cookies, ["k=v", "l=w"]);
    assert.equal(event.headers["x-two"], "z");
    assert.equal(event.requestContext.http.method, "POST");
    assert.deepEqual([event.body, event.isBase64Encoded], ['{"n":1}', false]);
    assert.match(head, /set-cookie: c=1[^]*set-cookie: d=2/i);
    const { body } = lambdaAnswer(
        "lambda-v2",
        `export const handler = async e => ({ b: e.body, x: e.isBase64Encoded });`,
        "/",
        "-H",
        "Content-Type: application/octet-stream",
        "-d",
        "\u0001"
    );
    assert.deepEqual(JSON.parse(body), { b: "AQ==", x: true });
});

test("Lambda: API Gateway's format 1.0, load balancers, and callbacks", () => {
    const { event, head } = eventOf("lambda-v1", lambda, ...call, ...json);
    assert.equal(event.httpMethod, "POST");
    assert.deepEqual(event.multiValueQueryStringParameters, { a: ["1", "2"], b: ["x y"] });
    assert.deepEqual(event.queryStringParameters, { a: "2", b: "x y" });
    assert.equal(event.pathParameters.proxy, "p%20q/r");
    assert.equal(event.body, '{"n":1}');
    assert.match(head, /x-m: 1/i);
    const alb = eventOf("lambda-alb", lambda, ...call, ...json).event;
    assert.deepEqual(alb.queryStringParameters, { a: "2", b: "x%20y" });
    assert.ok(alb.requestContext.elb);
    const source = `exports.handler = (event, context, callback) => {
        setTimeout(() => callback(null, { statusCode: 200, isBase64Encoded: true, body: "aGk=" }), 1); };`;
    const folder = project({ "fn.cjs": source });
    built(folder, "fn.cjs", "--adapter", "lambda-v1");
    assert.equal(answer(folder, "fn"), "hi");
    built(folder, "fn.cjs", "--name", "plain");
    const event2 = snapcell(folder, ["show", "plain", "--json"]);
    assert.equal(JSON.parse(event2.stdout).shape, "json", "without an adapter it takes events");
    const wrong = snapcell(folder, ["build", "fn.cjs", "--adapter", "gcp"]);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /no adapter is called "gcp": use lambda/);
});

test("a folder of functions; one that fails does not stop the others", () => {
    const folder = project({
        "functions/a.ts": hello,
        "functions/b/index.js": hello,
        "functions/_shared.ts": "export {};",
        "functions/c.test.ts": "",
        "functions/wrong.js": "export default {",
        "functions/types.d.ts": "",
    });
    const { status, lines } = snapcell(folder, ["build", "functions", "--json"]);
    assert.equal(status, 1);
    assert.deepEqual(
        lines().map(({ name, error }) => [name, error?.code]),
        [
            ["a", undefined],
            ["b", undefined],
            ["wrong", "E_BUNDLE"],
        ]
    );
    assert.equal(answer(folder, "b", "/x"), "hello /x");
    assert.equal(snapcell(folder, ["build", "functions", "--name", "n"]).status, 2);
});

test("two functions of one name are an error", () => {
    const folder = project({ "fns/a.ts": hello, "fns/a/index.js": hello, "fns/b.js": hello });
    const { status, stderr } = snapcell(folder, ["build", "fns"]);
    assert.equal(status, 2);
    assert.match(stderr, /^snapcell: a\/index\.js and a\.ts are both called "a": rename one/);
});

test("what is wrong with embedded files has no place in a bundler", () => {
    const folder = project({ "f.js": hello, "public/_headers": "  X: 1" });
    symlinkSync("nowhere", join(folder, "public/dangling"));
    const { status, stderr } = snapcell(folder, ["build", "f.js", "--assets", "public"]);
    assert.equal(status, 1);
    const [first, second, ...more] = stderr.split("\n");
    assert.match(first, /^snapcell: f: ENOENT: .*public\/dangling'$/);
    assert.equal(second, 'snapcell: f: _headers: "X: 1" is not a header');
    assert.deepEqual(more, [""]);
});

test("variables and routes get into a configuration of `snapcell serve`, where the rest stays", async () => {
    const wrangler = {
        name: "routed",
        main: "index.js",
        vars: { NAME: "of wrangler", LIST: [1] },
        routes: ["https://shop.example/api/*", { pattern: "own.example", custom_domain: true }],
    };
    const folder = project({
        "wrangler.json": wrangler,
        "index.js": `export default { fetch: (request, env) => Response.json([env.NAME, env.LIST, env.MORE]) };`,
        "serve.json": {
            routes: [
                { pattern: "old.example", function: "routed" },
                { pattern: "other.example", function: "other" },
            ],
            defaults: { env: { MORE: "by hand" } },
            functions: { routed: { env: { NAME: "old" }, policy: "keep" } },
        },
    });
    assert.match(snapcell(folder, ["build"]).stderr, /routes are `snapcell serve`'s/);
    const ended = snapcell(folder, ["build", "--json", "--serve-config", "serve.json"]);
    assert.equal(ended.status, 0, ended.stderr);
    assert.deepEqual(ended.lines()[0].routes, ["shop.example/api/*", "own.example"]);
    assert.doesNotMatch(ended.stderr, /routes/);
    assert.deepEqual(JSON.parse(read(folder, "serve.json")), {
        defaults: { env: { MORE: "by hand" } },
        routes: [
            { pattern: "other.example", function: "other" },
            { pattern: "shop.example/api/*", function: "routed" },
            { pattern: "own.example", function: "routed" },
        ],
        functions: { routed: { env: { NAME: "of wrangler", LIST: [1] }, policy: "keep" } },
    });

    const server = started(
        folder,
        ["serve", "--config", "serve.json", "--listen", "127.0.0.1:0"].concat([
            "--store",
            "snapcell-store",
        ])
    );
    const { match } = await server.until(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
    const at = (host, path) =>
        new Promise((done, failed) => {
            const options = { host: "127.0.0.1", port: match[1], path, headers: { host } };
            get(options, answered => {
                let text = "";
                answered.on("data", part => (text += part)).on("end", () => done(text));
            }).on("error", failed);
        });
    assert.equal(await at("shop.example", "/api/x"), `["of wrangler",[1],"by hand"]`);
    assert.match(await at("old.example", "/"), /404/);
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).status, 0);

    for (const [text, status] of [
        ["[]", 2],
        ["{", 2],
    ]) {
        write(folder, { "bad.json": text });
        const bad = snapcell(folder, ["build", "--serve-config", "bad.json"]);
        assert.equal(bad.status, status, bad.stderr);
        assert.equal(read(folder, "bad.json"), text);
    }
    write(folder, { "wrangler.json": { ...wrangler, routes: [{ zone_name: "x" }] } });
    assert.match(snapcell(folder, ["build"]).stderr, /a route is a pattern/);
});
