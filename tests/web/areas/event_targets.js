// The DOM standard's events and signals, HTML's messages and errors, DOMException.
import { area, equal, ok, rejects, same, test, throws, tick } from "../harness.js";

// --- Events ---

test("members of an event", () => {
    const event = new Event("x", { bubbles: true, cancelable: true, composed: 1 });
    equal(event.bubbles, true);
    equal(event.composed, true);
    equal(event.isTrusted, false);
    same(event.composedPath(), []);
    event.returnValue = false;
    equal(event.defaultPrevented, true);
    event.returnValue = true;
    equal(event.defaultPrevented, true);
    equal(event.cancelBubble, false);
    event.cancelBubble = true;
    event.cancelBubble = false;
    equal(event.cancelBubble, true);
    event.initEvent("y");
    equal(event.type, "y");
    equal(event.bubbles, false);
    equal(Event.AT_TARGET, 2);
    equal(event.BUBBLING_PHASE, 3);
    throws(TypeError, () => new Event("x", 1));
    throws(TypeError, () => Event("x"));
    ok(Object.getOwnPropertyDescriptor(event, "isTrusted"), "isTrusted is the event's own");
    const custom = new CustomEvent("c", { detail: 1 });
    custom.initCustomEvent("d", true, true, 2);
    equal(custom.detail, 2);
    equal(custom.type, "d");
});

test("capturing listeners come first, each once", () => {
    const target = new EventTarget();
    const seen = [];
    const listener = () => seen.push("both");
    target.addEventListener("x", () => seen.push("bubble"));
    target.addEventListener("x", () => seen.push("capture"), true);
    target.addEventListener("x", listener);
    target.addEventListener("x", listener);
    target.addEventListener("x", listener, { capture: true });
    target.dispatchEvent(new Event("x"));
    same(seen.splice(0), ["capture", "both", "bubble", "both"]);
    target.removeEventListener("x", listener, true);
    target.dispatchEvent(new Event("x"));
    same(seen.splice(0), ["capture", "bubble", "both"]);
});

test("stopped events", () => {
    const target = new EventTarget();
    const seen = [];
    target.addEventListener("x", event => {
        seen.push(event.eventPhase, event.currentTarget === target, event.composedPath().length);
        event.stopPropagation();
    });
    target.addEventListener("x", () => seen.push("second"));
    const event = new Event("x");
    target.dispatchEvent(event);
    same(seen.splice(0), [2, true, 1, "second"]);
    equal(event.eventPhase, 0);
    equal(event.currentTarget, null);
    equal(event.target, target);
    equal(event.cancelBubble, false);
    event.stopPropagation();
    target.dispatchEvent(event);
    same(seen.splice(0), []);
    target.dispatchEvent(event);
    equal(seen.length, 4, "the flag was taken back");
});

test("listeners that change the list", () => {
    const target = new EventTarget();
    const seen = [];
    const later = () => seen.push("later");
    target.addEventListener("x", () => target.addEventListener("x", later), { once: true });
    target.addEventListener("x", () => target.removeEventListener("x", removed));
    const removed = () => seen.push("removed");
    target.addEventListener("x", removed);
    target.dispatchEvent(new Event("x"));
    same(seen, []);
    target.dispatchEvent(new Event("x"));
    same(seen, ["later"]);
    const nested = new EventTarget();
    nested.addEventListener("y", event => {
        throws("InvalidStateError", () => nested.dispatchEvent(event));
        event.initEvent("z");
        seen.push(event.type);
    });
    nested.dispatchEvent(new Event("y"));
    same(seen, ["later", "y"]);
});

test("handleEvent is looked up at each event", () => {
    const target = new EventTarget();
    const seen = [];
    const object = {
        get handleEvent() {
            return event => seen.push(event.type);
        },
    };
    target.addEventListener("x", object);
    target.dispatchEvent(new Event("x"));
    same(seen, ["x"]);
    const errors = [];
    const onError = event => {
        errors.push(event.error);
        event.preventDefault();
    };
    addEventListener("error", onError);
    const empty = {};
    target.addEventListener("x", empty);
    target.addEventListener("x", () => {
        throw "thrown";
    });
    target.addEventListener("x", () => seen.push("last"));
    target.dispatchEvent(new Event("x"));
    removeEventListener("error", onError);
    ok(errors[0] instanceof TypeError);
    equal(errors[1], "thrown");
    same(seen, ["x", "x", "last"]);
});

test("listeners with a signal", () => {
    const target = new EventTarget();
    const controller = new AbortController();
    const seen = [];
    target.addEventListener("x", () => seen.push(1), { signal: controller.signal });
    target.addEventListener("x", () => seen.push(2), { signal: AbortSignal.abort() });
    target.dispatchEvent(new Event("x"));
    controller.abort();
    target.dispatchEvent(new Event("x"));
    same(seen, [1]);
    throws(TypeError, () => target.addEventListener("x", () => {}, { signal: null }));
    target.addEventListener("p", event => event.preventDefault(), { passive: true });
    equal(target.dispatchEvent(new Event("p", { cancelable: true })), true);
});

// --- Signals ---

test("abort", () => {
    const controller = new AbortController();
    const { signal } = controller;
    const seen = [];
    signal.addEventListener("abort", event => seen.push(event.type, event.isTrusted));
    signal.onabort = () => seen.push("on");
    signal.throwIfAborted();
    controller.abort();
    controller.abort("again");
    same(seen, ["abort", true, "on"]);
    equal(signal.reason.name, "AbortError");
    ok(signal.reason instanceof DOMException);
    equal(
        throws("AbortError", () => signal.throwIfAborted()),
        signal.reason
    );
    equal(AbortSignal.abort(null).reason, null);
    equal(AbortSignal.abort().reason.code, 20);
    throws(TypeError, () => new AbortSignal());
    signal.onabort = 1;
    equal(signal.onabort, null);
});

test("timeout", async () => {
    const signal = AbortSignal.timeout(1);
    equal(signal.aborted, false);
    await new Promise(resolve => (signal.onabort = resolve));
    equal(signal.reason.name, "TimeoutError");
    equal(signal.reason.code, 23);
    for (const value of [-1, NaN, Infinity, 2 ** 53, "x"]) {
        throws(TypeError, () => AbortSignal.timeout(value), String(value));
    }
    throws(TypeError, () => AbortSignal.timeout());
    AbortSignal.timeout(-0.5);
});

test("any", () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const seen = [];
    const any = AbortSignal.any([one.signal, two.signal]);
    const nested = AbortSignal.any([any, AbortSignal.any([])]);
    for (const [name, signal] of Object.entries({ one: one.signal, any, nested })) {
        signal.addEventListener("abort", () => {
            seen.push(name, any.aborted && nested.aborted);
        });
    }
    one.abort("first");
    two.abort("second");
    same(seen, ["one", true, "any", true, "nested", true]);
    equal(nested.reason, "first");
    equal(AbortSignal.any([two.signal, one.signal]).reason, "second");
    equal(AbortSignal.any([]).aborted, false);
    throws(TypeError, () => AbortSignal.any([1]));
    throws(TypeError, () => AbortSignal.any(1));
    throws(TypeError, () => AbortSignal.any([{}]));
    const set = new Set([one.signal]);
    equal(AbortSignal.any(set).aborted, true);
});

// --- Messages ---

test("ports give messages in order, once they are started", async () => {
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    port1.postMessage("a");
    port1.postMessage({ b: [1] });
    port2.addEventListener("message", event => seen.push(event.data));
    await tick();
    same(seen, []);
    port2.start();
    equal(seen.length, 0, "messages are tasks");
    await tick(2);
    same(seen, ["a", { b: [1] }]);
    port1.onmessage = event => seen.push(event.data, event.target === port1, event.ports.length);
    port2.postMessage("back");
    await tick(2);
    same(seen.slice(2), ["back", true, 0]);
    throws("DataCloneError", () => port1.postMessage(() => {}));
    throws(TypeError, () => port1.postMessage());
    port1.close();
});

test("closing a port tells the other", async () => {
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    port2.onmessage = event => seen.push(event.data);
    port2.onclose = event => seen.push(event.type);
    port1.onclose = () => seen.push("own");
    port1.postMessage("before");
    port1.close();
    port1.postMessage("after");
    port1.close();
    await tick(2);
    same(seen, ["before", "close"]);
});

test("a closed port cannot be transferred, its other end can", () => {
    const { port1, port2 } = new MessageChannel();
    port1.close();
    throws("DataCloneError", () => structuredClone(port1, { transfer: [port1] }));
    throws("DataCloneError", () => new MessageChannel().port1.postMessage(1, [port1]));
    ok(structuredClone(port2, { transfer: [port2] }) instanceof MessagePort);
    throws("DataCloneError", () => structuredClone(port2, { transfer: [port2] }));
});

test("what is transferred", async () => {
    const { port1, port2 } = new MessageChannel();
    const buffer = new ArrayBuffer(8);
    const message = new Promise(resolve => (port2.onmessage = resolve));
    const inner = new MessageChannel();
    port1.postMessage({ buffer, port: inner.port2 }, { transfer: [buffer, inner.port2] });
    equal(buffer.byteLength, 0);
    const { data, ports } = await message;
    equal(data.buffer.byteLength, 8);
    equal(ports.length, 1);
    equal(data.port, ports[0]);
    ok(Object.isFrozen(ports));
    const answer = new Promise(resolve => (data.port.onmessage = resolve));
    inner.port1.postMessage("through");
    equal((await answer).data, "through");
    throws("DataCloneError", () => port1.postMessage(1, [port1]));
    throws("DataCloneError", () => port1.postMessage(1, [buffer]));
    throws("DataCloneError", () => port1.postMessage(inner.port1));
    port1.close();
    inner.port1.close();
});

test("streams are transferred through ports", async () => {
    const { port1, port2 } = new MessageChannel();
    const message = new Promise(resolve => (port2.onmessage = resolve));
    const stream = ReadableStream.from([1, { a: 2 }]);
    const written = [];
    const sink = new WritableStream({ write: chunk => void written.push(chunk) });
    const upper = new TransformStream({
        transform: (chunk, c) => c.enqueue(chunk.toUpperCase()),
    });
    port1.postMessage({ stream, sink, upper }, [stream, sink, upper]);
    equal(stream.locked, true);
    const { data } = await message;
    ok(data.stream instanceof ReadableStream);
    const read = [];
    for await (const value of data.stream) read.push(value);
    same(read, [1, { a: 2 }]);
    const writer = data.sink.getWriter();
    await writer.write("x");
    await writer.close();
    await tick(5);
    same(written, ["x"]);
    const text = [];
    const piped = ReadableStream.from(["a", "b"]).pipeThrough(data.upper);
    for await (const value of piped) text.push(value);
    same(text, ["A", "B"]);
    port1.close();
});

test("transferred streams fail and end together", async () => {
    const clone = stream => structuredClone(stream, { transfer: [stream] });
    const failing = clone(
        new ReadableStream({
            pull() {
                throw new RangeError("no");
            },
        })
    );
    const error = await rejects(RangeError, failing.getReader().read());
    equal(error.message, "no");
    let reason;
    const cancelled = clone(new ReadableStream({ cancel: given => void (reason = given) }));
    await cancelled.cancel("why");
    await tick(2);
    equal(reason, "why");
    let aborted;
    const sink = clone(new WritableStream({ abort: given => void (aborted = given) }));
    await sink.abort("enough");
    await tick(2);
    equal(aborted, "enough");
    const locked = new ReadableStream();
    locked.getReader();
    throws("DataCloneError", () => clone(locked));
    throws("DataCloneError", () => structuredClone(new ReadableStream()));
    await rejects(
        "DataCloneError",
        clone(ReadableStream.from([() => {}]))
            .getReader()
            .read()
    );
});

// --- Errors ---

test("ErrorEvent and PromiseRejectionEvent", () => {
    const event = new ErrorEvent("error", { message: 1, lineno: -1, colno: "2", error: "x" });
    equal(event.message, "1");
    equal(event.lineno, 4294967295);
    equal(event.colno, 2);
    equal(event.error, "x");
    equal(new ErrorEvent("error").error, undefined);
    const promise = Promise.resolve();
    const rejection = new PromiseRejectionEvent("x", { promise, reason: 1 });
    equal(rejection.promise, promise);
    equal(rejection.reason, 1);
    throws(TypeError, () => new PromiseRejectionEvent("x"));
    throws(TypeError, () => new PromiseRejectionEvent("x", {}));
});

test("the global object's handlers", async () => {
    for (const name of ["onerror", "onunhandledrejection", "onrejectionhandled"]) {
        equal(globalThis[name], null);
        ok(name in globalThis);
    }
    const seen = [];
    globalThis.onerror = (...values) => {
        seen.push(values.length, values[0], values[4]);
        return true;
    };
    globalThis.onunhandledrejection = event => {
        seen.push(event.type, event.reason);
        event.preventDefault();
    };
    globalThis.onrejectionhandled = event => seen.push(event.type);
    const failure = new Error("shown");
    reportError(failure);
    setTimeout(() => {
        throw "in a timer";
    }, 0);
    const promise = Promise.reject("lost");
    await tick(2);
    promise.catch(() => {});
    await tick(2);
    globalThis.onerror = globalThis.onunhandledrejection = globalThis.onrejectionhandled = null;
    same(seen.slice(0, 2), [5, "Error: shown"]);
    equal(seen[2], failure);
    same(seen.slice(3).sort(), [
        5,
        "in a timer",
        "in a timer",
        "lost",
        "rejectionhandled",
        "unhandledrejection",
    ]);
});

test("a timer that throws is told of, and others go on", async () => {
    const seen = [];
    const listener = event => {
        seen.push(event.message, event.error.message);
        event.preventDefault();
    };
    addEventListener("error", listener);
    let count = 0;
    const interval = setInterval(() => {
        count++;
        throw new Error("tick");
    }, 1);
    while (count < 2) await tick(1);
    clearInterval(interval);
    removeEventListener("error", listener);
    same(seen.slice(0, 2), ["Error: tick", "tick"]);
    equal(seen.length, 2 * count);
});

// --- DOMException ---

test("DOMException", () => {
    const error = new DOMException("m", "NotFoundError");
    equal(error.code, 8);
    equal(error.code, DOMException.NOT_FOUND_ERR);
    equal(error.NOT_FOUND_ERR, 8);
    equal(String(error), "NotFoundError: m");
    ok(error instanceof Error);
    ok(error.stack.startsWith("NotFoundError: m\n    at "), error.stack);
    equal(new DOMException().message, "");
    equal(new DOMException().name, "Error");
    equal(new DOMException("", "Unknown").code, 0);
    equal(Object.prototype.toString.call(error), "[object DOMException]");
    equal(Object.hasOwn(error, "message"), false);
    equal(new DOMException("m", { name: "n", cause: 1 }).cause, 1);
    throws(TypeError, () =>
        Object.getOwnPropertyDescriptor(DOMException.prototype, "name").get.call({})
    );
    if (Error.isError) equal(Error.isError(error), true);
});

test("clones of exceptions", () => {
    const error = new DOMException("m", "DataError");
    const copy = structuredClone({ list: [error], map: new Map([[error, error]]), self: error });
    ok(copy.self instanceof DOMException);
    equal(copy.self.name, "DataError");
    equal(copy.self.message, "m");
    equal(copy.self.stack, error.stack);
    equal(copy.list[0], copy.self);
    equal(copy.map.get(copy.self), copy.self);
    const plain = structuredClone(new RangeError("r", { cause: error }));
    equal(plain.message, "r");
    ok(plain instanceof RangeError);
    ok(plain.cause instanceof DOMException);
    class Special extends Error {}
    const special = structuredClone(new Special("s"));
    equal(Object.getPrototypeOf(special), Error.prototype);
});

test("clones of keys", async () => {
    const key = await crypto.subtle.importKey(
        "raw",
        new Uint8Array(16),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["sign"]
    );
    const copy = structuredClone({ key }).key;
    ok(copy instanceof CryptoKey);
    ok(copy !== key);
    equal(copy.extractable, false);
    same(copy.algorithm, key.algorithm);
    same(copy.usages, ["sign"]);
    const sign = async with_ => [
        ...new Uint8Array(await crypto.subtle.sign("HMAC", with_, new Uint8Array(1))),
    ];
    same(await sign(copy), await sign(key));
});

// --- Timers ---

test("timers", async () => {
    const seen = [];
    const note = (...values) => seen.push(values);
    setTimeout(note, undefined, 1, 2);
    setTimeout(note, -5, "negative");
    setTimeout(note, "1", "text");
    setTimeout(note, NaN);
    setTimeout(note, Infinity, "infinite");
    setTimeout(note, 2 ** 31, "huge");
    setTimeout(note, { valueOf: () => 1 }, "object");
    const cleared = setTimeout(note, 0, "never");
    clearTimeout(String(cleared));
    clearTimeout();
    clearTimeout(null);
    clearInterval(12345);
    clearTimeout({});
    await tick(5);
    equal(seen.length, 7);
    ok(!seen.some(([first]) => first === "never"));
    const order = [];
    setTimeout(() => order.push("b"), 1);
    setTimeout(() => order.push("a"), 0);
    queueMicrotask(() => order.push("micro"));
    await tick(5);
    same(order, ["micro", "a", "b"]);
    throws(TypeError, () => setTimeout());
    throws(TypeError, () => queueMicrotask(1));
    let count = 0;
    const interval = setInterval(() => {
        if (++count === 3) clearInterval(interval);
    });
    await tick(20);
    equal(count, 3);
});

export default area;
