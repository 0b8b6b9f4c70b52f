// Bundles of every shape, compiled and called by area_runner: what each answers, or how it fails.
//   node check_shapes.mjs AREA_RUNNER
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const answer = text => `new Response("ok ${text}")`;

const add = `new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11])`;
const wasm = (source, type = "application/wasm", status = 200) =>
    `new Response(${source}, { status: ${status}, headers: { "content-type": "${type}" } })`;
const wasmFailure = source =>
    `export default { async fetch() { try { await ${source}; } catch (e) { return new Response("ok " + e.name + ": " + e.message); } } }`;

// [name, source, what the output must match, other arguments of area_runner]
const answers = [
    [
        "esm default object",
        `export default { x: "a", fetch() { return new Response("ok " + this.x); } }`,
        /^ok a$/,
    ],
    [
        "esm default instance",
        `class App { fetch() { return ${answer("b")}; } } export default new App()`,
        /^ok b$/,
    ],
    ["esm named fetch", `export function fetch() { return ${answer("c")}; }`, /^ok c$/],
    [
        "esm default before named",
        `export const handler = () => 1; export default { fetch: () => ${answer("d")} }`,
        /^ok d$/,
    ],
    [
        "esm default of CommonJS",
        `export default { __esModule: true, default: { fetch: () => ${answer("e")} } }`,
        /^ok e$/,
    ],
    [
        "esm top-level await",
        `const t = await Promise.resolve("f"); export default { fetch: () => new Response("ok " + t) }`,
        /^ok f$/,
    ],
    [
        "esm that listens",
        `addEventListener("fetch", e => e.respondWith(${answer("g")})); export {};`,
        /^ok g$/,
    ],
    ["CommonJS fetch", `module.exports = { fetch() { return ${answer("h")}; } }`, /^ok h$/],
    ["CommonJS exports.fetch", `exports.fetch = () => ${answer("i")}`, /^ok i$/],
    [
        "CommonJS default",
        `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = { fetch: () => ${answer("j")} }`,
        /^ok j$/,
    ],
    ["CommonJS handler in default", `exports.default = { fetch: () => ${answer("k")} }`, /^ok k$/],
    [
        "service worker",
        `addEventListener("fetch", event => event.respondWith(handle(event.request))); async function handle(r) { return new Response("ok " + r.method + r.url); }`,
        /^ok GEThttp:\/\/localhost\/run\?q=1$/,
    ],
    [
        "service worker, object listener",
        `addEventListener("fetch", { handleEvent(e) { e.respondWith(${answer("l")}); } })`,
        /^ok l$/,
    ],
    [
        "service worker, first answer wins",
        `addEventListener("fetch", e => e.respondWith(${answer("m")})); addEventListener("fetch", e => e.respondWith(${answer("n")}))`,
        /^ok m$/,
    ],
    [
        "listener before globalThis.handler",
        `globalThis.handler = () => 1; addEventListener("fetch", e => e.respondWith(${answer("o")}))`,
        /^ok o$/,
    ],
    [
        "IIFE that listens",
        `(() => { self.addEventListener("fetch", e => e.respondWith(${answer("p")})); })()`,
        /^ok p$/,
    ],
    [
        "env and context",
        `export default { fetch(r, env, ctx) { ctx.waitUntil(1); ctx.passThroughOnException(); return new Response("ok " + env.NAME + typeof ctx.props); } }`,
        /^ok valueobject$/,
    ],
    [
        "stream",
        `export default { fetch() { let n = 0; return new Response(new ReadableStream({ async pull(c) { await new Promise(r => setTimeout(r, 1)); if (n < 3) c.enqueue(new TextEncoder().encode(n++ ? "k" : "o")); else c.close(); } })); } }`,
        /^okk$/,
    ],
    [
        "Response subclass",
        `class R extends Response {} export default { fetch: () => new R("ok q") }`,
        /^ok q$/,
    ],
    [
        "waitUntil runs after the response",
        `export default { fetch(r, e, c) { c.waitUntil(new Promise(f => setTimeout(f, 1)).then(() => { console.log("later"); c.waitUntil(Promise.resolve().then(() => console.log("even later"))); })); return ${answer("r")}; } }`,
        /^ok r\n\[1\] later\n\[1\] even later$/,
    ],
    [
        "waitUntil that fails",
        `export default { fetch(r, e, c) { c.waitUntil(Promise.reject(new Error("bad"))); return ${answer("s")}; } }`,
        /^ok s\n\[3\] Uncaught \(in waitUntil\) Error: bad/,
    ],
    [
        "passed on by FetchEvent",
        `addEventListener("fetch", e => { e.waitUntil(Promise.reject(new Error("w"))); e.respondWith(${answer("t")}); })`,
        /^ok t\n\[3\] Uncaught \(in waitUntil\) Error: w/,
    ],
    [
        "respondWith twice",
        `addEventListener("fetch", e => { e.respondWith(${answer("u")}); e.respondWith(${answer("v")}); })`,
        /^ok u\n\[3\] Uncaught .*called already/,
    ],
    [
        "an unhandled rejection is told once",
        `export default { fetch() { Promise.reject(new RangeError("lost")); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Uncaught \(in promise\) RangeError: lost\n {4}at Object\.fetch \(bundle\.js:1:\d+\)$/,
    ],
    [
        "a rejection that a listener saw",
        `addEventListener("unhandledrejection", e => { console.log(e.reason); e.preventDefault(); }); export default { fetch() { Promise.reject("lost"); return ${answer("x")}; } }`,
        /^ok x\n\[1\] lost$/,
    ],
    [
        "a rejection that a listener saw and let pass",
        `addEventListener("unhandledrejection", e => console.log("seen")); export default { fetch() { Promise.reject("lost"); return ${answer("x")}; } }`,
        /^ok x\n\[1\] seen\n\[3\] Uncaught \(in promise\) lost$/,
    ],
    [
        "an error listener that throws",
        `addEventListener("error", e => { throw new Error("again"); }); export default { fetch() { reportError("first"); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Uncaught \(in a listener for "error"\) Error: again\n.*\n.*\n\[3\] Uncaught first$/,
    ],
    [
        "errors that are not Errors",
        `export default { fetch() { for (const e of ["text", undefined, null, { a: 1 }, Symbol("s"), 1n]) reportError(e); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Uncaught text\n\[3\] Uncaught undefined\n\[3\] Uncaught null\n\[3\] Uncaught #<Object>\n\[3\] Uncaught Symbol\(s\)\n\[3\] Uncaught 1$/,
    ],
    [
        "causes and parts of errors",
        `export default { fetch() { reportError(new AggregateError([new Error("one"), "two"], "all", { cause: new Error("why", { cause: "deep" }) })); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Uncaught AggregateError: all\n.*\nError 1 of 2: Error: one\n.*\nError 2 of 2: two\nCaused by: Error: why\n.*\nCaused by: deep$/,
    ],
    [
        "an exception in a microtask is told once",
        `export default { fetch() { queueMicrotask(() => { throw new Error("micro"); }); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Uncaught \(in a microtask\) Error: micro\n {4}at bundle\.js:1:\d+$/,
    ],
    [
        "console shows stacks without the engine's own frames",
        `export default { fetch() { console.error(new Error("shown")); console.trace("t"); return ${answer("x")}; } }`,
        /^ok x\n\[3\] Error: shown\n {4}at Object\.fetch \(bundle\.js:1:\d+\)\n\[3\] Trace: t\n {4}at Object\.fetch \(bundle\.js:1:\d+\)$/,
    ],
    [
        "WebAssembly in a call",
        `const bytes = ${add}; export default { async fetch() {
            const { Instance, Module, compile, compileStreaming, instantiate, instantiateStreaming, validate } = WebAssembly;
            const sums = [
                new Instance(new Module(bytes)),
                await instantiate(await compile(bytes)),
                (await instantiate(bytes)).instance,
                await instantiate(await compileStreaming(${wasm("bytes")})),
                (await instantiateStreaming(Promise.resolve(${wasm("new Blob([bytes]).stream()")}))).instance,
            ].map((instance, i) => instance.exports.add(i, 1));
            return new Response("ok " + sums + validate(bytes));
        } }`,
        /^ok 1,2,3,4,5true$/,
    ],
    [
        "WebAssembly.instantiate reads imports after it compiled",
        `export default { async fetch() {
            const order = [];
            const bytes = Uint8Array.from([0,97,115,109,1,0,0,0,2,8,1,1,109,1,103,3,127,0]);
            const imports = { get m() { order.push("module"); return { get g() { order.push("global"); return 7; } }; } };
            const promise = WebAssembly.instantiate(bytes, imports);
            bytes.fill(0);
            order.push("called");
            const { module, instance } = await promise;
            order.push(Object.keys(await promise), module instanceof WebAssembly.Module, instance instanceof WebAssembly.Instance);
            const second = WebAssembly.instantiate(module, imports);
            order.push("called", await second instanceof WebAssembly.Instance);
            const { instantiate } = WebAssembly;
            order.push(instantiate.name, instantiate.length, String(instantiate).includes("[native code]"));
            const failures = [[bytes], [], [5], [module, 5], [bytes, 5], [bytes, null], [module, {}]];
            for (const args of failures) order.push(await instantiate(...args).then(String, error => error.name));
            return new Response("ok " + order.join());
        } }`,
        /^ok called,module,global,module,instance,true,true,module,global,called,true,instantiate,1,true,CompileError,TypeError,TypeError,TypeError,TypeError,TypeError,TypeError$/,
    ],
    [
        "shared memory, where the standards take it and where they do not",
        `export default { async fetch() {
            const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
            const view = new Uint8Array(buffer, 0, 4);
            const compress = chunk => {
                const { readable, writable } = new CompressionStream("gzip");
                readable.pipeTo(new WritableStream()).catch(() => {});
                return writable.getWriter().write(chunk);
            };
            const { subtle } = crypto;
            const refusals = [
                ...[view, buffer].map(compress),
                ...[view, buffer].map(value => subtle.digest("SHA-256", value)),
                ...[view, buffer].map(value => subtle.importKey("raw", value, "HKDF", false, ["deriveBits"])),
            ];
            const names = await Promise.all(refusals.map(promise => promise.then(() => "taken", error => error.name)));
            for (const use of [
                () => crypto.getRandomValues(view),
                () => new Blob([view]),
                () => new Response(view),
                () => new Request("http://a/", { method: "POST", body: view }),
            ]) {
                try {
                    use();
                    names.push("taken");
                } catch (error) {
                    names.push(error.name);
                }
            }
            view.set([104, 105, 33, 33]);
            const decoder = new TextDecoder();
            const texts = [decoder.decode(view), decoder.decode(buffer).length];
            texts.push(new TextEncoder().encodeInto("ab", view).written, view[0], view.toHex());
            const stream = new TextDecoderStream();
            const writer = stream.writable.getWriter();
            writer.write(view);
            writer.close();
            texts.push(await new Response(stream.readable.pipeThrough(new TextEncoderStream())).text());
            return new Response("ok " + [...names, ...texts].join());
        } }`,
        /^ok (?:TypeError,){10}hi!!,65536,2,97,61622121,ab!!$/,
    ],
    [
        "WebAssembly's classes",
        `const { Module, Memory } = WebAssembly;
        class Pages extends Memory { get size() { return this.buffer.byteLength; } }
        export default { fetch() {
            const module = new Module(${add});
            const pages = new Pages({ initial: 2 });
            return new Response("ok " + [
                module instanceof WebAssembly.Module, module.constructor === Module, Module.exports(module)[0].name,
                Object.getPrototypeOf(module) === Module.prototype, Module.length, Module.name,
                pages instanceof Pages, pages instanceof Memory, pages.size,
                new WebAssembly.Exception(new WebAssembly.Tag({ parameters: [] }), []) instanceof WebAssembly.Exception,
            ].join());
        } }`,
        /^ok true,true,add,true,1,Module,true,true,131072,true$/,
    ],
    [
        "WebAssembly's own tag",
        `// Modules that import a tag of type (externref), and one of type (i32).
        const importsTag = type => new Uint8Array([0,97,115,109,1,0,0,0,1,5,1,96,1,type,0,2,8,1,1,109,1,116,4,0,0]);
        const attempt = type => {
            try {
                return new WebAssembly.Instance(new WebAssembly.Module(importsTag(type)), { m: { t: WebAssembly.JSTag } }) && "linked";
            } catch (error) {
                return error.name;
            }
        };
        export default { fetch: () => new Response("ok " + [attempt(0x7f), attempt(0x6f)]) }`,
        /^ok LinkError,linked$/,
    ],
    [
        "WebAssembly of what is not a Response",
        wasmFailure(`WebAssembly.compileStreaming(${add})`),
        /^ok TypeError: WebAssembly: the source must be a Response$/,
    ],
    [
        "WebAssembly of another type",
        wasmFailure(`WebAssembly.instantiateStreaming(${wasm(add, "application/wasm;a=b")})`),
        /^ok TypeError: WebAssembly: the response's content-type must be application\/wasm$/,
    ],
    [
        "WebAssembly of a status that says no",
        wasmFailure(`WebAssembly.compileStreaming(${wasm(add, "application/wasm", 404)})`),
        /^ok TypeError: WebAssembly: the response's status is 404$/,
    ],
    [
        "WebAssembly of a rejected promise",
        wasmFailure(`WebAssembly.compileStreaming(Promise.reject(new RangeError("x")))`),
        /^ok RangeError: x$/,
    ],
    [
        "WebAssembly of bytes that are none",
        wasmFailure(`WebAssembly.compileStreaming(${wasm(`new Uint8Array([0, 97, 115])`)})`),
        /^ok CompileError: WebAssembly\.compile(Streaming)?\(\): /,
    ],
    [
        "WebAssembly of a stream that breaks",
        wasmFailure(
            `WebAssembly.compileStreaming(${wasm("new ReadableStream({ pull(c) { c.error(new RangeError('broke')); } })")})`
        ),
        /^ok RangeError: broke$/,
    ],
    [
        "a timer that throws does not fail the call",
        `export default { fetch() { return new Promise(r => { setTimeout(() => { throw new Error("timer"); }, 0); setTimeout(r, 2, ${answer("x")}); }); } }`,
        /^ok x\n\[3\] Uncaught \(in a timer\) Error: timer\n {4}at bundle\.js:1:\d+$/,
    ],
    [
        "a handler of the global object prevents what is logged",
        `globalThis.onerror = message => { console.log(message); return true; };
        globalThis.onunhandledrejection = event => event.preventDefault();
        export default { async fetch() { setTimeout(() => { throw "a"; }, 0); Promise.reject("b"); await new Promise(r => setTimeout(r, 3)); return ${answer("x")}; } }`,
        /^ok x\n\[1\] a$/,
    ],
    [
        "streams are held by a bundle that reads a body",
        `export default { fetch: r => new Response(r.body ?? "ok y") }`,
        /^modules in the blob: .*\bstreams\b/m,
        "--stats",
    ],
    [
        "crypto.subtle is held by a bundle that speaks of it",
        `export default { fetch: () => globalThis.never ? crypto.subtle : ${answer("y")} }`,
        /^modules in the blob: .*\bsubtle\b/m,
        "--stats",
    ],
    [
        "what is not touched is not there",
        `export default { fetch: () => ${answer("w")} }`,
        /^modules in the blob: dispatch fetch idl$/m,
        "--stats",
    ],
    [
        "URL does without its parser",
        `const u = new URL("http://a/"); export default { fetch: () => ${answer("w")} }`,
        /^modules in the blob: dispatch fetch idl iterators url$/m,
        "--stats",
    ],
    [
        "URL with a base brings its parser into the blob",
        `const u = new URL("a", "http://a/"); export default { fetch: () => ${answer("w")} }`,
        /^modules in the blob: dispatch fetch idl iterators percent url url_machine$/m,
        "--stats",
    ],
    [
        "URL that is first read at run time",
        `export default { fetch() {
            const U = globalThis["U" + "RL"];
            const plain = new U("http://a:8080/b?c#d");
            const u = new U("../c?d#e", "http://u:p@[::1]:8080/a/b");
            u.port = "81";
            return new Response("ok " + [plain.href, plain.origin, u.href, u.origin, new U("data:x").href]);
        } }`,
        /^ok http:\/\/a:8080\/b\?c#d,http:\/\/a:8080,http:\/\/u:p@\[::1\]:81\/c\?d#e,http:\/\/\[::1\]:81,data:x$/,
    ],
    [
        "streams that are first read at run time",
        `export default { async fetch() {
            const g = globalThis;
            const R = g["Readable" + "Stream"], W = g["Writable" + "Stream"], A = g["Abort" + "Controller"];
            let signal;
            const w = new W({ start(c) { signal = c.signal; } });
            const a = new A();
            const piped = new R().pipeTo(w, { signal: a.signal }).catch(e => e.name);
            a.abort();
            const bare = { aborted: true, addEventListener() {}, removeEventListener() {} };
            const again = await new R().pipeTo(new W(), { signal: bare }).catch(e => e);
            return new Response("ok " + [await piped, signal.aborted, signal.reason.name, again, again.constructor.name]);
        } }`,
        /^ok AbortError,true,AbortError,AbortError: Aborted,DOMException$/,
    ],
    [
        "a key generated in a warm-up is refused",
        `let pair;
        export default { async fetch() {
            pair ??= await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
            try {
                await crypto.subtle.sign("Ed25519", pair.privateKey, new Uint8Array(1));
            } catch (error) {
                return new Response("ok " + error.name);
            }
            return new Response("ok signed");
        } }`,
        /^ok InvalidAccessError$/,
        "--warm",
    ],
    [
        "what is touched at top level is there",
        `const e = new TextEncoder(); export default { fetch: () => ${answer("w")} }`,
        /^modules in the blob: dispatch encoding fetch idl$/m,
        "--stats",
    ],
];

const events = [
    [
        "esm default function",
        `export default function (event, context) { return { ...event, name: context.functionName, env: context.env.NAME }; }`,
        /^\{"a":1,"name":"area","env":"value"\}$/,
    ],
    ["esm handler", `export const handler = async event => [event.a]`, /^\[1\]$/],
    ["CommonJS function", `module.exports = e => e.a`, /^1$/],
    ["CommonJS exports.handler", `exports.handler = e => ({ b: e.a })`, /^\{"b":1\}$/],
    [
        "CommonJS module.exports.handler keeps this",
        `module.exports = { n: 5, handler() { return this.n; } }`,
        /^5$/,
    ],
    ["globalThis.handler", `globalThis.handler = e => e`, /^\{"a":1\}$/],
    ["IIFE", `(function () { globalThis.handler = () => "x"; })()`, /^"x"$/],
    ["nothing", `export default () => {}`, /^null$/],
    [
        "a Response",
        `export default () => new Response("é", { status: 201, headers: { x: "y" } })`,
        /^\{"status":201,"headers":\{"content-type":"text\/plain;charset=UTF-8","x":"y"\},"body":"é"\}$/,
    ],
    ["toJSON", `export default () => new Date(0)`, /^"1970-01-01T00:00:00.000Z"$/],
].map(item => [...item, "--event", '{"a":1}']);

const failures = [
    [
        "a timer that throws at top level",
        `await new Promise(r => { setTimeout(() => { throw new Error("early"); }, 0); setTimeout(r, 2); });
        export default { fetch: () => new Response("ok") }`,
        /^build: in a timer: Error: early\n/,
    ],
    [
        "a timer that throws what would have settled the answer",
        `export default { fetch: () => new Promise(() => setTimeout(() => { throw new Error("lost"); }, 0)) }`,
        /Uncaught \(in a timer\) Error: lost\n[^]*fetch: the promise can never be settled/,
    ],
    ["no handler", `export const x = 1`, /handler/],
    ["default that is not a handler", `export default 5`, /handler/],
    [
        "not a Response",
        `export default { fetch: () => ({}) }`,
        /handler returned an object of class Object, expected a Response/,
    ],
    [
        "a string",
        `export default { fetch: () => "x" }`,
        /handler returned a string, expected a Response/,
    ],
    [
        "nothing",
        `export default { async fetch() {} }`,
        /handler returned undefined, expected a Response/,
    ],
    [
        "Response.error()",
        `export default { fetch: () => Response.error() }`,
        /handler returned Response.error\(\)/,
    ],
    [
        "a used Response",
        `export default { async fetch() { const r = new Response("x"); await r.text(); return r; } }`,
        /the body was used already/,
    ],
    ["throws", `export default { fetch() { throw new RangeError("thrown"); } }`, /thrown/],
    ["throws a string", `export default { fetch() { throw "only text"; } }`, /^fetch: only text$/],
    ["throws nothing", `export default { fetch() { throw undefined; } }`, /^fetch: undefined$/],
    [
        "throws a DOMException",
        `export default { fetch() { throw new DOMException("gone", "AbortError"); } }`,
        /^fetch: AbortError: gone\nAbortError: gone\n {4}at Object\.fetch/,
    ],
    [
        "rejects with an AggregateError, once",
        `export default { fetch: () => Promise.any([Promise.reject(new Error("p1")), Promise.reject("p2")]) }`,
        /^fetch: AggregateError: All promises were rejected\nAggregateError: All promises were rejected\nError 1 of 2: Error: p1\n.*\nError 2 of 2: p2$/,
    ],
    [
        "rejects",
        `export default { fetch: async () => { throw new RangeError("rejected"); } }`,
        /rejected/,
    ],
    [
        "no respondWith",
        `addEventListener("fetch", () => {})`,
        /no listener of "fetch" called respondWith/,
    ],
    [
        "a listener that throws",
        `addEventListener("fetch", () => { throw new Error("in listener"); })`,
        /in listener/,
    ],
    [
        "a stream that fails",
        `export default { fetch: () => new Response(new ReadableStream({ pull() { throw new Error("broken"); } })) }`,
        /broken/,
    ],
    ["result without JSON form", `export default () => 1n`, /BigInt/, "--event", "{}"],
    [
        "randomUUID at top level",
        `const id = crypto.randomUUID(); export default { fetch: () => new Response(id) }`,
        /crypto\.randomUUID\(\) was called at top level/,
    ],
    [
        "getRandomValues at top level",
        `crypto.getRandomValues(new Uint8Array(1)); export default { fetch: () => new Response("ok") }`,
        /crypto\.getRandomValues\(\) was called at top level/,
    ],
    [
        "generateKey at top level",
        `await crypto.subtle.generateKey("Ed25519", true, ["sign"]);
        export default { fetch: () => new Response("ok") }`,
        /crypto\.subtle\.generateKey\(\) was called at top level \(bundle\.js:1:21\)/,
    ],
    [
        "generateKey of a secret key at top level",
        `await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"]);
        export default { fetch: () => new Response("ok") }`,
        /crypto\.subtle\.generateKey\(\) was called at top level/,
    ],
    [
        "RSA-OAEP at top level",
        `const key = await crypto.subtle.importKey("jwk", { kty: "RSA", e: "AQAB",
            n: "${
                "qrju2qumEoExdKnDJ-zNlz0Z8AzjkEz0EHgAk0ArEiEuu0ATGY71kHLUterZUGcY" +
                "fWDxnHd-xjVr1CukxubkJUYqm4j3zSRxO4LHkJ0isBZPOI0n55drjAJRfK3Bqejq" +
                "ACMkMTO9B0cskA6_xFXd-HoEtyQ_uYoYjYZeARxmDRU"
            }" },
            { name: "RSA-OAEP", hash: "SHA-1" }, false, ["encrypt"]);
        await crypto.subtle.encrypt("RSA-OAEP", key, new Uint8Array(1));
        export default { fetch: () => new Response("ok") }`,
        /crypto\.subtle\.encrypt\(\) with RSA-OAEP was called at top level/,
    ],
];

const folder = mkdtempSync(join(tmpdir(), "snapcell-shapes-"));
let failed = 0;

function run(source, ...options) {
    const file = join(folder, "bundle.js");
    writeFileSync(file, Buffer.from(source, "latin1"));
    return spawnSync(process.argv[2], [file, ...options], { encoding: "utf8" });
}

// Random values and keys: the same at each build, fresh in each instance.
const randoms = [
    `crypto.randomUUID() + crypto.getRandomValues(new Uint32Array(4))`,
    `JSON.stringify(await crypto.subtle.exportKey("jwk", await crypto.subtle.generateKey(
        { name: "AES-CBC", length: 256 }, true, ["encrypt"])))`,
    ...[
        `{ name: "RSA-PSS", hash: "SHA-1", modulusLength: 512,
            publicExponent: new Uint8Array([3]) }`,
        `{ name: "ECDSA", namedCurve: "P-521" }`,
        `"Ed25519"`,
    ].map(
        algorithm => `JSON.stringify(await crypto.subtle.exportKey("jwk",
            (await crypto.subtle.generateKey(${algorithm}, true, ["sign"])).privateKey))`
    ),
];

function checkRandom(random) {
    const source = `export default { async fetch() {
        const id = ${random};
        console.log(id);
        return new Response("ok " + id);
    } }`;
    const [first, second] = [run(source, "--warm"), run(source, "--warm")];
    const builds = [first, second].map(({ stderr }) => stderr.split("\n")[0]);
    if (builds[0] === builds[1] && builds[0].startsWith("[1] ") && first.stdout !== second.stdout) {
        return;
    }
    failed++;
    console.error(`random values: ${random}`, first, second);
}

function check([name, source, expected, ...options], wantedStatus) {
    const { status, stdout, stderr } = run(source, ...options);
    const output = `${stdout}${stderr}`.trim();
    if (status === wantedStatus && expected.test(output)) return;
    failed++;
    console.error(
        `${name}: status ${status}, expected ${wantedStatus} and ${expected}\n${output}\n`
    );
}

for (const item of [...answers, ...events]) check(item, 0);
for (const item of failures) check(item, 1);
randoms.forEach(checkRandom);
rmSync(folder, { recursive: true });
console.log(
    `${answers.length + events.length + failures.length + randoms.length - failed} passed, ${failed} failed`
);
process.exit(failed > 0 ? 1 : 0);
