import { area, bytes, equal, ok, rejects, same, test, tick, throws } from "../harness.js";

// An object that notes which members are read, in which order; `values` are those that it has.
function noting(seen, values = {}) {
    return new Proxy(values, {
        get(target, key) {
            if (typeof key === "string") seen.push(key);
            return target[key];
        },
    });
}

test("dictionaries are read in the order of Web IDL", () => {
    const read = (make, values) => {
        const seen = [];
        make(noting(seen, values));
        return seen.join(" ");
    };
    const event = "bubbles cancelable composed";
    equal(
        read(init => new Event("x", init)),
        event
    );
    equal(
        read(init => new CustomEvent("x", init)),
        `${event} detail`
    );
    equal(
        read(init => new ErrorEvent("x", init)),
        `${event} colno error filename lineno message`
    );
    equal(
        read(init => new MessageEvent("x", init)),
        `${event} data lastEventId origin ports source`
    );
    equal(
        read(init => new PromiseRejectionEvent("x", init), { promise: {} }),
        `${event} promise reason`
    );
    equal(
        read(init => new ProgressEvent("x", init)),
        `${event} lengthComputable loaded total`
    );
    equal(
        read(init => new CloseEvent("x", init)),
        `${event} code reason wasClean`
    );
    equal(
        read(init => new EventTarget().addEventListener("x", () => 1, init)),
        "capture once passive signal"
    );
    equal(
        read(init => new EventTarget().removeEventListener("x", () => 1, init)),
        "capture"
    );
    equal(
        read(init => structuredClone(1, init)),
        "transfer"
    );
    equal(
        read(init => new QuotaExceededError("", init)),
        "quota requested"
    );
    equal(
        read(init => new TextDecoder("utf-8", init)),
        "fatal ignoreBOM"
    );
});

test("options that are not objects", () => {
    const calls = [
        wrong => new Event("x", wrong),
        wrong => new CustomEvent("x", wrong),
        wrong => new ErrorEvent("x", wrong),
        wrong => new MessageEvent("x", wrong),
        wrong => structuredClone(1, wrong),
        wrong => new MessageChannel().port1.postMessage(1, wrong),
        wrong => new QuotaExceededError("", wrong),
        wrong => new Blob([], wrong),
        wrong => new TextDecoder("utf-8", wrong),
        wrong => new TextDecoder().decode(new Uint8Array(0), wrong),
        wrong => new Response("", wrong),
        wrong => new Request("http://a/", wrong),
        wrong => Response.json(1, wrong),
    ];
    for (const call of calls) {
        for (const wrong of [1, "text", true, Symbol("x"), 1n])
            throws(TypeError, () => call(wrong), `${call} of ${String(wrong)}`);
        for (const right of [undefined, null, {}, () => 1]) call(right);
    }
});

test("setters of events", () => {
    const { set } = Object.getOwnPropertyDescriptor(Event.prototype, "cancelBubble");
    throws(TypeError, () => set.call({}, false));
    throws(TypeError, () => set.call({}, true));
    const { set: setReturn } = Object.getOwnPropertyDescriptor(Event.prototype, "returnValue");
    throws(TypeError, () => setReturn.call({}, true));
    const event = new Event("x", { cancelable: true });
    event.preventDefault = () => ok(false);
    event.returnValue = false;
    ok(event.defaultPrevented);
    const own = Object.getOwnPropertyDescriptor(event, "isTrusted");
    same([own.get.name, own.configurable, own.enumerable], ["get isTrusted", false, true]);
    equal(own.get, Object.getOwnPropertyDescriptor(new Event("y"), "isTrusted").get);
    throws(TypeError, () => own.get.call({}));
});

test("an event that a script sends on is not trusted", async () => {
    const controller = new AbortController();
    const other = new EventTarget();
    const seen = [];
    other.addEventListener("abort", event => seen.push(event.isTrusted));
    controller.signal.addEventListener("abort", event => {
        seen.push(event.isTrusted);
        setTimeout(() => other.dispatchEvent(event));
    });
    controller.abort();
    await tick(5);
    same(seen, [true, false]);
});

test("conversions of events", () => {
    const error = new ErrorEvent("x", { lineno: -1, colno: 2 ** 32 + 3, message: 5 });
    same([error.lineno, error.colno, error.message], [2 ** 32 - 1, 3, "5"]);
    throws(TypeError, () => new ErrorEvent("x", { lineno: 1n }));
    ok(new PromiseRejectionEvent("x", { promise: () => 1 }));
    for (const wrong of [{}, { promise: null }, { promise: 1 }, undefined])
        throws(TypeError, () => new PromiseRejectionEvent("x", wrong));
    const { port1, port2 } = new MessageChannel();
    const event = new MessageEvent("x", { source: port1, ports: new Set([port2]) });
    ok(event.source === port1 && event.ports[0] === port2 && Object.isFrozen(event.ports));
    for (const wrong of [{ source: {} }, { source: 1 }, { ports: 1 }, { ports: [{}] }])
        throws(TypeError, () => new MessageEvent("x", wrong), JSON.stringify(wrong));
    event.initMessageEvent("y", true, true, "data", "o", "id", null, []);
    same(
        [event.type, event.bubbles, event.data, event.origin, event.lastEventId, event.source],
        ["y", true, "data", "o", "id", null]
    );
    const close = new CloseEvent("close", { code: 65537, reason: "r\ud800", wasClean: 1 });
    same([close.code, close.reason, close.wasClean], [1, "r\ufffd", true]);
    const custom = new CustomEvent("x", { detail: 1 });
    throws(TypeError, () => custom.initCustomEvent());
    custom.initCustomEvent("z", false, true, 2);
    same([custom.type, custom.cancelable, custom.detail], ["z", true, 2]);
});

test("listeners", () => {
    const target = new EventTarget();
    for (const wrong of [1, "text", true, Symbol("x")]) {
        throws(TypeError, () => target.addEventListener("x", wrong));
        throws(TypeError, () => target.removeEventListener("x", wrong));
    }
    throws(TypeError, () => target.addEventListener("x", null, { signal: null }));
    throws(TypeError, () => target.addEventListener("x", () => 1, { signal: {} }));
    const seen = [];
    const options = Object.assign(() => 1, { capture: true, once: true });
    target.addEventListener("x", () => seen.push("function"), options);
    target.addEventListener("x", () => seen.push("number"), 1);
    target.addEventListener("x", () => seen.push("none"), null);
    target.dispatchEvent(new Event("x"));
    target.dispatchEvent(new Event("x"));
    same(seen, ["function", "number", "none", "number", "none"]);
});

test("handlers of events", () => {
    const { signal } = new AbortController();
    for (const ignored of [1, "text", true, Symbol("x")]) {
        signal.onabort = ignored;
        equal(signal.onabort, null);
    }
    const object = { handleEvent: () => ok(false) };
    signal.onabort = object;
    equal(signal.onabort, object);
    signal.dispatchEvent(new Event("abort"));
    const event = new Event("abort", { cancelable: true });
    signal.onabort = () => false;
    equal(signal.dispatchEvent(event), false);
    const { get, set } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "onabort");
    throws(TypeError, () => get.call(new EventTarget()));
    throws(TypeError, () => set.call(new EventTarget(), null));
    same(Reflect.ownKeys(signal), []);
});

test("numbers and sequences", async () => {
    for (const wrong of [-1, NaN, Infinity, 2 ** 53, "x", 1n])
        throws(TypeError, () => AbortSignal.timeout(wrong), String(wrong));
    ok(!AbortSignal.timeout("1").aborted);
    ok(!AbortSignal.timeout(-0.5).aborted);
    for (const wrong of ["", 1, null, {}, [{}], [null]])
        throws(TypeError, () => AbortSignal.any(wrong), JSON.stringify(wrong));
    ok(AbortSignal.any(new Set([AbortSignal.abort()])).aborted);
    throws(TypeError, () => structuredClone(1, { transfer: "text" }));
    throws(TypeError, () => structuredClone(1, { transfer: 5 }));
    structuredClone(1, { transfer: undefined });
    throws(TypeError, () => structuredClone(1, { transfer: null }));
    await tick(5); // what timeout() began is over
});

const formatter = new Intl.NumberFormat("en");

test("what cannot be cloned", () => {
    throws("DataCloneError", () => structuredClone(formatter));
    throws("DataCloneError", () => structuredClone({ deep: [new Intl.NumberFormat("en")] }));
    for (const make of [
        () => new FileReader(),
        () => new PerformanceObserver(() => 1),
        () => performance.mark("x"),
        () => performance,
        () => navigator,
        () => crypto.subtle,
        () => new TextEncoder(),
    ])
        throws("DataCloneError", () => structuredClone(make()), String(make));
    const stream = new TransformStream();
    for (const list of [
        [stream.readable, stream],
        [stream, stream.writable],
    ])
        throws("DataCloneError", () => structuredClone(list, { transfer: list }));
});

test("QuotaExceededError", () => {
    const error = new QuotaExceededError("full", { quota: 1, requested: 2 });
    ok(error instanceof DOMException && error instanceof Error);
    same(
        [error.name, error.message, error.code, error.quota, error.requested],
        ["QuotaExceededError", "full", 22, 1, 2]
    );
    const plain = new QuotaExceededError();
    same([plain.message, plain.quota, plain.requested], ["", null, null]);
    for (const wrong of [{ quota: -1 }, { requested: -1 }, { quota: 2, requested: 1 }])
        throws(RangeError, () => new QuotaExceededError("", wrong), JSON.stringify(wrong));
    throws(TypeError, () => new QuotaExceededError("", { quota: NaN }));
    const copy = structuredClone([error])[0];
    ok(copy instanceof QuotaExceededError);
    same([copy.message, copy.quota, copy.requested], ["full", 1, 2]);
    const thrown = throws("QuotaExceededError", () =>
        crypto.getRandomValues(new Uint8Array(65537))
    );
    equal(thrown.constructor, QuotaExceededError);
    equal(new DOMException("", "QuotaExceededError").constructor, DOMException);
});

test("navigator", () => {
    same(
        [navigator.userAgent, navigator.platform, navigator.language, navigator.languages],
        ["snapcell", "Linux", "en-US", ["en-US"]]
    );
    equal(navigator.hardwareConcurrency, 1);
    ok(navigator instanceof Navigator && Object.isFrozen(navigator.languages));
});

test("functions that need an argument", () => {
    throws(TypeError, () => reportError());
    throws(TypeError, () => addEventListener("x"));
    throws(TypeError, () => dispatchEvent());
    throws(TypeError, () => structuredClone());
});

test("a WebSocket says that there is no connection", async () => {
    const socket = new WebSocket("https://a.example/path", ["one", "two"]);
    same(
        [socket.url, socket.readyState, socket.protocol, socket.extensions, socket.binaryType],
        ["wss://a.example/path", 0, "", "", "blob"]
    );
    throws("InvalidStateError", () => socket.send("x"));
    const seen = [];
    socket.onerror = ({ type, message, error }) => {
        seen.push(type);
        ok(message.includes("wss://a.example/path") && error instanceof TypeError);
    };
    const closed = new Promise(resolve => (socket.onclose = resolve));
    const event = await closed;
    ok(event instanceof CloseEvent && event.isTrusted);
    same([...seen, event.code, event.wasClean, socket.readyState], ["error", 1006, false, 3]);
    socket.send(bytes(1, 2));
    socket.close();
    same([socket.bufferedAmount, socket.readyState], [2, 3]);
});

test("a WebSocket refuses what is wrong", async () => {
    const address = "ws://a.example/";
    for (const url of ["", "/path", "ftp://a.example/", "ws://[", `${address}#part`])
        throws("SyntaxError", () => new WebSocket(url), url);
    for (const protocols of ["", "a b", ["a", "A"], ["é"]])
        throws("SyntaxError", () => new WebSocket(address, protocols), String(protocols));
    throws(TypeError, () => new WebSocket());
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.binaryType = "text";
    equal(socket.binaryType, "arraybuffer");
    for (const code of [999, 1001, 2999, 5000])
        throws("InvalidAccessError", () => socket.close(code), String(code));
    throws("SyntaxError", () => socket.close(1000, "x".repeat(124)));
    socket.close(3000, "enough");
    equal(socket.readyState, 2);
    await new Promise(resolve => (socket.onclose = resolve));
});

test("the asynchronous iterators of streams", async () => {
    const parent = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype);
    const prototype = Object.getPrototypeOf(new ReadableStream().values());
    equal(Object.getPrototypeOf(prototype), parent);
    same(Object.keys(prototype), ["next", "return"]);
    equal(prototype[Symbol.toStringTag], "ReadableStream AsyncIterator");
    ok(!Object.hasOwn(prototype, Symbol.asyncIterator));
    await rejects(TypeError, prototype.next.call({}));
});

export default area;
