// Built-ins that a function replaced are not what the engine's modules use.
import { area, equal, test } from "../harness.js";

// Calls `body` while `holder[key]` is `value`.
async function while_(holder, key, value, body) {
    const before = Object.getOwnPropertyDescriptor(holder, key);
    Object.defineProperty(holder, key, { value, writable: true, configurable: true });
    try {
        return await body();
    } finally {
        if (before) Object.defineProperty(holder, key, before);
        else delete holder[key];
    }
}

const other = () => ({ a: 1, b: 2, c: 3, d: 4 });

test("subarray() that gives no bytes", async () => {
    const text = await while_(Uint8Array.prototype, "subarray", other, () =>
        new TextDecoder().decode(new Uint8Array([65, 0xe2, 0x82]), { stream: true })
    );
    equal(text, "A");
});

test("a class instead of Uint8Array", async () => {
    const bytes = new TextEncoder().encode("s");
    const Other = class extends Uint8Array {};
    const text = await while_(globalThis, "Uint8Array", Other, () => {
        const stream = new ReadableStream({
            start(controller) {
                controller.enqueue(bytes);
                controller.close();
            },
        });
        return new Response(stream).text();
    });
    equal(text, "s");
});

test("a then() on every object, once", async () => {
    const response = new Response(new Uint8Array([104, 105]));
    Object.prototype.then = function (resolve) {
        delete Object.prototype.then;
        resolve(other());
    };
    let text;
    try {
        text = await response.text();
    } catch (error) {
        text = error.name;
    }
    delete Object.prototype.then;
    equal(text === "hi" || text === "TypeError", true, text);
});

test("a then() of promises that never calls back", async () => {
    const text = await while_(
        Promise.prototype,
        "then",
        () => Promise.resolve(1),
        () => new Response(new Response("x").body).text()
    );
    equal(text, "x");
});

test("slice(), join(), from() and has() that give nothing", async () => {
    for (const [holder, key] of [
        [Array.prototype, "slice"],
        [Array.prototype, "join"],
        [Array, "from"],
        [Set.prototype, "has"],
        [Map.prototype, "get"],
        [String.prototype, "charCodeAt"],
        [RegExp.prototype, "exec"],
    ]) {
        const text = await while_(holder, key, other, async () => {
            const url = new URL("../a?b=c d#e", "https://h.example/x/y");
            const headers = new Headers({ b: "1", a: "2" });
            const blob = new Blob(["p", new Uint8Array([113])]);
            return `${url.href} ${headers.get("a")} ${await blob.text()}`;
        });
        equal(text, "https://h.example/a?b=c%20d#e 2 pq", key);
    }
});

test("streams with a then() that never calls back", async () => {
    const never = () => new Promise(() => {});
    const text = await while_(Promise.prototype, "then", never, async () => {
        const upper = new TransformStream({
            transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
        });
        const writer = upper.writable.getWriter();
        writer.write("abc");
        writer.close();
        return (await upper.readable.getReader().read()).value;
    });
    equal(text, "ABC");
});

// What modules take apart and go through by themselves.
function iterate() {
    const { port1, port2 } = new MessageChannel();
    const { signal } = new AbortController();
    signal.addEventListener("abort", () => {});
    const params = new URLSearchParams({ q: "1" });
    const headers = new Headers({ a: "2" });
    const { aborted } = AbortSignal.any({ __proto__: null, [Symbol.iterator]: once(signal) });
    return `${port1 !== port2} ${params} ${headers.get("a")} ${aborted}`;
}

// An iterator of one value that is made without a built-in one.
function once(value) {
    return () => {
        let done = true;
        return { next: () => ({ done: (done = !done), value }) };
    };
}

test("iterators that are done at once", async () => {
    for (const made of [[].values(), new Map().keys(), new Set().keys(), ""[Symbol.iterator]()]) {
        const done = () => ({ done: true });
        const text = await while_(Object.getPrototypeOf(made), "next", done, iterate);
        equal(text, "true q=1 2 false", String(made));
    }
});

test("getters of iterators that throw", () => {
    const iterators = Object.getPrototypeOf([].values());
    for (const [holder, key] of [
        [Array.prototype, Symbol.iterator],
        [Map.prototype, Symbol.iterator],
        [Set.prototype, Symbol.iterator],
        [String.prototype, Symbol.iterator],
        [iterators, "next"],
        [iterators, "return"],
    ]) {
        const before = Object.getOwnPropertyDescriptor(holder, key);
        const get = () => {
            throw new Error(`${String(key)} was looked up`);
        };
        Object.defineProperty(holder, key, { get, configurable: true });
        let text;
        try {
            text = iterate();
        } catch (error) {
            text = String(error);
        }
        if (before) Object.defineProperty(holder, key, before);
        else delete holder[key];
        equal(text, "true q=1 2 false", String(key));
    }
});

export default area;
