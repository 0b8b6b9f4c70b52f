// Preludes: packages that are bundled and evaluated before the rest. Each case is compared with the bundle of the whole.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";
import { answer, kit, native, project, write } from "./helper.mjs";

const { dev } = await import(join(kit, "src/index.js"));
const { esbuildBundler } = await import(join(kit, "src/bundler_esbuild.js"));
const { FirstMap } = await import(join(kit, "src/join_maps.js"));
const { Prelude, mayHavePrelude } = await import(join(kit, "src/prelude.js"));
const { UnevaluatedCompiler } = await import(join(kit, "src/unevaluated.js"));

const module = text => ({ "package.json": { type: "module", main: "index.js" }, "index.js": text });

const common = text => ({ "package.json": {}, "index.js": text });

/** A project whose packages are folders of files. */
function packaged(packages, files) {
    const entries = Object.entries(packages).flatMap(([name, content]) =>
        Object.entries(content).map(([file, text]) => [`node_modules/${name}/${file}`, text])
    );
    return project({
        "package.json": { type: "module" },
        ...Object.fromEntries(entries),
        ...files,
    });
}

const requestOf = (root, more) => ({
    root,
    entry: join(root, "f.js"),
    name: "f",
    mode: "development",
    ...more,
});

/** What a bundle answers, evaluated at each load. */
async function answerOf(folder, bundle) {
    const settings = { name: "f", store: join(folder, "store"), cwd: folder };
    await new UnevaluatedCompiler(native).put(bundle, settings, "fetch");
    const { stdout, stderr } = spawnSync(native, ["run", "f", "/", "--store", "store"], {
        cwd: folder,
        encoding: "utf8",
    });
    return stdout + stderr;
}

/** Bundles a project both ways, before and after it was changed. */
async function compared(t, folder, change) {
    const request = requestOf(folder);
    const before = await esbuildBundler.bundle(request);
    const prelude = await Prelude.of(request, before);
    t.after(() => prelude?.dispose());
    if (change) write(folder, change);
    const whole = await esbuildBundler.bundle(request);
    const parts = await prelude?.bundle();
    if (parts) assert.equal(await answerOf(folder, parts), await answerOf(folder, whole));
    return { prelude, whole, parts };
}

const answering = (imports, value) =>
    `${imports}\nexport default { fetch: () => new Response(JSON.stringify(${value})) };\n`;

const counter = module(
    "export let count = 0;\nexport const add = () => ++count;\nexport default class Named {}\n" +
        "export function sum(...all) { return all.reduce((a, b) => a + b, 0); }\n"
);

const cases = {
    "names, a default and live bindings": [
        { counter },
        answering(
            `import Named, { add, count, sum as total } from "counter"; add();`,
            `[count, add(), count, total(1, 2), Named.name, typeof Named]`
        ),
    ],
    "namespaces, whole and by name": [
        { counter },
        answering(
            `import * as all from "counter"; const name = "add"; all[name]();`,
            `[Object.keys(all), all.count, all.sum(2, 3), "add" in all]`
        ),
    ],
    "export *, of what exports * as well": [
        {
            counter,
            star: module(
                `export * from "counter"; export * as inner from "counter"; export const own = 1;`
            ),
        },
        answering(
            `import { add, own, inner } from "star"; import * as star from "star"; add();`,
            `[own, inner.count, Object.keys(inner), star.count]`
        ),
    ],
    "bindings that are set again later": [
        { late: module("export let value = 1; export const set = next => { value = next; };") },
        answering(
            `import { value, set } from "late"; const first = value; set(7);`,
            "[first, value, (set(8), value)]"
        ),
    ],
    "packages in the order of their imports, with effects": [
        {
            one: module("globalThis.order = [...(globalThis.order ?? []), 'one'];"),
            two: module("import 'one'; globalThis.order.push('two');"),
            three: module("globalThis.order.push('three'); export const three = 3;"),
        },
        answering(`import "two"; import { three } from "three"; import "one";`, "[order, three]"),
    ],
    "circles of modules": [
        {
            round: {
                "package.json": { type: "module", main: "a.js" },
                "a.js": "import { b } from './b.js'; export const a = () => 'a'; export const both = () => a() + b();",
                "b.js": "import { a } from './a.js'; export const b = () => 'b' + a();",
            },
        },
        answering(`import { both } from "round";`, "both()"),
    ],
    "CommonJS after modules": [
        { counter, common: common("exports.n = (globalThis.order ??= []).push('common');") },
        answering(
            `import { add } from "counter"; import common, { n } from "common"; add();`,
            "[common, n, add(), order]"
        ),
    ],
    "what the rest of a package imports of it": [
        {
            counter: {
                ...counter,
                "package.json": {
                    type: "module",
                    exports: { ".": "./index.js", "./more": "./more.js" },
                },
                "more.js":
                    "import { add, count } from './index.js'; import './common.cjs'; export const more = () => [add(), count];",
                "common.cjs": "module.exports = 1;",
            },
        },
        answering(
            `import { add } from "counter"; import { more } from "counter/more"; add();`,
            "more()"
        ),
    ],
    "modules without code of their own": [
        {
            counter,
            barrel: {
                "package.json": { type: "module", main: "index.js", sideEffects: false },
                "index.js":
                    "export * from './deep/index.js'; export { unused } from './unused.js';",
                "deep/index.js": "export { add as plus } from 'counter';",
                "unused.js": "globalThis.wasEvaluated = true; export const unused = 1;",
            },
        },
        answering(`import { plus } from "barrel";`, "[plus(), globalThis.wasEvaluated ?? null]"),
    ],
    "a name that two packages share with the project": [
        { one: module("export const name = 'one';"), two: module("export const name = 'two';") },
        answering(
            `import { name as one } from "one"; import { name as two } from "two"; const name = "own";`,
            "[name, one, two]"
        ),
    ],
    "microtasks of a package": [
        {
            later: module(
                "export const list = []; Promise.resolve().then(() => list.push('package'));"
            ),
        },
        answering(
            `import { list } from "later"; const before = [...list]; Promise.resolve().then(() => list.push("own"));`,
            "[before, list]"
        ),
    ],
};

for (const [name, [packages, source]] of Object.entries(cases))
    test(`the same as a whole: ${name}`, async t => {
        const folder = packaged(packages, { "f.js": source });
        const { prelude, parts } = await compared(t, folder, {
            "f.js": source.replace(
                "JSON.stringify(",
                'JSON.stringify("changed") + JSON.stringify('
            ),
        });
        assert.ok(prelude && parts, "there is none");
        assert.match(await answerOf(folder, parts), /^"changed"/);
    });

const without = {
    "a module of the project's comes first, and packages see what it does": [
        { seen: module("export const seen = globalThis.setting ?? 'too early';") },
        {
            "f.js": answering(`import "./first.js"; import { seen } from "seen";`, "seen"),
            "first.js": "globalThis.setting = 'set';",
        },
    ],
    "packages of CommonJS alone": [
        { common: common("exports.n = 1;") },
        { "f.js": answering(`import { n } from "common";`, "n") },
    ],
    "CommonJS before modules, which sees what it does": [
        {
            seen: module("export const seen = globalThis.setting ?? 'too early';"),
            common: common("globalThis.setting = 1;"),
        },
        { "f.js": answering(`import "common"; import { seen } from "seen";`, "seen") },
    ],
    "top-level await": [
        { waits: module("export const value = await Promise.resolve(3);") },
        { "f.js": answering(`import { value } from "waits";`, "value") },
    ],
    "what looks like the comment of a map": [
        { text: module("export const text = `\\n//# sourceMappingURL=none\\n`;") },
        { "f.js": answering(`import { text } from "text";`, "text") },
    ],
    "import.meta": [
        { meta: module("export const url = import.meta.url;") },
        { "f.js": answering(`import { url } from "meta";`, "url") },
    ],
    "a module that is imported later, too": [
        { counter },
        {
            "f.js": answering(
                `import { add } from "counter"; const later = () => import("counter");`,
                "[add(), typeof later]"
            ),
        },
    ],
    "a module that is required": [
        { counter },
        {
            "f.js": answering(
                `import { add } from "counter"; const all = require("counter");`,
                "[add(), Object.keys(all)]"
            ),
        },
    ],
    "no packages": [{}, { "f.js": answering("", "1") }],
};

for (const [name, [packages, files]] of Object.entries(without))
    test(`there is no prelude: ${name}`, async t => {
        const { prelude } = await compared(t, packaged(packages, files));
        assert.equal(prelude, undefined);
    });

const plain = answering(`import { add } from "counter";`, "add()");
const others = {
    "another name of a package": {
        "f.js": answering(`import { add, sum } from "counter";`, "[add(), sum(1)]"),
    },
    "a name that is not there": {
        "f.js": answering(`import * as all from "counter";`, "[all.add(), all.absent ?? 0]"),
    },
    "a namespace that is used as a whole": {
        "f.js": answering(`import * as all from "counter";`, "[all.add(), Object.keys(all)]"),
    },
    "another package before": {
        "f.js": `import "fresh";\n${plain}`,
        "node_modules/fresh/package.json": { type: "module", main: "index.js" },
        "node_modules/fresh/index.js": "globalThis.fresh = 1;",
    },
    "a module of the project's before": {
        "f.js": `import "./first.js";\n${plain}`,
        "first.js": "globalThis.first = 1;",
    },
    "CommonJS before": {
        "f.js": `import "old";\n${plain}`,
        "node_modules/old/package.json": {},
        "node_modules/old/index.js": "exports.old = globalThis.old = 1;",
    },
    "a package that is imported no more": { "f.js": answering("", "1") },
    "an error": { "f.js": "export default {" },
    "a package that has changed": {
        "node_modules/counter/index.js": "export const add = () => 77;\n",
    },
    "a global of Node's": {
        "f.js": answering(
            `import { add } from "counter"; const all = Buffer.from("x");`,
            "[add(), all]"
        ),
    },
};

for (const [name, change] of Object.entries(others))
    test(`another bundle is made of the whole: ${name}`, async t => {
        const folder = packaged({ counter }, { "f.js": plain });
        const request = requestOf(folder);
        const prelude = await Prelude.of(request, await esbuildBundler.bundle(request));
        t.after(() => prelude.dispose());
        assert.ok(await prelude.bundle());
        write(folder, change);
        assert.equal(await prelude.bundle(), undefined);
    });

test("a bundle is new until it is taken", async t => {
    const folder = packaged({ counter }, { "f.js": plain });
    const request = requestOf(folder);
    const prelude = await Prelude.of(request, await esbuildBundler.bundle(request));
    t.after(() => prelude.dispose());
    const isNew = async () => (await prelude.bundle()).isNew;
    assert.deepEqual([await isNew(), await isNew()], [true, true]); // what read it half may bundle it again
    (await prelude.bundle()).take();
    assert.equal(await isNew(), false);
    write(folder, { "f.js": plain.replace("default", "default /* another */") });
    assert.equal(await isNew(), (await prelude.bundle()).code.includes("another"));
});

test("it needs a map, and nothing that is the project's own", () => {
    const request = requestOf(".");
    assert.ok(mayHavePrelude(request, { map: "{}" }));
    assert.ok(!mayHavePrelude(request, {}));
    for (const more of [
        { node: true },
        { deno: {} },
        { minify: true },
        { contents: "" + 1 },
        { esbuild: { plugins: [] } },
    ])
        assert.ok(!mayHavePrelude({ ...request, ...more }, { map: "{}" }), JSON.stringify(more));
});

test("two maps become one", () => {
    const one = {
        version: 3,
        sources: ["a.js", "b.js"],
        names: ["x"],
        mappings: "AAAA,IAAIA;;ACCJ",
    };
    const two = { version: 3, sources: ["c %`.js"], names: ["y"], mappings: ";AAEA,EAAEA" };
    const url = new FirstMap(JSON.stringify(one), "1\n2\n3\n").joined(JSON.stringify(two));
    assert.doesNotMatch(url, /[\s"`]/);
    const text = decodeURIComponent(url.slice("data:application/json,".length));
    assert.deepEqual(JSON.parse(text), {
        version: 3,
        sections: [
            { offset: { line: 0, column: 0 }, map: one },
            { offset: { line: 3, column: 0 }, map: two },
        ],
    });
});

/** dev() of a project, until the test ends. */
async function developing(t, folder) {
    const events = [];
    const where = { cwd: folder, entry: "f.js", listen: "127.0.0.1:0" };
    const server = await dev({ ...where, onEvent: event => events.push(event) });
    t.after(() => server.close());
    const until = async (pattern, accept) => {
        for (;;) {
            const response = await fetch(server.url, { headers: { accept } });
            const text = await response.text();
            if (pattern.test(text)) return text;
            await pause(20);
        }
    };
    return { events, until };
}

test("changes are answered while a project is developed, with what packages have become, and errors in their place", async t => {
    const source = text =>
        `import { add } from "counter";\nexport default { fetch() {\n    ${text}\n} };\n`;
    const folder = packaged(
        { counter },
        { "f.js": source("return new Response(`one ${add()}`);") }
    );
    const { events, until } = await developing(t, folder);
    const early = [];
    const built = async () => {
        early.push(...events.filter(({ event }) => event === "answering"));
        while (!events.some(({ event }) => event === "built")) await pause(10);
        await pause(300); // for the prelude, and the process that waits
        events.length = 0;
    };
    await until(/^one 1$/);
    await built();
    for (const text of ["two", "three", "four"]) {
        write(folder, { "f.js": source(`return new Response(\`${text} \${add()}\`);`) });
        await until(new RegExp(`^${text} 1$`));
        await built();
    }
    assert.ok(early.some(({ stored }) => !stored)); // before the store had it
    write(folder, { "f.js": source("throw new Error('thrown here' + add());") });
    assert.match(await until(/thrown here1/), /f\.js:3:11/);
    await built();
    write(folder, { "f.js": source("return new Response(`five ${add(}`);") });
    await until(/f\.js:3/);
    write(folder, { "node_modules/counter/index.js": "export const add = () => 'other';\n" });
    write(folder, { "f.js": source("return new Response(`six ${add()}`);") });
    await until(/^six other$/);
    await built();
    write(folder, {
        "node_modules/counter/index.js":
            "throw new Error('in the package');\nexport const add = 1;\n",
    });
    write(folder, { "f.js": source("return new Response(`seven ${add}`);") });
    assert.match(await until(/in the package/), /node_modules\/counter\/index\.js:1/);
});

test("a change is answered with what a package has become, whatever waited with what it was", async t => {
    const source = text =>
        `import { value } from "changing";\nexport default { fetch: () => new Response(\`${text} \${value}\`) };\n`;
    const is = value => ({ "index.js": `export const value = ${value};\n` });
    const folder = packaged({ changing: is(0) }, { "f.js": source("start") });
    const { until } = await developing(t, folder);
    await until(/^start 0$/);
    for (let i = 1; i <= 6; i++) {
        await pause(100 * i); // for what waits, which is made again at some time
        write(folder, { "node_modules/changing/index.js": is(i)["index.js"] });
        write(folder, { "f.js": source(`with ${i}`) });
        await until(new RegExp(`^with ${i} ${i}$`));
        await pause(60 * i);
        write(folder, { "f.js": source(`again ${i}`) });
        assert.equal(await until(new RegExp(`^again ${i}`)), `again ${i} ${i}`);
    }
});
