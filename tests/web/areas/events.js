import { area, equal, ok, same, test, throws } from "../harness.js";

test("Event", () => {
    const event = new Event("x", { cancelable: true });
    equal(event.type, "x");
    equal(event.bubbles, false);
    equal(event.cancelable, true);
    equal(event.defaultPrevented, false);
    equal(event.target, null);
    equal(event.eventPhase, Event.NONE);
    ok(typeof event.timeStamp === "number");
    event.preventDefault();
    equal(event.defaultPrevented, true);
    equal(String(event), "[object Event]");
    equal(new CustomEvent("x", { detail: 5 }).detail, 5);
    equal(new CustomEvent("x").detail, null);
    throws(TypeError, () => new Event());
});

test("EventTarget", () => {
    const target = new EventTarget();
    const seen = [];
    const listener = event => seen.push(event.type);
    target.addEventListener("a", listener);
    target.addEventListener("a", listener);
    target.addEventListener("a", {
        handleEvent(event) {
            seen.push(this !== undefined && event.target === target);
        },
    });
    target.addEventListener(
        "a",
        function () {
            seen.push(this === target);
        },
        { once: true }
    );
    equal(target.dispatchEvent(new Event("a")), true);
    same(seen.splice(0), ["a", true, true]);
    target.dispatchEvent(new Event("a"));
    same(seen.splice(0), ["a", true]);
    target.removeEventListener("a", listener);
    target.dispatchEvent(new Event("a"));
    same(seen.splice(0), [true]);
    target.addEventListener("a", null);
    throws(TypeError, () => target.addEventListener("a"));
    throws(TypeError, () => target.addEventListener("a", 1));
    throws(TypeError, () => target.dispatchEvent({}));
});

test("stopping, preventing, removing while dispatching", () => {
    const target = new EventTarget();
    const seen = [];
    const last = () => seen.push("last");
    target.addEventListener("a", event => event.preventDefault());
    target.addEventListener("a", event => event.preventDefault(), { passive: true });
    equal(target.dispatchEvent(new Event("a", { cancelable: true })), false);
    equal(target.dispatchEvent(new Event("a")), true);
    target.addEventListener("b", event => event.stopImmediatePropagation());
    target.addEventListener("b", last);
    target.dispatchEvent(new Event("b"));
    target.addEventListener("c", () => target.removeEventListener("c", last));
    target.addEventListener("c", last);
    target.dispatchEvent(new Event("c"));
    same(seen, []);
    const again = new Event("d");
    target.addEventListener("d", event =>
        throws("InvalidStateError", () => target.dispatchEvent(event))
    );
    target.dispatchEvent(again);
});

test("subclasses", () => {
    class Emitter extends EventTarget {
        emit(detail) {
            return this.dispatchEvent(new CustomEvent("emit", { detail }));
        }
    }
    const emitter = new Emitter();
    let got;
    emitter.addEventListener("emit", event => (got = event.detail));
    emitter.emit(7);
    equal(got, 7);
});

test("AbortController", () => {
    const controller = new AbortController();
    const { signal } = controller;
    const seen = [];
    signal.onabort = event => seen.push(event.type, event.target === signal);
    signal.addEventListener("abort", () => seen.push("listener"), { once: true });
    equal(signal.aborted, false);
    signal.throwIfAborted();
    controller.abort();
    controller.abort(new Error("late"));
    same(seen, ["abort", true, "listener"]);
    equal(signal.aborted, true);
    equal(signal.reason.name, "AbortError");
    ok(signal.reason instanceof DOMException);
    throws("AbortError", () => signal.throwIfAborted());
    const reason = new Error("why");
    equal(AbortSignal.abort(reason).reason, reason);
    throws(TypeError, () => new AbortSignal());
});

test("signals that depend on others, and on time", async () => {
    const one = new AbortController();
    const two = new AbortController();
    const any = AbortSignal.any([one.signal, two.signal]);
    equal(any.aborted, false);
    two.abort("reason");
    equal(any.aborted, true);
    equal(any.reason, "reason");
    equal(AbortSignal.any([one.signal, two.signal]).aborted, true);
    equal(AbortSignal.any([]).aborted, false);
    const timeout = AbortSignal.timeout(1);
    await new Promise(resolve => timeout.addEventListener("abort", resolve));
    equal(timeout.reason.name, "TimeoutError");
    const controller = new AbortController();
    const target = new EventTarget();
    let count = 0;
    target.addEventListener("x", () => count++, { signal: controller.signal });
    target.dispatchEvent(new Event("x"));
    controller.abort();
    target.dispatchEvent(new Event("x"));
    target.addEventListener("x", () => count++, { signal: controller.signal });
    target.dispatchEvent(new Event("x"));
    equal(count, 1);
});

test("DOMException", () => {
    const error = new DOMException("message", "AbortError");
    equal(error.name, "AbortError");
    equal(error.message, "message");
    equal(error.code, 20);
    equal(DOMException.ABORT_ERR, 20);
    equal(error.DATA_CLONE_ERR, 25);
    ok(error instanceof Error);
    equal(String(error), "AbortError: message");
    equal(Object.prototype.toString.call(error), "[object DOMException]");
    equal(new DOMException().name, "Error");
    equal(new DOMException("x", "Whatever").code, 0);
    ok(typeof error.stack === "string");
});

test("MessageChannel", async () => {
    const { port1, port2 } = new MessageChannel();
    const seen = [];
    const done = new Promise(resolve => {
        port2.onmessage = event => {
            seen.push(event.data.n);
            if (event.data.n === 2) resolve();
        };
    });
    const message = { n: 1 };
    port1.postMessage(message);
    message.n = 2;
    port1.postMessage(message);
    equal(seen.length, 0);
    await done;
    same(seen, [1, 2]);
    port1.close();
    port2.close();
});

test("the global object", () => {
    const seen = [];
    const listener = event => seen.push(event.type);
    if (typeof addEventListener === "undefined") return; // Node
    addEventListener("custom", listener);
    dispatchEvent(new Event("custom"));
    removeEventListener("custom", listener);
    dispatchEvent(new Event("custom"));
    same(seen, ["custom"]);
});

test("ErrorEvent and PromiseRejectionEvent", () => {
    if (typeof PromiseRejectionEvent === "undefined") return; // Node
    const error = new Error("e");
    const event = new ErrorEvent("error", {
        error,
        message: "m",
        filename: "f",
        lineno: 3,
        colno: 4,
    });
    same([event.message, event.filename, event.lineno, event.colno], ["m", "f", 3, 4]);
    equal(event.error, error);
    equal(new ErrorEvent("x").error, undefined);
    equal(new ErrorEvent("x").message, "");
    const promise = Promise.resolve();
    const rejection = new PromiseRejectionEvent("unhandledrejection", { promise, reason: error });
    equal(rejection.promise, promise);
    equal(rejection.reason, error);
    throws(TypeError, () => new PromiseRejectionEvent("x"));
    throws(TypeError, () => new PromiseRejectionEvent("x", {}));
});

test("what nobody caught goes to listeners", async () => {
    if (typeof PromiseRejectionEvent === "undefined") return; // Node
    const seen = [];
    const listener = event => {
        seen.push(event);
        event.preventDefault();
    };
    const types = ["error", "unhandledrejection", "rejectionhandled"];
    for (const type of types) addEventListener(type, listener);
    const error = new RangeError("reported");
    reportError(error);
    queueMicrotask(() => {
        throw "a string";
    });
    const target = new EventTarget();
    target.addEventListener("x", () => {
        throw error;
    });
    target.dispatchEvent(new Event("x"));
    const promise = Promise.reject(error);
    await new Promise(resolve => setTimeout(resolve, 1));
    promise.catch(() => {});
    await new Promise(resolve => setTimeout(resolve, 1));
    for (const type of types) removeEventListener(type, listener);
    same(
        seen.map(event => event.type),
        ["error", "error", "error", "unhandledrejection", "rejectionhandled"]
    );
    equal(seen[0].error, error);
    equal(seen[0].target, globalThis);
    ok(seen[0].message.includes("reported"));
    ok(seen[0].lineno > 0 && seen[0].filename.endsWith("events.mjs"));
    equal(seen[1].error, error);
    equal(seen[2].error, "a string");
    equal(seen[3].promise, promise);
    equal(seen[3].reason, error);
});

export default area;
