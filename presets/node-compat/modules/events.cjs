"use strict";
// node:events is unenv's class as a function: in Node it can be called without `new`, too, and old
// packages do so. As in Node, the module is the function, and its methods are enumerable.
const { EventEmitter: Base } = require("unenv/node/events");
const { checkFunction, checkNumber, checkString, failure, invalidType } = require("./errors.cjs");

function EventEmitter(options) {
    const emitter = Reflect.construct(Base, [options], new.target ?? EventEmitter);
    if (new.target) return emitter;
    Object.assign(this, emitter);
}
Object.setPrototypeOf(EventEmitter, Base);
EventEmitter.prototype = Base.prototype;
Base.prototype.constructor = EventEmitter;
// unenv's `on` calls `addListener` of the object, which in old packages calls `on` again.
const { addListener } = Base.prototype;
Base.prototype.on = Base.prototype.addListener = function (type, listener) {
    checkFunction(listener, "listener");
    return addListener.call(this, type, listener);
};

const { emit } = Base.prototype;
Base.prototype.emit = function (type, ...values) {
    if (type === "error" && !(values[0] instanceof Error) && this.listenerCount("error") === 0) {
        const { inspect } = require("node-inspect-extracted");
        const message = `Unhandled error. (${inspect(values[0])})`;
        throw Object.assign(failure(Error, "ERR_UNHANDLED_ERROR", message), { context: values[0] });
    }
    return emit.call(this, type, ...values);
};

const { setMaxListeners } = Base.prototype;
Base.prototype.setMaxListeners = function (count) {
    checkNumber(count, "setMaxListeners", 0);
    return setMaxListeners.call(this, count);
};

for (const name of Object.getOwnPropertyNames(Base.prototype))
    if (name !== "constructor") Object.defineProperty(Base.prototype, name, { enumerable: true });

// unenv's has errors of its own for signals.
const aborted = signal => {
    const error = failure(Error, "ABORT_ERR", "The operation was aborted");
    error.name = "AbortError";
    return Object.assign(error, { cause: signal.reason });
};
const once = async (emitter, name, options) => {
    const { signal } = options ?? {};
    if (signal?.aborted) throw aborted(signal);
    try {
        return await Base.once(emitter, name, options);
    } catch (error) {
        throw signal?.aborted ? aborted(signal) : error;
    }
};

const given = ["addAbortListener", "captureRejectionSymbol", "errorMonitor"];

function getEventListeners(target, type) {
    if (typeof target?.listeners === "function") return target.listeners(type);
    const found = require("./support.mjs").default.listenersOf(target, type);
    if (found) return found;
    throw invalidType("emitter", ["EventEmitter", "EventTarget"], target);
}
Object.defineProperty(EventEmitter, "getEventListeners", {
    value: getEventListeners,
    enumerable: true,
});
given.push("getMaxListeners", "listenerCount", "on", "setMaxListeners");
Object.defineProperty(EventEmitter, "once", { value: once, enumerable: true });
for (const name of given)
    Object.defineProperty(EventEmitter, name, { value: Base[name], enumerable: true });
Object.defineProperty(EventEmitter, "EventEmitter", { value: EventEmitter, enumerable: true });

// --- Emitters whose listeners run in the frame in which they were made ---

const resourceClass = () => require("./async_hooks.mjs").AsyncResource;

class EventEmitterAsyncResource extends Base {
    #resource;

    constructor(options = {}) {
        const name = typeof options === "string" ? options : (options.name ?? new.target.name);
        checkString(name, "options.name");
        super(typeof options === "string" ? undefined : options);
        this.#resource = new (resourceClass())(name, options);
    }

    emit(...args) {
        return this.#resource.runInAsyncScope(super.emit, this, ...args);
    }

    emitDestroy() {
        this.#resource.emitDestroy();
    }

    get asyncId() {
        return this.#resource.asyncId();
    }

    get triggerAsyncId() {
        return this.#resource.triggerAsyncId();
    }

    get asyncResource() {
        return this.#resource;
    }
}

for (const [name, value] of Object.entries({
    EventEmitterAsyncResource,
    usingDomains: false,
    captureRejections: false,
    init: Base.init ?? function () {},
}))
    Object.defineProperty(EventEmitter, name, { value, enumerable: true, writable: true });
Object.defineProperty(EventEmitter, "defaultMaxListeners", {
    enumerable: true,
    get: () => Base.defaultMaxListeners,
    set: count => (Base.defaultMaxListeners = count),
});

module.exports = EventEmitter;
require("./global_object.cjs").register("events", module.exports);
