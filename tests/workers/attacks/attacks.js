// A function whose paths try to leave something for the next call, or to break the restore of its memory. "/" tells all
// that the next call could find. `/NAME` is an attack; "/names" lists them.
const state = { count: 0, kept: [], table: new Map([["a", 1]]), date: new Date(0) };
const anchor = { here: true };
const weak = new WeakRef(anchor);
const cleaned = [];
const registry = new FinalizationRegistry(what => cleaned.push(what));
const text = new TextEncoder();
const random = n => crypto.getRandomValues(new Uint8Array(n));
const names = Object.getOwnPropertyNames(globalThis).length;

// (memory 1 100) exported as "m", a mutable global as "g", a table as "t", and f: i32 -> i32 that adds to the global
const wasmBytes = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 4, 4, 1, 112, 0, 10, 5, 4,
    1, 1, 1, 100, 6, 6, 1, 127, 1, 65, 0, 11, 7, 17, 4, 1, 109, 2, 0, 1, 103, 3, 0, 1, 116, 1, 0, 1,
    102, 0, 0, 10, 13, 1, 11, 0, 35, 0, 32, 0, 106, 36, 0, 35, 0, 11,
]);
const instantiate = () => new WebAssembly.Instance(new WebAssembly.Module(wasmBytes)).exports;
const wasm = instantiate();

function hot(x) {
    return x.value === undefined ? x + 1 : x.value + 1;
}

const deep = n => (n === 0 ? 0 : 1 + deep(n - 1));
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

function swallow(work) {
    try {
        return work();
    } catch (error) {
        return error.name;
    }
}

const attacks = {
    // --- WebAssembly
    wasmGrow() {
        for (let i = 0; i < 20; i++) swallow(() => wasm.m.grow(5));
        new Uint8Array(wasm.m.buffer).fill(0xa5);
        wasm.t.grow(1000);
        swallow(() => wasm.t.set(3, wasm.f));
        for (let i = 0; i < 1e5; i++) wasm.f(i);
    },
    wasmModules() {
        for (let i = 0; i < 30; i++) {
            const exports = instantiate();
            exports.m.grow(9);
            new Uint32Array(exports.m.buffer).fill(0xabababab);
            state.kept.push(exports);
        }
    },
    async wasmLater() {
        const all = Array.from({ length: 8 }, () => swallow(() => WebAssembly.compile(wasmBytes)));
        state.kept.push(...(await Promise.allSettled(all)));
    },
    wasmShared() {
        state.kept.push(
            swallow(() => {
                const memory = new WebAssembly.Memory({ initial: 2, maximum: 50, shared: true });
                const view = new Int32Array(memory.buffer);
                memory.grow(20);
                Atomics.store(view, 0, 7);
                Atomics.notify(view, 0);
                new Int32Array(memory.buffer).fill(0x5a5a5a5a);
                return [memory, swallow(() => Atomics.wait(view, 0, 7, 1))];
            })
        );
        state.kept.push(swallow(() => new SharedArrayBuffer(8)));
    },
    wasmTrap() {
        // (func unreachable), and one that reads out of bounds
        const trap = new Uint8Array([
            0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 3, 2, 0, 0, 5, 3, 1, 0, 1, 7, 9,
            2, 1, 117, 0, 0, 1, 98, 0, 1, 10, 17, 2, 3, 0, 0, 11, 11, 0, 65, 240, 255, 255, 255, 7,
            40, 2, 0, 11,
        ]);
        const { exports } = new WebAssembly.Instance(new WebAssembly.Module(trap));
        for (let i = 0; i < 500; i++) state.kept.push(swallow(exports.u), swallow(exports.b));
    },
    wasmLoop() {
        // (func loop (br 0))
        const code = new Uint8Array([
            0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10,
            9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
        ]);
        new WebAssembly.Instance(new WebAssembly.Module(code)).exports.f();
    },
    // --- memory
    buffers() {
        for (let size = 1; size < 5e6; size = size * 3 + 1) {
            state.kept.push(new Uint8Array(size).fill(0xee), random(Math.min(size, 60000)));
            const one = new ArrayBuffer(size, { maxByteLength: size * 2 });
            one.resize(size * 2);
            new Uint8Array(one).fill(0xdd);
            state.kept.push(one, one.slice(0).transfer(size + 9));
        }
    },
    bufferQuota() {
        for (let i = 0; i < 300; i++)
            if (swallow(() => state.kept.push(new Uint8Array(4 << 20).fill(i))) === "RangeError")
                break;
        state.kept.push(swallow(() => new ArrayBuffer(2 ** 40)));
    },
    heap() {
        for (;;) state.kept.push({ a: [1, 2, 3], b: "x" + state.kept.length, c: new Map() });
    },
    garbage() {
        for (let i = 0; i < 300; i++) new Array(1e5).fill(i).map(x => ({ x }));
    },
    oneArray() {
        state.kept.push(new Array(2 ** 27).fill({}));
    },
    longString() {
        let s = "long";
        for (;;) s += s;
    },
    strings() {
        for (let i = 0; i < 50000; i++)
            state.kept.push({ [`key ${i}`]: Symbol.for(`symbol ${i}`) });
        state.kept.push(
            "x".repeat(1e6).split(""),
            state.kept.map((_, i) => `rope ${i}` + i).join("")
        );
    },
    collections() {
        const map = new Map();
        for (let i = 0; i < 2e5; i++) map.set(i, { i }).delete(i - 1000);
        const keys = Array.from({ length: 2e4 }, () => ({}));
        state.kept.push(map, new WeakMap(keys.map(k => [k, k])), new Set(keys));
        state.table.set("a", 2).set(keys, map);
    },
    weak() {
        for (let i = 0; i < 20000; i++) {
            const target = { i, b: new Uint8Array(50) };
            registry.register(target, i, target);
            state.kept.push(new WeakRef(target));
        }
        attacks.garbage();
    },
    detach() {
        for (let i = 0; i < 200; i++) {
            const buffer = new ArrayBuffer(10000);
            state.kept.push(new DataView(buffer), structuredClone(buffer, { transfer: [buffer] }));
        }
    },
    // --- the stack
    recursion() {
        for (let i = 0; i < 30; i++) swallow(() => deep(1e9));
    },
    recursionInBuiltins() {
        const nested = "[".repeat(1e5) + "]".repeat(1e5);
        swallow(() => JSON.parse(nested));
        const ring = {};
        ring.toJSON = () => JSON.stringify(ring);
        swallow(() => JSON.stringify(ring));
        const sort = () => [2, 1].sort(sort);
        swallow(sort);
        swallow(() => /(?:(a)|b)*/.exec("ab".repeat(5e6)));
        const proxy = new Proxy({}, { get: (target, key, self) => self[key] });
        swallow(() => proxy.x);
        swallow(() => `${{ toString: () => `${deep(1e9)}` }}`);
    },
    async recursionLater() {
        const later = async n => (n === 0 ? deep(1e9) : await later(n - 1));
        state.kept.push(await later(2000).catch(error => error));
    },
    endlessRecursion() {
        const again = () => {
            try {
                again();
            } finally {
                again();
            }
        };
        again();
    },
    // --- code
    regexps() {
        for (let i = 0; i < 400; i++) {
            const one = new RegExp(
                `(?<n${i}>a{${i % 50}}|b+)*[x-z]?${i}`,
                ["", "i", "u", "v", "y", "g"][i % 6]
            );
            one.lastIndex = 1;
            one.test("ab".repeat(100) + i);
            state.kept.push(one, RegExp.$1);
        }
        /(?<=(\w+)\s)(\p{Lu})/u.exec("Some Thing");
    },
    slowRegexp() {
        /^(a+)+$/.test("a".repeat(40) + "b");
    },
    closures() {
        for (let i = 0; i < 300; i++) {
            const made = [
                x => x + i,
                x => x * i,
                x => [x, i],
                class {
                    [`m${i}`]() {}
                },
            ];
            for (let k = 0; k < 100; k++) made[k % 3](k);
            state.kept.push(made, new made[3]());
        }
    },
    deoptimize() {
        for (let i = 0; i < 2e4; i++) hot(i);
        for (const odd of [1.5, "s", { value: 2 }, { other: 1, value: 3 }, [], 1n << 70n, null])
            swallow(() => hot(odd));
        for (let i = 0; i < 2e4; i++) hot({ value: i, [`p${i % 30}`]: i });
        const array = [1, 2, 3];
        for (let i = 0; i < 2e4; i++) array[i % 5000] = i % 7 === 0 ? 1.5 : i % 11 === 0 ? "s" : i;
        delete array[17];
        state.kept.push(array);
    },
    generators() {
        function* numbers() {
            for (let i = 0; ; i++) yield i;
        }
        for (let i = 0; i < 200; i++) {
            const one = numbers();
            one.next();
            state.kept.push(one, [1, 2, 3].values(), new Map([[1, 2]]).entries());
        }
    },
    async asyncGenerators() {
        async function* numbers() {
            for (let i = 0; ; i++) yield await new Promise(resolve => setTimeout(resolve, 0, i));
        }
        const all = Array.from({ length: 20 }, numbers);
        state.kept.push(all, await Promise.all(all.map(one => one.next())));
        all[0].next();
    },
    // --- built-ins
    prototypes() {
        Object.prototype.polluted = "polluted";
        Array.prototype[5] = "polluted";
        Array.prototype.map = () => "replaced";
        Promise.prototype.then = function () {
            return this;
        };
        String.prototype.slice = RegExp.prototype.exec = Map.prototype.get = () => null;
        Object.defineProperty(Object.prototype, "then", {
            get: () => undefined,
            configurable: true,
        });
    },
    globals() {
        for (const name of [
            "JSON",
            "Math",
            "Response",
            "URL",
            "TextEncoder",
            "crypto",
            "Date",
            "Promise",
        ])
            swallow(() => (globalThis[name] = class {}));
        for (const name of Object.getOwnPropertyNames(globalThis))
            swallow(() => delete globalThis[name]);
        for (let i = 0; i < 1000; i++) globalThis[`made${i}`] = i;
        return null;
    },
    freeze() {
        for (const one of [Object, Array, Map, Promise, Function, Error, Symbol, ArrayBuffer])
            (Object.freeze(one.prototype), Object.freeze(one));
        Object.preventExtensions(globalThis);
        Object.freeze(state);
    },
    errors() {
        Error.stackTraceLimit = Infinity;
        Error.prepareStackTrace = (error, sites) => (state.kept.push(sites), "stack");
        for (let i = 0; i < 50; i++)
            state.kept.push(
                swallow(() => deep(1e9)),
                new Error(`e ${i}`).stack
            );
        throw Object.assign(new Error("the attack's own"), { kept: state.kept });
    },
    throws() {
        throw { toString: () => deep(1e9) };
    },
    date() {
        Date.now = () => 0;
        performance.now = () => 0;
        state.date.setFullYear((1970 + Math.random() * 100) | 0);
        for (const zone of ["UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin"])
            swallow(() => state.date.toLocaleString("de", { timeZone: zone }));
    },
    intl() {
        for (const tag of ["de", "tr", "ja", "ar", "th", "hi", "zh-Hant", "sr-Latn"]) {
            const list = ["z", "\u00e4", "\u0131", "I"];
            state.kept.push(
                swallow(() => list.sort(new Intl.Collator(tag).compare)),
                swallow(() =>
                    new Intl.DateTimeFormat(tag, { dateStyle: "full" }).format(state.date)
                ),
                swallow(() =>
                    new Intl.NumberFormat(tag, { style: "currency", currency: "EUR" }).format(1e6)
                ),
                swallow(() => [
                    ...new Intl.Segmenter(tag, { granularity: "word" }).segment("a b c"),
                ]),
                swallow(() => new Intl.PluralRules(tag).select(3)),
                "Iı\u00df".toLocaleUpperCase(tag),
                "a\u0308\u1100".normalize("NFKD").localeCompare("b", tag)
            );
        }
    },
    // --- the web
    streams() {
        for (let i = 0; i < 30; i++) {
            const stream = new ReadableStream({
                pull: controller => controller.enqueue(random(100)),
            });
            const [left, right] = stream.tee();
            const reader = left.pipeThrough(new TransformStream()).getReader();
            reader.read();
            state.kept.push(
                reader,
                right,
                new CompressionStream("gzip").writable.getWriter().write(random(9999))
            );
        }
    },
    async compression() {
        const body = new Blob([new Uint8Array(2e6).fill(7)])
            .stream()
            .pipeThrough(new CompressionStream("deflate"));
        const reader = body.getReader();
        await reader.read();
        state.kept.push(reader);
        const bad = new Blob(["not gzip"]).stream().pipeThrough(new DecompressionStream("gzip"));
        state.kept.push(await new Response(bad).text().catch(error => error.name));
    },
    streamedAnswer() {
        let left = 200;
        return new Response(
            new ReadableStream({
                pull(controller) {
                    if (left-- === 0) throw new Error("the body's own");
                    controller.enqueue(new Uint8Array(10000).fill(65));
                },
            })
        );
    },
    largeAnswer() {
        return new Response("large ".repeat(1e6));
    },
    endlessAnswer() {
        return new Response(
            new ReadableStream({
                pull: controller => controller.enqueue(new Uint8Array(1e5).fill(66)),
            })
        );
    },
    timers() {
        for (let i = 0; i < 500; i++) {
            setTimeout(() => state.count++, i % 50);
            state.kept.push(setInterval(() => (state.count += 2), 1));
        }
    },
    waitUntil(request, env, context) {
        context.waitUntil(sleep(3).then(() => (state.count += 5)));
        context.waitUntil(Promise.reject(new Error("later")));
        setTimeout(() => (globalThis.late = true), 1);
    },
    waitForever(request, env, context) {
        context.waitUntil(new Promise(() => {}));
    },
    never() {
        return new Promise(() => {});
    },
    microtasks() {
        const again = () => Promise.resolve().then(again);
        return again();
    },
    pending() {
        for (let i = 0; i < 5000; i++)
            state.kept.push(new Promise(() => {}), Promise.reject(i), { then() {} });
        Promise.any([]).catch(() => (state.count = -1));
        addEventListener("unhandledrejection", event => (event.preventDefault(), state.count++));
    },
    async signals() {
        const abort = new AbortController();
        for (let i = 0; i < 200; i++) {
            const any = AbortSignal.any([abort.signal, AbortSignal.timeout(i % 4)]);
            any.addEventListener("abort", () => state.count++);
            state.kept.push(any);
        }
        await sleep(2);
        abort.abort();
    },
    messages() {
        for (let i = 0; i < 50; i++) {
            const { port1, port2 } = new MessageChannel();
            port2.onmessage = event => (state.kept.push(event), port2.postMessage(event.data));
            port1.postMessage({
                i,
                list: [port1.constructor.name, new Date(i), /x/g, new Map([[i, i]])],
            });
        }
        return sleep(1).then(() => null);
    },
    console() {
        for (let i = 0; i < 2000; i++) console.log("a line", i, state);
        console.error("x".repeat(100000));
        for (let i = 0; i < 100; i++) (console.group(i), console.count("c"), console.time(`t${i}`));
    },
    performance() {
        for (let i = 0; i < 3000; i++) performance.mark(`mark ${i}`, { detail: state });
        performance.measure("m", "mark 0", "mark 2999");
        new PerformanceObserver(list => state.kept.push(list)).observe({
            entryTypes: ["mark", "measure"],
        });
        performance.mark("observed");
    },
    events() {
        const target = new EventTarget();
        for (let i = 0; i < 2000; i++) {
            target.addEventListener("x", () => state.count++, { once: i % 2 === 0 });
            addEventListener("fetch", event => event.respondWith(new Response("hijacked")));
        }
        target.dispatchEvent(new Event("x"));
    },
    forms() {
        for (let i = 0; i < 200; i++) {
            const form = new FormData();
            form.append("file", new File([random(500)], `f${i}`), `f${i}`);
            const headers = new Headers({ a: String(i) });
            headers.append("set-cookie", `c=${i}`);
            const url = new URL(`http://host${i}.test/p?q=${i}#h`);
            url.searchParams.append("more", "\u00e9");
            state.kept.push(form, headers, url, new Request(url, { method: "POST", body: form }));
        }
    },
    encodings() {
        for (const label of [
            "utf-8",
            "utf-16le",
            "latin1",
            "shift_jis",
            "gb18030",
            "euc-kr",
            "big5",
            "koi8-r",
        ])
            swallow(() => {
                const decoder = new TextDecoder(label);
                state.kept.push(decoder, decoder.decode(random(999), { stream: true }));
            });
        state.kept.push(
            atob(btoa("b".repeat(1e5))),
            structuredClone({ deep: { kept: [state.date] } })
        );
    },
    // --- crypto
    async keys() {
        const subtle = crypto.subtle;
        const aes = await subtle.generateKey({ name: "AES-GCM", length: 256 }, true, [
            "encrypt",
            "decrypt",
        ]);
        const iv = random(12);
        const sealed = await subtle.encrypt({ name: "AES-GCM", iv }, aes, random(60000));
        const pair = await subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, [
            "sign",
            "verify",
        ]);
        const ed = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
        state.kept.push(aes, sealed, pair, ed, await subtle.exportKey("pkcs8", pair.privateKey));
        // failures leave OpenSSL's list of errors behind
        for (let i = 0; i < 20; i++) {
            await subtle
                .decrypt({ name: "AES-GCM", iv }, aes, random(64))
                .catch(error => state.kept.push(error));
            await subtle.importKey("pkcs8", random(50), "Ed25519", true, ["sign"]).catch(() => {});
            await subtle
                .importKey("spki", random(99), { name: "ECDSA", namedCurve: "P-256" }, true, [
                    "verify",
                ])
                .catch(() => {});
        }
    },
    async derive() {
        const key = await crypto.subtle.importKey("raw", text.encode("password"), "PBKDF2", false, [
            "deriveBits",
        ]);
        const how = { name: "PBKDF2", hash: "SHA-512", salt: random(16), iterations: 5000 };
        state.kept.push(await crypto.subtle.deriveBits(how, key, 512));
        await crypto.subtle.deriveBits({ ...how, iterations: 1e9 }, key, 512);
    },
    randomness() {
        for (let i = 0; i < 3000; i++) state.kept.push(Math.random(), crypto.randomUUID());
    },
    async net() {
        for (let i = 0; i < 20; i++)
            state.kept.push(await fetch(`http://127.0.0.1:${i + 1}/`).catch(error => error.name));
    },
    // --- what never ends
    loop() {
        for (;;) state.count++;
    },
    loopWithCatch() {
        for (;;) {
            try {
                for (;;) state.count++;
            } finally {
                continue; // eslint-disable-line
            }
        }
    },
    builtin() {
        const needle = "a".repeat(1e6) + "c";
        return ("a".repeat(2e7) + "b").lastIndexOf(needle);
    },
    parse() {
        state.kept.push(JSON.parse("[" + "1,".repeat(2e7) + "1]"));
    },
    sort() {
        state.kept.push(Array.from({ length: 3e6 }, () => Math.random()).sort());
    },
    bigint() {
        let big = 3n;
        for (let i = 0; i < 40; i++) big *= big;
        return big.toString();
    },
};

// What a warm-up leaves is there in all calls.
function change() {
    return [
        wasm.f(5),
        String(setTimeout(() => {}, 0)),
        state.table.set("b", 2).size,
        registry.register({}, 1),
    ];
}

// What may differ from call to call is not in it: the time, and what is drawn.
async function look(request) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", wasmBytes));
    const zero = [24, 5000, 70000, 1 << 20].every(size =>
        new Uint8Array(size).every(byte => byte === 0)
    );
    return JSON.stringify({
        state: [state.count, state.kept.length, [...state.table], state.date.getTime()],
        weak: [weak.deref() === anchor, cleaned.length],
        names: Object.getOwnPropertyNames(globalThis).length - names,
        polluted: [Object.keys(Object.prototype), Array.prototype.length, "late" in globalThis],
        frozen: [Object, Array, Map, Promise, state].map(one =>
            Object.isFrozen(one.prototype ?? one)
        ),
        builtins: [
            [3, 1].map(x => x + 1),
            "abc".slice(1),
            new Map([[1, 2]]).get(1),
            JSON.parse("[1,{}]"),
        ],
        regexp: [/(b+)(?<n>c)/.exec("abbc").groups.n, RegExp.$1],
        wasm: [
            wasm.g.value,
            wasm.m.buffer.byteLength,
            new Uint8Array(wasm.m.buffer).every(x => x === 0),
        ],
        table: [wasm.t.length, wasm.t.get(3) === null],
        hot: [hot(1), hot({ value: 2 }), deep(100)],
        errors: [
            Error.stackTraceLimit,
            typeof Error.prepareStackTrace,
            new Error("e").stack.split("\n").length > 1,
        ],
        performance: [
            performance.getEntries().length,
            performance.now() < 60000,
            Date.now() > 1.7e12,
        ],
        url: new URL("/x?y#z", request.url).href,
        zero,
        digest: [...digest].slice(0, 6),
        body: await request.text(),
        locale: [
            "\u00e4".localeCompare("z", "de"),
            (1234.5).toLocaleString("de"),
            "\u0130".toLowerCase().length,
        ],
        symbol: Symbol.keyFor(Symbol.for("symbol 1")),
    });
}

export default {
    async fetch(request, env, context) {
        const path = new URL(request.url).pathname.slice(1);
        if (path === "names") return new Response(Object.keys(attacks).join());
        if (path === "warm") return new Response(await look(request));
        if (path === "") return new Response((await look(request)) + change());
        state.count++;
        const answer = await attacks[path](request, env, context);
        return answer instanceof Response ? answer : new Response(`${answer}`);
    },
};
