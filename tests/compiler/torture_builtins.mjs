// Makes bundles that freeze, delete, replace and trap built-ins at random, and loads what was made of each: a snapshot
// that compiled must load, and no try may end the engine.
//   torture_builtins.mjs SNAPCELL [--count N]
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [snapcell, option, number] = process.argv.slice(2);
if (!snapcell || (option && option !== "--count")) {
    console.error("usage: torture_builtins.mjs SNAPCELL [--count N]");
    process.exit(2);
}
const count = Number(number ?? 20);
const folder = mkdtempSync(join(tmpdir(), "torture-builtins."));

// Collects all objects that can be reached, before anything is done to them.
const collect = `
const { defineProperty, deleteProperty, setPrototypeOf, getPrototypeOf, ownKeys, getOwnPropertyDescriptor } = Reflect;
const { freeze, seal, preventExtensions } = Object;
const trap = () => { throw new RangeError("trapped"); };
const traps = new Proxy({}, { get: trap, set: trap, has: trap, defineProperty: trap, ownKeys: trap });
const objects = [], known = new Set();
const walk = value => {
    if (Object(value) !== value || known.has(value)) return;
    known.add(value);
    objects.push(value);
    for (const key of ownKeys(value)) {
        const own = getOwnPropertyDescriptor(value, key);
        for (const inner of [own.value, own.get, own.set]) walk(inner);
    }
    walk(getPrototypeOf(value));
};
for (const root of [globalThis, async function* () {}, (function* () {})(), [].values(), Iterator.from({ next() {} })]) walk(root);
const object = n => objects[n % objects.length];
const key = (n, m) => { const keys = ownKeys(object(n)); return keys.length > 0 ? keys[m % keys.length] : "none"; };
`;

// What is done to the object of number n and to its key of number m.
const deeds = [
    (n, m) => `freeze(object(${n}))`,
    (n, m) => `seal(object(${n}))`,
    (n, m) => `preventExtensions(object(${n}))`,
    (n, m) => `deleteProperty(object(${n}), key(${n}, ${m}))`,
    (n, m) => `defineProperty(object(${n}), key(${n}, ${m}), { get: trap, set: trap })`,
    (n, m) => `defineProperty(object(${n}), key(${n}, ${m}), { value: ${m}, writable: false })`,
    (n, m) => `object(${n})[key(${n}, ${m})] = class Replaced {}`,
    (n, m) => `setPrototypeOf(object(${n}), ${m % 2 ? "traps" : "null"})`,
    (n, m) => `defineProperty(object(${n}), ${m % 3}, { get: trap, set: trap })`,
    (n, m) => `globalThis.kept${m} = [object(${n}), new Float16Array(3), new DisposableStack()]`,
    (n, m) => `{ using used = { [Symbol.dispose]: () => object(${n}) }; }`,
];

function randomBundle() {
    const lines = Array.from({ length: randomInt(1, 8) }, () => {
        const deed = deeds[randomInt(deeds.length)](randomInt(1e6), randomInt(1000));
        return `try { ${deed} } catch {}`;
    });
    return `${collect}${lines.join("\n")}\nexport default { fetch: () => new Response("loaded") };\n`;
}

function run(...args) {
    const { status, signal, stdout, stderr } = spawnSync(resolve(snapcell), args, {
        cwd: folder,
        encoding: "utf8",
    });
    return {
        ended: signal !== null || /could not go on|out of memory/.test(stderr),
        status,
        stdout,
        stderr,
    };
}

// What is wrong with a bundle; null when nothing is, or when it failed by what it did itself.
function tryBundle(name) {
    const compiled = run("compile", "--json", "--store", "store", `${name}.js`);
    if (compiled.ended || /gave up|cannot be loaded/.test(compiled.stdout)) return compiled;
    if (compiled.status !== 0) return null;
    const loaded = run("run", "--store", "store", name);
    return loaded.ended ? loaded : null;
}

let failures = 0;
try {
    for (let i = 0; i < count; i++) {
        const name = `bundle${i}`;
        writeFileSync(join(folder, `${name}.js`), randomBundle());
        const wrong = tryBundle(name);
        if (wrong === null) continue;
        failures++;
        const source = readFileSync(join(folder, `${name}.js`), "utf8").slice(collect.length);
        console.error(`${wrong.stdout}${wrong.stderr}${source}`);
    }
} finally {
    rmSync(folder, { recursive: true, force: true });
}
console.log(`what was done to built-ins ends no load\t${count}\t${failures}`);
process.exit(failures === 0 ? 0 : 1);
