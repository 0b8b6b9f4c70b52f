import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const inEngine = typeof process === "undefined";

test("structuredClone", () => {
    const source = {
        date: new Date(5),
        map: new Map([[1, { a: new Set([2]) }]]),
        regexp: /x/gi,
        bytes: new Uint8Array([1, 2, 3]),
        big: 10n,
        error: new RangeError("r"),
        hole: [1, , 3],
        nothing: undefined,
    };
    source.self = source;
    const clone = structuredClone(source);
    equal(clone.self, clone);
    equal(clone.date.getTime(), 5);
    ok(clone.map.get(1).a.has(2));
    equal(String(clone.regexp), "/x/gi");
    same([...clone.bytes], [1, 2, 3]);
    ok(clone.bytes.buffer !== source.bytes.buffer);
    equal(clone.big, 10n);
    ok(clone.error instanceof RangeError);
    equal(1 in clone.hole, false);
    ok("nothing" in clone);
    equal(structuredClone("x"), "x");
    equal(structuredClone(null), null);
    throws(TypeError, () => structuredClone());
});

test("structuredClone refuses and transfers", () => {
    throws("DataCloneError", () => structuredClone(() => 1));
    throws("DataCloneError", () => structuredClone({ a: Symbol("x") }));
    throws("DataCloneError", () => structuredClone(new WeakMap()));
    throws("DataCloneError", () => structuredClone(new Request("http://a/")));
    const thrown = new Error("getter");
    equal(
        throws(Error, () =>
            structuredClone({
                get x() {
                    throw thrown;
                },
            })
        ),
        thrown
    );
    const buffer = new Uint8Array([7, 8]).buffer;
    const moved = structuredClone({ buffer }, { transfer: [buffer] });
    equal(buffer.byteLength, 0);
    same([...new Uint8Array(moved.buffer)], [7, 8]);
    throws("DataCloneError", () => structuredClone(1, { transfer: [buffer] }));
    const other = new ArrayBuffer(1);
    throws("DataCloneError", () => structuredClone(1, { transfer: [other, other] }));
    throws("DataCloneError", () => structuredClone(() => 1, { transfer: [other] }));
    equal(other.byteLength, 1);
});

test("structuredClone of objects of the platform, at any depth", async () => {
    const file = new File(["abc"], "n.txt", { type: "text/plain", lastModified: 7 });
    const error = new DOMException("m", "AbortError");
    const clone = structuredClone({ list: [file, file.slice(1)], map: new Map([["e", error]]) });
    const [copy, part] = clone.list;
    ok(copy instanceof File && copy !== file);
    same([copy.name, copy.type, copy.lastModified, copy.size], ["n.txt", "text/plain", 7, 3]);
    equal(await copy.text(), "abc");
    ok(part instanceof Blob && !(part instanceof File));
    equal(await part.text(), "bc");
    const exception = clone.map.get("e");
    ok(exception instanceof DOMException && exception instanceof Error);
    same([exception.name, exception.message, exception.code], ["AbortError", "m", 20]);
    equal(exception.stack, error.stack);
    equal(structuredClone(error).name, "AbortError");
    const shared = [file, file];
    const copies = structuredClone(shared);
    equal(copies[0], copies[1]);
    class Point {
        constructor() {
            this.x = 1;
        }
    }
    const plain = structuredClone({ point: new Point() }).point;
    equal(Object.getPrototypeOf(plain), Object.prototype);
    equal(plain.x, 1);
    for (const value of [
        new Request("http://a/"),
        new Headers(),
        new FormData(),
        new URL("http://a/"),
        new URLSearchParams(),
        new Event("x"),
        new EventTarget(),
        new AbortController().signal,
        new ReadableStream(),
        new WritableStream(),
        new MessageChannel().port1,
    ]) {
        throws("DataCloneError", () => structuredClone({ deep: [value] }), String(value));
    }
});

test("ports that are transferred", async () => {
    const { port1, port2 } = new MessageChannel();
    const { port1: inner1, port2: inner2 } = new MessageChannel();
    inner2.postMessage("before");
    const event = new Promise(resolve => (port2.onmessage = resolve));
    port1.postMessage({ port: inner1 }, [inner1]);
    const { data, ports } = await event;
    equal(data.port, ports[0]);
    ok(data.port instanceof MessagePort && data.port !== inner1);
    const seen = [];
    const three = new Promise(resolve => {
        data.port.onmessage = ({ data: message }) => {
            seen.push(message);
            if (seen.length === 2) resolve();
        };
    });
    inner2.postMessage("after");
    await three;
    same(seen, ["before", "after"]);
    throws("DataCloneError", () => structuredClone(inner1, { transfer: [inner1] }), "detached");
    throws("DataCloneError", () => port1.postMessage(1, [port1]), "itself");
    const answer = new Promise(resolve => (inner2.onmessage = resolve));
    data.port.postMessage("back");
    equal((await answer).data, "back");
    for (const port of [port1, port2, inner2, data.port]) port.close();
});

test("detached and shrunk buffers are empty", async () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    for (const empty of [view, buffer]) {
        equal(new TextDecoder().decode(empty), "");
        equal(await new Response(empty).text(), "");
        equal(new Blob([empty]).size, 0);
    }
    same(new TextEncoder().encodeInto("abc", view), { read: 0, written: 0 });
    equal(crypto.getRandomValues(view), view);
    const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
    const tail = new Uint8Array(resizable, 4);
    resizable.resize(2);
    equal(new TextDecoder().decode(tail), "");
    same(new TextEncoder().encodeInto("abc", tail), { read: 0, written: 0 });
});

test("crypto", () => {
    const bytes = crypto.getRandomValues(new Uint8Array(64));
    ok(bytes.some(byte => byte !== 0));
    const other = crypto.getRandomValues(new Uint8Array(64));
    ok(bytes.some((byte, i) => byte !== other[i]));
    const part = new Uint8Array(16);
    crypto.getRandomValues(part.subarray(4, 6));
    ok(part.every((byte, i) => byte === 0 || i === 4 || i === 5));
    crypto.getRandomValues(new BigInt64Array(2));
    crypto.getRandomValues(new Uint8Array(0));
    crypto.getRandomValues(new Uint8Array(65536));
    throws("QuotaExceededError", () => crypto.getRandomValues(new Uint8Array(65537)));
    throws("TypeMismatchError", () => crypto.getRandomValues(new Float64Array(1)));
    throws(TypeError, () => crypto.getRandomValues({}));
    const uuids = new Set(Array.from({ length: 100 }, () => crypto.randomUUID()));
    equal(uuids.size, 100);
    for (const uuid of uuids)
        ok(
            /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid),
            uuid
        );
    throws(TypeError, () => new Crypto());
});

// So many that one of their numbers would be the next, whatever the tests before took.
const early = Array.from({ length: 500 }, () => setTimeout(() => {}, 0));

test("the number of a timer of the top level is no other one's", async () => {
    await new Promise(resolve => {
        const timer = setTimeout(resolve, 1);
        equal(early.includes(timer), false);
        for (const number of early) clearTimeout(number);
    });
});

test("timers", async () => {
    const seen = [];
    setTimeout(value => seen.push(value), 2, "late");
    setTimeout(value => seen.push(value), 0, "soon");
    clearTimeout(setTimeout(() => seen.push("never"), 0));
    queueMicrotask(() => seen.push("microtask"));
    seen.push("now");
    await new Promise(resolve => setTimeout(resolve, 5));
    same(seen, ["now", "microtask", "soon", "late"]);
    let count = 0;
    await new Promise(resolve => {
        const id = setInterval(() => {
            if (++count === 3) {
                clearInterval(id);
                resolve();
            }
        }, 1);
    });
    await new Promise(resolve => setTimeout(resolve, 5));
    equal(count, 3);
    clearTimeout();
    clearTimeout(undefined);
    clearTimeout("x");
    clearTimeout(1e9);
    throws(TypeError, () => setTimeout("code"));
    throws(TypeError, () => queueMicrotask());
    await new Promise(resolve => setTimeout(resolve, -5));
    await new Promise(resolve => setTimeout(resolve, NaN));
    await new Promise(resolve => setTimeout(resolve));
});

test("performance", async () => {
    const start = performance.now();
    await new Promise(resolve => setTimeout(resolve, 3));
    ok(performance.now() - start >= 2.5, "the time that passed");
    ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000, "timeOrigin");
    equal(typeof performance.toJSON().timeOrigin, "number");
});

test("console takes whatever throws", () => {
    const bad = () => {
        throw new Error("trap");
    };
    const traps = { get: bad, has: bad, ownKeys: bad, getOwnPropertyDescriptor: bad };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const things = [
        new Proxy({}, { ...traps, getPrototypeOf: bad }),
        new Proxy([], { ...traps, getPrototypeOf: bad }),
        new Proxy(() => 1, { ...traps, getPrototypeOf: bad }),
        revoked.proxy,
        {
            get a() {
                return bad();
            },
        },
        {
            get [Symbol.toStringTag]() {
                return bad();
            },
        },
        { toString: bad, valueOf: bad, toJSON: bad },
        Object.assign(() => 1, { toString: bad, valueOf: bad }),
        Object.create(null),
        Response.prototype,
        Object.defineProperty(new Error("x"), "stack", { get: bad }),
        Object.defineProperty(new Error("x"), "cause", { get: bad }),
    ];
    things.push(things, { things });
    for (const thing of things) {
        for (const method of ["log", "debug", "dir", "dirxml", "table", "trace", "group"])
            console[method](thing);
        console.groupEnd();
        console.assert(false, thing);
        for (const directive of "sdifjoOc") console.log(`%${directive}`, thing);
    }
    const label = { toString: bad };
    for (const method of ["count", "countReset", "time", "timeLog", "timeEnd"])
        throws(Error, () => console[method](label), method);
});

test("console is a namespace", () => {
    const prototype = Object.getPrototypeOf(console);
    ok(prototype !== Object.prototype);
    equal(Object.getPrototypeOf(prototype), Object.prototype);
    same(Reflect.ownKeys(prototype), []);
    equal(Object.prototype.toString.call(console), "[object console]");
    for (const name of Object.keys(console)) equal(console[name].length, 0, name);
});

test("console writes", () => {
    console.log("%s has %d, %i, %f, %o and %%", "text", "1.5", "1.5", "1.5", { a: 1 }, "rest");
    console.debug({ nested: { deep: [1, 2, new Map([["k", new Set([1])]])] } });
    console.warn(new Error("shown with its stack"));
    console.error(undefined, null, Symbol("s"), 10n, -0, () => {}, class A {});
    console.group("group");
    console.info("indented\ntwice");
    console.groupEnd();
    console.count();
    console.countReset();
    console.time("t");
    console.timeLog("t", "more");
    console.timeEnd("t");
    console.timeEnd("t");
    console.assert(true, "never");
    console.assert(false, "asserted");
    console.table([
        { a: 1, b: "x" },
        { a: 2, c: true },
    ]);
    console.table(["p", "q"]);
    console.trace("traced");
    console.dir({ a: 1 });
    const circular = {};
    circular.self = circular;
    console.log(circular);
    console.log();
});

test("what feature detection looks at", () => {
    const classes = [
        AbortController,
        AbortSignal,
        Blob,
        CustomEvent,
        DOMException,
        Event,
        EventTarget,
        File,
        FormData,
        Headers,
        MessageChannel,
        MessagePort,
        MessageEvent,
        ReadableStream,
        ReadableStreamDefaultReader,
        Request,
        Response,
        TextDecoder,
        TextDecoderStream,
        TextEncoder,
        TextEncoderStream,
        TransformStream,
        URL,
        URLSearchParams,
        WritableStream,
        Crypto,
        Performance,
    ];
    const names = [
        "AbortController",
        "AbortSignal",
        "Blob",
        "CustomEvent",
        "DOMException",
        "Event",
        "EventTarget",
        "File",
        "FormData",
        "Headers",
        "MessageChannel",
        "MessagePort",
        "MessageEvent",
        "ReadableStream",
        "ReadableStreamDefaultReader",
        "Request",
        "Response",
        "TextDecoder",
        "TextDecoderStream",
        "TextEncoder",
        "TextEncoderStream",
        "TransformStream",
        "URL",
        "URLSearchParams",
        "WritableStream",
        "Crypto",
        "Performance",
    ];
    classes.forEach((one, i) => {
        equal(typeof one, "function");
        equal(one.name, names[i]);
        equal(one.prototype[Symbol.toStringTag], names[i]);
        equal(one.prototype.constructor, one, names[i]);
        const property = Object.getOwnPropertyDescriptor(globalThis, names[i]);
        equal(property.enumerable, false, names[i]);
        equal(property.configurable, true, names[i]);
        throws(TypeError, () => one(), names[i]);
    });
    for (const name of [
        "setTimeout",
        "setInterval",
        "clearTimeout",
        "clearInterval",
        "queueMicrotask",
        "structuredClone",
        "atob",
        "btoa",
        "fetch",
    ]) {
        equal(typeof globalThis[name], "function", name);
        equal(globalThis[name].name, name);
    }
    if (inEngine) {
        equal(setTimeout.length, 1);
        equal(self, globalThis);
        equal(navigator.userAgent, "snapcell");
        reportError(new Error("reported"));
    }
    equal(Object.prototype.toString.call(console), "[object console]");
    equal(Object.prototype.toString.call(crypto), "[object Crypto]");
    ok("body" in Response.prototype);
    ok(Object.keys(Request.prototype).includes("method"));
});

test("globals can be replaced", () => {
    const { fetch } = globalThis;
    globalThis.fetch = () => "mine";
    equal(globalThis.fetch(), "mine");
    globalThis.fetch = fetch;
});

test("streams", async () => {
    const seen = [];
    let next = 0;
    const source = new ReadableStream(
        {
            pull(controller) {
                if (next < 3) controller.enqueue(next++);
                else controller.close();
            },
        },
        new CountQueuingStrategy({ highWaterMark: 1 })
    );
    await source.pipeTo(
        new WritableStream({
            write(chunk) {
                seen.push(chunk);
            },
        })
    );
    same(seen, [0, 1, 2]);
    const [left, right] = new ReadableStream({
        start(controller) {
            controller.enqueue("x");
            controller.close();
        },
    }).tee();
    equal((await left.getReader().read()).value, "x");
    equal((await right.getReader().read()).value, "x");
    const errored = new ReadableStream({
        start(controller) {
            controller.error(new Error("e"));
        },
    });
    await rejects(Error, errored.getReader().read());
    const aborted = new AbortController();
    aborted.abort();
    await rejects(
        "AbortError",
        new ReadableStream().pipeTo(new WritableStream(), { signal: aborted.signal })
    );
    const values = [];
    for await (const value of ReadableStream.from([1, 2])) values.push(value);
    same(values, [1, 2]);
});

export default area;
