"use strict";
// AsyncLocalStorage and AsyncResource, as node:async_hooks has them. The values of all storages are a
// Map, the frame, which V8 hands on from a promise to its reactions and the engine to timers and
// microtasks. A frame is replaced and not changed, but by disable().

function invalid(name, expected, value) {
    const isPrimitive =
        value === null || (typeof value !== "object" && typeof value !== "function");
    const told =
        value === undefined || value === null
            ? `${value}`
            : `type ${typeof value} (${String(value)})`;
    const got = isPrimitive ? told : "an object";
    const message = `The "${name}" argument must be ${expected}. Received ${got}`;
    return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

function checkFunction(value, name) {
    if (typeof value !== "function") throw invalid(name, "of type function", value);
}

// Calls a function in a frame that was current before.
function callIn(frame, callback, receiver, values) {
    const outer = native.asyncFrame();
    native.setAsyncFrame(frame);
    try {
        return Reflect.apply(callback, receiver, values);
    } finally {
        native.setAsyncFrame(outer);
    }
}

class AsyncLocalStorage {
    #defaultValue;
    #name;

    static bind(callback) {
        return AsyncResource.bind(callback);
    }

    static snapshot() {
        const frame = native.asyncFrame();
        return (callback, ...values) => callIn(frame, callback, undefined, values);
    }

    constructor(options = {}) {
        if (options === null || typeof options !== "object")
            throw invalid("options", "of type object", options);
        this.#defaultValue = options.defaultValue;
        this.#name = options.name === undefined ? "" : `${options.name}`;
    }

    get name() {
        return this.#name;
    }

    getStore() {
        const frame = native.asyncFrame();
        return frame?.has(this) ? frame.get(this) : this.#defaultValue;
    }

    enterWith(value) {
        native.setAsyncFrame(new Map(native.asyncFrame()).set(this, value));
    }

    run(value, callback, ...values) {
        const outer = native.asyncFrame();
        const prior = this.getStore();
        if (Object.is(prior, value)) return Reflect.apply(callback, null, values);
        const frame = new Map(outer).set(this, value);
        native.setAsyncFrame(frame);
        try {
            return Reflect.apply(callback, null, values);
        } finally {
            // What the callback entered of other storages stays, as in Node.
            if (native.asyncFrame() === frame) native.setAsyncFrame(outer);
            else this.enterWith(prior);
        }
    }

    exit(callback, ...values) {
        return this.run(undefined, callback, ...values);
    }

    disable() {
        native.asyncFrame()?.delete(this);
    }
}

// Promises, timers and requests have no numbers here: only resources do. Code outside of their scopes has
// the number of a top level.
let lastId = 1;
let running;
const topLevel = {};

function runIn(resource, frame, callback, receiver, values) {
    const outer = running;
    running = resource;
    try {
        return callIn(frame, callback, receiver, values);
    } finally {
        running = outer;
    }
}

const executionAsyncId = () => (running ? running.asyncId() : 1);

class AsyncResource {
    #frame = native.asyncFrame();
    #id = ++lastId;
    #triggerId;

    static bind(callback, type, receiver) {
        checkFunction(callback, "fn");
        return newResource(type || callback.name || "bound-anonymous-fn").bind(callback, receiver);
    }

    constructor(type, options = {}) {
        if (typeof type !== "string") throw invalid("type", "of type string", type);
        const triggerId = typeof options === "number" ? options : options?.triggerAsyncId;
        this.#triggerId = triggerId ?? executionAsyncId();
    }

    runInAsyncScope(callback, receiver, ...values) {
        return runIn(this, this.#frame, callback, receiver, values);
    }

    emitDestroy() {
        return this;
    }

    asyncId() {
        return this.#id;
    }

    triggerAsyncId() {
        return this.#triggerId;
    }

    bind(callback, receiver) {
        checkFunction(callback, "fn");
        const [resource, frame] = [this, this.#frame];
        function bound(...values) {
            return runIn(
                resource,
                frame,
                callback,
                receiver === undefined ? this : receiver,
                values
            );
        }
        const { length } = callback;
        return Object.defineProperty(bound, "length", { value: length, configurable: true });
    }
}

const newResource = type => new AsyncResource(type);

// Nothing reports promises and timers as they are created.
const missing = name =>
    function () {
        const message = `async_hooks.${name}() is not here: AsyncLocalStorage and AsyncResource are`;
        throw Object.assign(new Error(message), { code: "ERR_METHOD_NOT_IMPLEMENTED" });
    };

exports.AsyncLocalStorage = AsyncLocalStorage;
exports.AsyncResource = AsyncResource;
exports.createHook = missing("createHook");
exports.executionAsyncId = executionAsyncId;
exports.executionAsyncResource = () => running ?? topLevel;
exports.triggerAsyncId = () => (running ? running.triggerAsyncId() : 0);
