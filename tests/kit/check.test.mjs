// snapcell check: what start-up costs and what the snapshot holds.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kit, project, read, snapcell } from "./helper.mjs";

const { weighHeap } = await import(join(kit, "src/heap.js"));
const { Modules, packageOf, timedBundle } = await import(join(kit, "src/modules_of.js"));

const app = {
    "package.json": { name: "app" },
    "src/index.ts": `import { Hono } from "hono"; import { table } from "./table.ts"; import { slow } from "./slow.cjs";
        import { Buffer } from "node:buffer"; import { execSync } from "node:child_process";
        const app = new Hono(); const started = Date.now();
        app.get("/", c => c.text([Buffer.from("x"), table.length, slow, started, execSync.name].join()));
        export default app;`,
    "src/table.ts": `export const table = Array.from({ length: 4000 }, (_, i) => ({ key: "key" + i }));`,
    "src/slow.cjs": `let x = 0; for (let i = 0; i < 1e6; i++) x += i; exports.slow = x;`,
};

test("packages and modules have bytes and times that add up", () => {
    const folder = project(app);
    const ended = snapcell(folder, ["check", "--json", "--html", "map.html"]);
    assert.equal(ended.status, 0, ended.stderr);
    const [result] = ended.lines();
    assert.equal(result.kind, "snapshot");
    const byPath = Object.fromEntries(result.modules.map(module => [module.path, module]));
    const table = byPath["src/table.ts"];
    assert.ok(table.snapshot_bytes > 100_000, `4000 objects take ${table.snapshot_bytes} bytes`);
    assert.ok(table.bundle_bytes < 200);
    for (const { top_level_ms } of result.modules) assert.ok(top_level_ms >= 0);
    const times = result.modules.reduce((sum, { top_level_ms }) => sum + top_level_ms, 0);
    assert.ok(times <= result.top_level_ms + 0.001 * result.modules.length);
    const hono = result.packages.find(({ name }) => name === "hono");
    assert.ok(hono.bundle_bytes > 10_000 && hono.snapshot_bytes > 5_000 && hono.modules > 5);
    assert.ok(result.packages.some(({ name }) => name === "snapcell (Node's modules)"));
    const parts = [
        ...result.modules.map(one => one.snapshot_bytes),
        ...Object.values(result.engine_bytes),
        result.v8_bytes,
    ];
    const sum = parts.reduce((a, b) => a + b);
    assert.ok(
        Math.abs(sum - result.snapshot_bytes) < parts.length,
        `${sum} of ${result.snapshot_bytes}`
    );
    assert.match(JSON.stringify(result.uses), /Date\.now\(\)/);
    assert.match(
        JSON.stringify(result.missing),
        /"message":"\\"execSync\\" of node:child_process throws/
    );
    assert.deepEqual(
        readdirSync(join(folder, ".snapcell")).filter(name => name.startsWith("check-")),
        []
    );
    assert.ok(!existsSync(join(folder, "snapcell-store")), "nothing is put into the store");

    const page = read(folder, "map.html");
    assert.match(page, /"path":"src\/table\.ts"/);
    assert.doesNotMatch(
        page,
        /(src|href)=|https?:|\/\*(style|data|script)\*\//,
        "the page needs no other file"
    );
});

test("what keeps a function from being a snapshot is told, in the table, too", () => {
    const folder = project({
        "memory.js": `globalThis.memory = new WebAssembly.Memory({ initial: 1 });
        export default { fetch: () => new Response("x") };`,
    });
    const [result] = snapcell(folder, ["check", "memory.js", "--json"]).lines();
    assert.equal(result.kind, "code");
    assert.equal(result.causes[0].place, "memory.js:1:21");
    const { status, stdout } = snapcell(folder, ["check", "memory.js", "--modules"]);
    assert.equal(status, 0);
    assert.match(
        stdout,
        /no snapshot: an object made by WebAssembly\.Memory, kept as globalThis\.memory \(memory\.js:1:21\)/
    );
    assert.match(stdout, /^ {2}memory\.js +\d+ B/m);
});

test("names that are not there are errors before the first request", () => {
    const { status, stderr } = snapcell(
        project({ "a.js": `import { nope } from "node:path"; export default () => nope;` }),
        ["check"]
    );
    assert.equal(status, 1);
    assert.match(stderr, /"nope" of node:path is not there \(a\.js:1/);
});

test("a heap's objects belong to the code that alone keeps them", () => {
    // root -> closure a -> x; root -> closure b -> y; a, b -> shared; a's context has the variable v -> z
    const names = [
        "root",
        "a",
        "b",
        "x",
        "y",
        "both",
        "context",
        "z",
        "sfi",
        "script",
        "bundle.js",
        "context",
        "shared",
        "v",
    ];
    const types = ["synthetic", "object", "closure", "code"];
    const nodes = [
        [0, 0, 0, 2],
        [2, 1, 10, 4],
        [2, 2, 20, 3],
        [1, 3, 3, 0],
        [1, 4, 5, 0],
        [1, 5, 100, 0],
        [1, 6, 1, 1],
        [1, 7, 7, 0],
        [3, 8, 2, 1],
        [3, 10, 0, 0],
    ];
    const edges = [
        [1, 1, 1],
        [1, 2, 2],
        [2, 11, 6],
        [2, 12, 8],
        [1, 3, 3],
        [1, 5, 5],
        [1, 5, 5],
        [1, 4, 4],
        [2, 12, 8],
        [0, 13, 7],
        [2, 9, 9],
    ];
    const fields = ["type", "name", "id", "self_size", "edge_count", "detachedness"];
    const json = {
        snapshot: {
            meta: {
                node_fields: fields,
                node_types: [types],
                edge_types: [["context", "property", "internal", "weak"]],
            },
        },
        nodes: nodes.flatMap(([type, name, size, count], i) => [type, name, i, size, count, 0]),
        edges: edges.flatMap(([type, name, to]) => [type, name, to * fields.length]),
        strings: names,
        locations: [1 * fields.length, 5, 2, 0, 2 * fields.length, 5, 9, 0],
    };
    const weights = new Map(
        weighHeap(json, "bundle.js").map(([owner, bytes]) => [JSON.stringify(owner), bytes])
    );
    assert.equal(weights.get('{"line":3,"column":1}'), 10 + 3 + 2 + 1 + 7);
    assert.equal(weights.get('{"line":10,"column":1}'), 20 + 5);
    assert.equal(weights.get(undefined), 100);
});

test("modules of a bundle are found by esbuild's comments", () => {
    const code =
        "var h = 1;\n// a.js\nvar one = 1;\nfunction two() {}\n// node_modules/@s/p/i.js\nvar three, four = 2;\nexport {\n  one\n};\n/*! License */\n";
    const modules = new Modules(code, new Set(["a.js", "node_modules/@s/p/i.js"]));
    assert.equal(modules.at(1), undefined);
    assert.equal(modules.at(4), "a.js");
    assert.equal(modules.declaring("four"), "node_modules/@s/p/i.js");
    assert.equal(packageOf("x/node_modules/a/node_modules/@s/p/i.js"), "@s/p");
    assert.equal(packageOf("src/a.js"), "(your code)");
    assert.doesNotMatch(timedBundle(modules), /export \{/);
});

test("each module is charged for the time of its own code", async () => {
    const code = `var __commonJS = (cb, mod) => function __require() {
  return mod || (0, cb[Object.keys(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
};
// a.js
tick(5);
// c.cjs
var require_c = __commonJS({
  "c.cjs"(exports) { tick(7); }
});
// b.js
tick(2); require_c(); tick(1); require_c();
export {
  tick
};
`;
    const { performance } = globalThis;
    let clock = 100;
    globalThis.crypto ??= webcrypto; // Node 18 has it elsewhere
    globalThis.tick = ms => (clock += ms);
    Object.defineProperty(globalThis, "performance", {
        value: { now: () => clock },
        configurable: true,
    });
    try {
        const text = timedBundle(new Modules(code, new Set(["a.js", "b.js", "c.cjs"])));
        const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
        const times = Object.fromEntries(await module.default.fetch().json());
        assert.deepEqual([times["a.js"], times["b.js"], times["c.cjs"]], [5, 3, 7]);
    } finally {
        Object.defineProperty(globalThis, "performance", {
            value: performance,
            configurable: true,
        });
        delete globalThis.tick;
    }
});
