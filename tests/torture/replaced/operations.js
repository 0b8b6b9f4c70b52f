// Does one operation of the web APIs after one built-in was replaced, and answers with what came out:
//   /BUILT-IN/WAY/OPERATION, by number; -1 for no built-in; /counts tells how many there are.
// Nothing here may use a built-in once it was replaced: syntax, own functions, and W alone, in whose
// place torture_replaced.c puts the global object so that the compiler does not see the names.
const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { ArrayBuffer, Object, Promise, Uint8Array } = globalThis;
const { freeze, getPrototypeOf } = Object;
const junk = { a: 1, b: 2, c: 3, d: 4 };

// --- What is replaced ---

const typed = getPrototypeOf(Uint8Array);
const arrayIterators = getPrototypeOf([][Symbol.iterator]());
const holders = [
    ...[
        Object,
        Function,
        Array,
        String,
        Number,
        Boolean,
        Symbol,
        Map,
        Set,
        WeakMap,
        WeakSet,
        WeakRef,
    ],
    ...[
        Promise,
        RegExp,
        Date,
        Error,
        TypeError,
        RangeError,
        ArrayBuffer,
        DataView,
        Uint8Array,
        typed,
    ],
    ...[Reflect, Math, JSON, arrayIterators, getPrototypeOf(arrayIterators)],
    getPrototypeOf(new Map().entries()),
    getPrototypeOf(new Set().values()),
    getPrototypeOf(""[Symbol.iterator]()),
].flatMap(holder =>
    typeof holder === "function" && holder.prototype ? [holder, holder.prototype] : [holder]
);
const targets = holders.flatMap(holder => ownKeys(holder).map(key => [holder, key]));
for (const name of ["Object", "Function", "Array", "String", "Number", "Boolean", "Symbol", "Map"])
    targets.push([globalThis, name]);
for (const name of ["Set", "WeakMap", "WeakSet", "Promise", "RegExp", "Date", "Error", "TypeError"])
    targets.push([globalThis, name]);
for (const name of [
    "RangeError",
    "ArrayBuffer",
    "DataView",
    "Uint8Array",
    "Uint16Array",
    "Reflect",
])
    targets.push([globalThis, name]);
for (const name of ["Math", "JSON", "isNaN", "parseInt", "parseFloat", "decodeURIComponent"])
    targets.push([globalThis, name]);
// What code would find on every object.
const added =
    "then get set value writable enumerable configurable done next return type start pull";
for (const name of `${added} cancel transform flush write size extra highWaterMark signal`.split(
    " "
))
    targets.push([Object.prototype, name]);

const ways = [
    () => junk,
    () => {
        throw junk;
    },
    () => undefined,
    (...values) => values[0],
];

// What the operations themselves show: they await, read names of errors and pass objects of options.
// V8 looks up the length of typed arrays, and the constructor of promises, wherever they are used.
const isShown = ([holder, key]) =>
    (holder === Object.prototype &&
        !(key in { get: 1, set: 1, value: 1, writable: 1, extra: 1 })) ||
    (key === "name" && holder instanceof Error) ||
    (key === "length" && (holder === typed.prototype || holder === Array.prototype)) ||
    (key === Symbol.iterator && holder === Array.prototype) || // lists that are given to them
    (key === "constructor" && holder === Promise.prototype);
for (let i = 0; i < targets.length; i++) targets[i][2] = isShown(targets[i]);
targets.push([undefined, "freeze", false]);

function freezeAll() {
    for (let i = 0; i < holders.length; i++) freeze(holders[i]);
    return true;
}

// For one promise: what awaits would else wait without end.
function addThen(way) {
    Object.prototype.then = resolve => {
        delete Object.prototype.then;
        resolve(ways[way]("other"));
    };
    return true;
}

// Whether it could be replaced.
function replace({ 0: holder, 1: key }, way) {
    if (holder === undefined) return freezeAll();
    if (key === "then" && holder === Object.prototype) return addThen(way);
    const described = getOwnPropertyDescriptor(holder, key);
    if (described === undefined)
        return defineProperty(holder, key, {
            __proto__: null,
            value: way < 2 ? ways[way] : junk,
            writable: true,
            enumerable: way % 2 === 0,
            configurable: true,
        });
    if (!described.configurable && !described.writable) return false;
    if (described.get !== undefined || described.set !== undefined) {
        described.get = ways[way];
        described.set = undefined;
    } else {
        const made = ways[way];
        described.value =
            way === 3
                ? junk
                : function (first) {
                      return made(first);
                  };
    }
    return defineProperty(holder, key, described);
}

// --- What is done ---

const text = bytes => {
    let all = "";
    for (let i = 0; bytes[i] !== undefined; i++) all += `${bytes[i]} `;
    return all;
};
const bytesOf = (...values) => {
    const made = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) made[i] = values[i];
    return made;
};
const list = iterator => {
    let all = "";
    for (let step = iterator.next(); !step.done; step = iterator.next())
        all += `${step.value[0]}=${step.value[1]};`;
    return all;
};
async function read(stream) {
    const reader = stream.getReader();
    let all = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return all;
        all += typeof value === "string" ? value : text(value);
    }
}
const bytes = new Uint8Array([104, 105, 0xe2, 0x82, 0xac]);
const key = { name: "HMAC", hash: "SHA-256" };
const wait = ms => new Promise(resolve => W.setTimeout(resolve, ms));
const failing = start => {
    try {
        return `${start()}`;
    } catch (error) {
        return `threw ${error.name}`;
    }
};

const operations = [
    () => new W.Response("x").text(),
    () => new W.Response(bytes).text(),
    async () => text(await new W.Response("hi").bytes()),
    async () => (await new W.Response('{"a":[1,2]}').json()).a[1],
    async () => text(new Uint8Array(await new W.Response(bytes).arrayBuffer())),
    async () =>
        (
            await new W.Response("a=1&b=2", {
                headers: { "content-type": "application/x-www-form-urlencoded" },
            }).formData()
        ).get("b"),
    () => new W.Response(new W.URLSearchParams("a=1&b=%20")).text(),
    async () => {
        const form = new W.FormData();
        form.append("a", "1");
        form.append("f", new W.Blob(["x", bytes], { type: "text/plain" }), "n.txt");
        const back = await new W.Response(form).formData();
        return `${back.get("a")} ${back.get("f").name} ${await back.get("f").text()}`;
    },
    () => `${W.Response.json({ a: 1 }).headers.get("content-type")}`,
    () => W.Response.redirect("https://a.example/b", 301).headers.get("location"),
    () =>
        new W.Response("x", {
            status: 201,
            statusText: "ok",
            headers: [
                ["a", "b"],
                ["A", "c"],
            ],
        })
            .clone()
            .headers.get("a"),
    () => read(new W.Response(bytes).body),
    () => {
        const request = new W.Request("https://a.example/x?y#z", {
            method: "post",
            body: "b",
            headers: { b: "1" },
        });
        return `${request.url} ${request.method} ${request.headers.get("content-type")}`;
    },
    () =>
        new W.Request(new W.Request("https://a.example/", { headers: { a: "1" } }), {
            headers: { b: "2" },
        }).headers.get("b"),
    () => failing(() => new W.Request("nothing")),
    () => list(new W.Headers({ b: "1", a: "2", "Set-Cookie": "c" }).entries()),
    () => {
        const headers = new W.Headers([
            ["x", "1"],
            ["y", "2"],
        ]);
        headers.append("x", "3");
        headers.set("y", "4");
        headers.delete("z");
        let all = "";
        headers.forEach((value, name) => (all += `${name}:${value};`));
        return all + headers.has("x");
    },
    () => failing(() => new W.Headers({ "a b": "1" })),
    () => failing(() => new W.Headers({ a: "\n\u0100" })),
    () => {
        const url = new W.URL("../b/./c?d=1#e", "https://u:p@a.example:8080/x/y");
        url.searchParams.append("f", "g h");
        url.hash = "i";
        return url.href;
    },
    () => new W.URL("http://[::1]/%zz?\u00e9").href,
    () => new W.URL("https://b\u00fccher.example/").host,
    () => new W.URL("data:text/plain,x y").pathname,
    () => failing(() => new W.URL("https://a b/")),
    () => `${W.URL.canParse("a:b")}`,
    () => {
        const params = new W.URLSearchParams("b=1&a=2&b=%E2%82%AC+x");
        params.append("c", "3");
        params.sort();
        params.delete("a");
        return `${params.toString()} ${params.get("b")} ${params.size} ${list(params.entries())}`;
    },
    () => new W.URLSearchParams({ a: "1", b: "2" }).toString(),
    () => new W.URLSearchParams([["a", "1"]]).toString(),
    () =>
        `${new W.URLPattern({ pathname: "/a/:b" }).exec("https://x.example/a/c").pathname.groups.b}`,
    () => text(new W.TextEncoder().encode("h\u20ac")),
    () => `${new W.TextEncoder().encodeInto("h\u20ac", new Uint8Array(8)).written}`,
    () => new W.TextDecoder().decode(bytes),
    () => {
        const decoder = new W.TextDecoder();
        return (
            decoder.decode(bytesOf(65, 0xe2, 0x82), { stream: true }) +
            decoder.decode(bytesOf(0xac))
        );
    },
    () => failing(() => new W.TextDecoder("utf-8", { fatal: true }).decode(bytesOf(255))),
    () => new W.TextDecoder("utf-16le").decode(bytesOf(65, 0, 66, 0)),
    () => new W.TextDecoder("windows-1252").decode(bytesOf(65, 0x80)),
    () => new W.TextDecoder("shift_jis").decode(bytesOf(0x82, 0xa0)),
    () => new W.TextDecoder("koi8-r").decode(bytesOf(0xc1)),
    () => read(new W.Response("ab\u20ac").body.pipeThrough(new W.TextDecoderStream())),
    () =>
        read(
            new W.Response("ab").body
                .pipeThrough(new W.CompressionStream("gzip"))
                .pipeThrough(new W.DecompressionStream("gzip"))
        ),
    () => W.atob(W.btoa("hello")),
    () => failing(() => W.atob("a")),
    () => failing(() => W.btoa("\u20ac")),
    async () => text(new Uint8Array(await W.crypto.subtle.digest("SHA-256", bytes))),
    async () => {
        const made = await W.crypto.subtle.importKey("raw", bytes, key, true, ["sign", "verify"]);
        const signature = await W.crypto.subtle.sign("HMAC", made, bytes);
        return `${await W.crypto.subtle.verify("HMAC", made, signature, bytes)} ${text(new Uint8Array(signature))}`;
    },
    async () => {
        const made = await W.crypto.subtle.importKey("raw", new Uint8Array(16), "AES-GCM", true, [
            "encrypt",
            "decrypt",
        ]);
        const how = { name: "AES-GCM", iv: new Uint8Array(12) };
        const sealed = await W.crypto.subtle.encrypt(how, made, bytes);
        return text(new Uint8Array(await W.crypto.subtle.decrypt(how, made, sealed)));
    },
    async () => {
        const made = await W.crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
        const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes, iterations: 2 };
        return text(new Uint8Array(await W.crypto.subtle.deriveBits(how, made, 128)));
    },
    async () => {
        const made = await W.crypto.subtle.importKey("raw", bytes, key, true, ["sign"]);
        const jwk = await W.crypto.subtle.exportKey("jwk", made);
        return `${jwk.k} ${jwk.alg}`;
    },
    async () => {
        const { publicKey, privateKey } = await W.crypto.subtle.generateKey(
            { name: "ECDSA", namedCurve: "P-256" },
            true,
            ["sign", "verify"]
        );
        const how = { name: "ECDSA", hash: "SHA-256" };
        return `${await W.crypto.subtle.verify(how, publicKey, await W.crypto.subtle.sign(how, privateKey, bytes), bytes)}`;
    },
    () => `${W.crypto.getRandomValues(new Uint8Array(4))[4]}`,
    () => `${W.crypto.randomUUID()[14]}`,
    async () => {
        const blob = new W.Blob(["ab", bytes, new W.Blob(["c"])], { type: "A/B" });
        return `${blob.size} ${blob.type} ${await blob.slice(1, 3).text()} ${text(new Uint8Array(await blob.arrayBuffer()))}`;
    },
    () => read(new W.Blob(["xyz"]).stream()),
    () => new W.File(["x"], "n", { lastModified: 5 }).name,
    () => {
        const form = new W.FormData();
        form.append("a", "1");
        form.append("a", "2");
        form.set("b", "3");
        return `${form.get("a")} ${form.has("b")} ${list(form.entries())}`;
    },
    () =>
        read(
            new W.ReadableStream({
                start(c) {
                    c.enqueue("a");
                    c.enqueue("b");
                    c.close();
                },
            })
        ),
    () =>
        read(
            new W.ReadableStream({
                type: "bytes",
                pull(c) {
                    c.enqueue(bytesOf(7));
                    c.close();
                },
            })
        ),
    async () => {
        let all = "";
        await new W.ReadableStream({
            start(c) {
                c.enqueue("a");
                c.close();
            },
        })
            .pipeThrough(
                new W.TransformStream({
                    transform(x, c) {
                        c.enqueue(`${x}!`);
                    },
                })
            )
            .pipeTo(
                new W.WritableStream({
                    write(x) {
                        all += x;
                    },
                })
            );
        return all;
    },
    async () => {
        const branches = new W.ReadableStream({
            start(c) {
                c.enqueue("t");
                c.close();
            },
        }).tee();
        return `${await read(branches[0])} ${await read(branches[1])}`;
    },
    async () => {
        const writer = new W.WritableStream({ write() {} }).getWriter();
        writer.write("a");
        await writer.close();
        return `${writer.desiredSize}`;
    },
    async () => {
        let caught = "none";
        try {
            await read(
                new W.ReadableStream({
                    pull(c) {
                        c.error("broken");
                    },
                })
            );
        } catch (error) {
            caught = error;
        }
        return caught;
    },
    async () => {
        const storage = new W.AsyncLocalStorage();
        const other = new W.AsyncLocalStorage({ defaultValue: "d" });
        const inside = storage.run("a", () => W.AsyncLocalStorage.snapshot());
        const later = await storage.run("b", async () => {
            await null;
            return storage.getStore();
        });
        return `${inside(() => storage.getStore())} ${later} ${other.getStore()} ${storage.getStore()}`;
    },
    async () => {
        const cache = await W.caches.open("c");
        const request = new W.Request("https://a.example/x?y", { headers: { a: "1" } });
        await cache.put(request, new W.Response("body", { headers: { vary: "a" } }));
        const hit = await cache.match(request);
        const found = `${hit ? await hit.text() : hit} ${(await cache.keys()).length}`;
        return `${found} ${await cache.delete(request)} ${await W.caches.has("c")}`;
    },
    () => {
        const copy = W.structuredClone({ a: [1, 2], b: new W.Blob(["x"]) });
        return `${copy.a[1]} ${copy.b.size}`;
    },
    () => failing(() => W.structuredClone(() => {})),
    () => {
        const buffer = new ArrayBuffer(4);
        return `${W.structuredClone(buffer, { transfer: [buffer] }) instanceof ArrayBuffer}`;
    },
    () => {
        let all = "";
        const target = new W.EventTarget();
        target.addEventListener("x", event => (all += `${event.type} ${event.detail}`), {
            once: true,
        });
        target.dispatchEvent(new W.CustomEvent("x", { detail: 5 }));
        target.dispatchEvent(new W.Event("x"));
        return all;
    },
    () => {
        let all = "";
        const controller = new W.AbortController();
        controller.signal.addEventListener("abort", () => (all += "heard "));
        const any = W.AbortSignal.any([controller.signal]);
        controller.abort("why");
        return `${all}${any.aborted} ${any.reason}`;
    },
    () => failing(() => W.AbortSignal.abort().throwIfAborted()),
    () => new W.DOMException("m", "AbortError").name,
    async () => {
        const { port1, port2 } = new W.MessageChannel();
        const got = new Promise(resolve => (port2.onmessage = event => resolve(event.data)));
        port1.postMessage("over");
        const data = await got;
        port1.close();
        return data;
    },
    async () => {
        await wait(0);
        return "waited";
    },
    () => new Promise(resolve => W.queueMicrotask(() => resolve("micro"))),
    () => {
        W.console.log("text %s %d", "a", 1, { a: [1, new W.Headers()] }, bytes);
        W.console.table([{ a: 1 }]);
        W.console.error(new W.DOMException("m"));
        W.console.group("g");
        W.console.groupEnd();
        return "printed";
    },
    () => {
        W.performance.mark("m");
        return `${W.performance.getEntriesByName("m")[0].name} ${typeof W.performance.now()}`;
    },
    async () => {
        let caught = "none";
        try {
            await W.fetch("https://a.example/");
        } catch (error) {
            caught = error.name;
        }
        return caught;
    },
    async () => (await W.fetch("data:text/plain;base64,aGk=")).text(),
    () => W.navigator.userAgent,
    () => failing(() => W.Headers.prototype.get.call(junk, "a")),
];

// --- The call ---

const digits = { __proto__: null, 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9 };
function numbersIn(path) {
    const numbers = { __proto__: null, 0: 0, 1: 0, 2: 0 };
    let at = 0;
    for (let i = 1; path[i] !== undefined; i++) {
        if (path[i] === "/") at++;
        else numbers[at] = numbers[at] * 10 + digits[path[i]];
    }
    return numbers;
}
async function perform(operation) {
    try {
        return `${await operation()}`;
    } catch (error) {
        return `failed: ${error?.stack ?? error}`;
    }
}

export default {
    async fetch(request) {
        const path = new W.URL(request.url).pathname;
        if (path === "/counts")
            return new W.Response(`${targets.length} ${ways.length} ${operations.length}`);
        const { 0: target, 1: way, 2: operation } = numbersIn(path);
        if (target >= targets.length) return new W.Response(await perform(operations[operation]));
        const replaced = failing(() => replace(targets[target], way));
        const answer = await perform(operations[operation]);
        if (targets[target][0] === Object.prototype) delete targets[target][0].then;
        return new W.Response(
            replaced === "true" && !targets[target][2] ? answer : "not to be compared"
        );
    },
};
