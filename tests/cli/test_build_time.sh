#!/bin/sh
# What is left of build time in a snapshot, and what is not.
. "$(dirname "$0")/helper.sh"
export TZ=America/New_York

# --- The build's time zone
cat >dates.js <<'JS'
const time = Date.UTC(2024, 6, 1, 12);
const kept = [new Date(time), new (class extends Date {})(time)];
const fields = ["getFullYear", "getMonth", "getDate", "getDay", "getHours", "getMinutes", "getSeconds"];
const show = date => [...fields.map(name => date[name]()), date.getTimezoneOffset(), `${date}`, date.toLocaleString()].join();
kept.map(show);
export default {
    fetch() {
        kept.push(new Date(time));
        return new Response([...new Set(kept.map(show))].join("\n") + "\n");
    },
};
JS
run 0 "a Date that was read at build time" compile --strict --warm / dates.js
run 0 "is loaded" run dates
expect "and has the fields of run time's zone" out_is "2024,6,1,1,8,0,0,240,Mon Jul 01 2024 08:00:00 GMT-0400 (Eastern Daylight Time),7/1/2024, 8:00:00 AM"

# --- V8's last match
cat >match.js <<'JS'
const statics = () => JSON.stringify([RegExp.input, RegExp.lastMatch, RegExp.$1, RegExp.leftContext, RegExp.lastParen]);
RegExp.prototype.exec = Object.assign(() => null, { real: RegExp.prototype.exec });
export default {
    fetch(request) {
        const seen = statics();
        const { real } = RegExp.prototype.exec;
        return new Response(seen + (real.call(/^([0-9a-f]+)-/, crypto.randomUUID()) !== null) + "\n");
    },
};
JS
run 0 "a warm-up that matched a UUID" compile --strict --warm / --warm / match.js
run 0 "is loaded" run match
expect "and no match is there" out_is '["","","","",""]true'

# --- V8's caches of texts
cat >texts.js <<'JS'
const uses = [
    id => id.split("-"),
    id => id.match(/[0-9a-f]/g),
    id => id.replace(/-/g, ""),
    id => [...id.matchAll(/-/g)],
    id => /(?<first>\w+)/.exec(id).groups.first,
    id => JSON.parse(JSON.stringify({ id })).id,
    id => Symbol.for("x").description + id.toUpperCase(),
    id => new URL(`https://host/${id}?q=${id}#${id}`).href,
    id => new Headers({ id }).get("id"),
    id => new TextDecoder().decode(new TextEncoder().encode(id)),
    id => structuredClone({ id }),
    id => decodeURIComponent(encodeURIComponent(id)),
    id => atob(btoa(id)),
    id => Number.parseInt(id, 16) + String(Number(`0x${id.slice(0, 8)}`)),
    id => new Intl.NumberFormat("en").format(Number(`0x${id.slice(0, 8)}`)),
    id => new Date(Number(`0x${id.slice(0, 8)}`)).toLocaleString("de"),
    id => id.localeCompare("x") + id.normalize("NFD"),
    id => new Error(id).stack,
    id => new Function("a", `return a + "${id}"`)(1),
    id => eval(`"${id}".length`),
];
export default {
    fetch() {
        for (const use of uses) use(crypto.randomUUID());
        return new Response("used\n");
    },
};
JS
run 0 "a warm-up whose random texts went through V8's caches" compile --strict --warm / texts.js

# --- Addresses of the compiler's memory
cat >views.js <<'JS'
class Bytes extends DataView {}
const views = [new DataView(new ArrayBuffer(8)), new DataView(new ArrayBuffer(0)), new Bytes(new ArrayBuffer(9), 1, 3)];
views.push(new DataView(new ArrayBuffer(8, { maxByteLength: 16 })), new DataView(new Uint8Array([1, 2, 3]).buffer, 1));
views.forEach((view, i) => view.byteLength && view.setUint8(view.byteLength - 1, i + 7));
export default {
    fetch() {
        views[3].buffer.resize(12);
        return new Response(views.map(view => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)].join(".")).join() + "\n");
    },
};
JS
run 0 "views of bytes" compile --strict views.js
run 0 "are loaded" run views
expect "with their bytes" out_is "0.0.0.0.0.0.0.7,,0.0.9,0.0.0.0.0.0.0.10.0.0.0.0,2.11"
run 0 "and give the same artifact again" rebuild views --from views.js

# --- Timers
cat >timers.js <<'JS'
const log = [];
const start = performance.now();
setInterval(name => log.push(name), 1200, "interval");
const cleared = setTimeout(() => log.push("cleared"), 1210);
setTimeout(() => log.push("soon"), 100);
let warmups = 0;
export default {
    async fetch(request) {
        if (request.url.endsWith("/warm")) {
            setTimeout(() => log.push("zero"), 0);
            setTimeout(() => log.push("later"), 1220);
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => log.push("message");
            port2.postMessage(1);
            warmups++;
            return new Response("");
        }
        clearTimeout(cleared);
        const before = log.join();
        await new Promise(resolve => setTimeout(resolve, 1300));
        return new Response(`${warmups} ${before} ${log}\n`);
    },
};
JS
run 0 "timers of the top level and of a warm-up" compile --strict --warm /warm timers.js
run 0 "are loaded" run timers
expect "and run out at build time or go on" out_is "1 soon,zero,message soon,zero,message,interval,later"
run 0 "and loaded again" run timers
expect "they are the same" out_is "1 soon,zero,message soon,zero,message,interval,later"
cat >thrower.js <<'JS'
export default { fetch() { setTimeout(() => { throw new Error("late"); }, 0); return new Response("fine\n"); } };
JS
run 0 "a warm-up whose timer throws" compile --strict --warm / thrower.js
cat >endless.js <<'JS'
const again = () => setTimeout(again, 0);
again();
export default { fetch: () => new Response("ticks\n") };
JS
run 0 "a timer that sets itself again and again" compile endless.js
run 0 "is loaded" run endless

cat >clock.js <<'JS'
await new Promise(resolve => setTimeout(resolve, 5000));
const start = performance.now();
export default { fetch: () => new Response(`${start} ${performance.now() >= start} ${Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 100}\n`) };
JS
run 0 "a moment of build time" compile --strict clock.js
run 0 "is loaded" run clock
expect "and is past" out_is "5000 true true"

# --- Random bytes
cat >scratch.js <<'JS'
const kept = [new Uint8Array(16), new Uint32Array(64).subarray(8, 16), new Uint8Array(256)];
let at = 256;
export default {
    fetch() {
        const before = kept.map(view => view.join()).join(";");
        for (const view of kept.slice(0, 2)) crypto.getRandomValues(view);
        if (at > 240) at = 0, crypto.getRandomValues(kept[2]);
        return new Response(`${before} ${kept[2].slice(at, (at += 16))}\n`);
    },
};
JS
run 0 "buffers that are filled again and again" compile --strict --warm / scratch.js
run 0 "are loaded" run scratch
cp out first
expect "with random bytes in them" grep -Evq '(^|[;,])0,0,0,0,0,0,0,0' first
run 0 "and loaded again" run scratch
expect "with others" sh -c '! cmp -s out first'
expect "from the first to the last" node -e '
    const [a, b] = ["first", "out"].map(name => require("fs").readFileSync(name, "utf8").split(/[;\s]/));
    process.exit(a.length === 5 && a.slice(0, 4).every((text, i) => text !== b[i]) ? 0 : 1)'

cat >parts.js <<'JS'
const pool = new Uint8Array(64);
const words = new DataView(new ArrayBuffer(24));
export default {
    fetch() {
        const before = `${pool.slice(8, 40)};${words.getBigUint64(16)}`;
        crypto.getRandomValues(pool.subarray(8, 40));
        crypto.getRandomValues(new Uint8Array(words.buffer, 8));
        return new Response(`${before}\n`);
    },
};
JS
run 0 "buffers whose views are made for each fill" compile --strict --warm / parts.js
run 0 "are loaded, too" run parts
cp out first
expect "with random bytes in the parts" grep -Evq '(^|,)0,0,0,0,0,0,0,0|;0$' first
run 0 "and loaded once more" run parts
expect "with others again" sh -c '! cmp -s out first'

# --- FinalizationRegistry
cat >registry.js <<'JS'
const held = { kept: true };
let gone = 0;
const registry = new FinalizationRegistry(() => gone++);
registry.register(held, 1, held);
export default {
    fetch() {
        registry.register({ some: "object" }, 1);
        registry.register(Promise.reject(new Error("nobody")), 2);
        return new Response(`${gone} ${registry.unregister(held)} ${held.kept}\n`);
    },
};
JS
run 0 "a registry whose objects are dead" compile --strict registry.js
run 0 "goes on" run registry
expect "with what it watched" out_is "0 true true"
run 0 "also after warm-ups" compile --strict --warm / --warm / --name warm registry.js
# --- WebAssembly
cat >wasm.js <<'JS'
// (module (func (export "a") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
const add = [0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 97, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11];
// (module (global (mut i32) (i32.const 0)) (memory (export "m") 1) (func (export "inc") (result i32) ...))
const inc = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 6, 6, 1, 127, 1, 65, 0, 11, 7, 11, 2, 1, 109, 2, 0, 3, 105, 110, 99, 0, 0, 10, 13, 1, 11, 0, 35, 0, 65, 1, 106, 36, 0, 35, 0, 11];
// (module (import "a" "b" (func)) (start 0))
const importing = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0, 8, 1, 0];
const errors = [];
for (const make of [
    () => new WebAssembly.Module(new Uint8Array([0, 97])),
    () => new WebAssembly.Module("text"),
    () => WebAssembly.Module(new Uint8Array(add)),
    () => new WebAssembly.Instance({}),
    () => new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(add)), 1),
    () => WebAssembly.instantiate(new Uint8Array([1])),
    () => WebAssembly.compile(new Uint8Array([1, 2])),
    () => WebAssembly.compile(1),
    () => WebAssembly.validate({}),
    () => WebAssembly.instantiate(),
    () => WebAssembly.instantiate(new Uint8Array(add), 1),
]) {
    try {
        await make();
    } catch (error) {
        errors.push(`${error} ${error instanceof WebAssembly.CompileError}`);
    }
}
const valid = [add, [0, 97]].map(bytes => WebAssembly.validate(new Uint8Array(bytes)));
class Kept extends WebAssembly.Module {}
const modules = [new Kept(new Uint8Array(add)), await WebAssembly.compile(new Uint8Array(inc).buffer)];
const startable = new WebAssembly.Module(new Uint8Array(importing));
const instance = new WebAssembly.Instance(modules[0]);
const { a } = instance.exports;
const counter = (await WebAssembly.instantiate(new Uint8Array(inc), {})).instance.exports;
const counts = [counter.inc(), counter.inc()];
const listed = WebAssembly.Module.exports(modules[1]);
export default {
    async fetch() {
        let started = 0;
        new WebAssembly.Instance(startable, { a: { b: () => started++ } });
        const answer = {
            errors,
            valid,
            kinds: [modules[0] instanceof Kept, modules[1] instanceof WebAssembly.Module, instance instanceof WebAssembly.Instance, `${instance}`],
            functions: [a.name, a.length, Object.keys(counter), Object.isFrozen(counter)],
            sum: a(2, 3),
            counts: [...counts, counter.inc()],
            memory: counter.m instanceof WebAssembly.Memory && counter.m.buffer.byteLength,
            fresh: new WebAssembly.Instance(modules[1]).exports.inc(),
            async: (await WebAssembly.instantiate(modules[0])).exports.a(4, 5),
            lists: [listed, WebAssembly.Module.exports(modules[1]), WebAssembly.Module.imports(startable)],
            started,
        };
        return new Response(JSON.stringify(answer));
    },
};
JS
run 0 "WebAssembly of the top level" compile --strict wasm.js
run 0 "is loaded" run wasm
cp wasm.js wasm.mjs
expect "and answers as in Node" node -e '
    import(`${process.cwd()}/wasm.mjs`).then(async module => {
        const text = await (await module.default.fetch()).text();
        if (require("fs").readFileSync("out", "utf8") !== text) throw new Error(text);
    })'
cat >calls.js <<'JS'
const inc = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 6, 6, 1, 127, 1, 65, 0, 11, 7, 11, 2, 1, 109, 2, 0, 3, 105, 110, 99, 0, 0, 10, 13, 1, 11, 0, 35, 0, 65, 1, 106, 36, 0, 35, 0, 11];
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(inc)));
for (let i = 0; i < 2000; i++) exports.inc();
export default { fetch: () => new Response(`${exports.inc()}\n`) };
JS
run 0 "calls at build time without end" compile calls.js
expect "are no snapshot" err_has "functions of WebAssembly were called too often at build time (calls.js:3:"
run 0 "but code" run calls
expect "that counts right" out_is "2001"
done_testing
