"use strict";
// The global object as an event target; a service worker's "fetch" listeners are called by dispatch.
const idl = require("snapcell:idl");
const { Event, EventTarget, dispatchAs, listenersOf, trusted } = require("snapcell:events");

const { brands, expose, need, report } = idl;

const target = new EventTarget();

const functions = {
    addEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "addEventListener");
        target.addEventListener(type, callback, options);
    },
    removeEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "removeEventListener");
        target.removeEventListener(type, callback, options);
    },
    dispatchEvent(event) {
        need(1, arguments.length, "dispatchEvent");
        const state = typeof event === "object" && event !== null && brands.event(event);
        if (!state || state.dispatching) return target.dispatchEvent(event); // which throws
        state.trusted = false;
        return dispatchAs(globalThis, target, event);
    },
};
exports.addEventListener = functions.addEventListener;
exports.removeEventListener = functions.removeEventListener;
exports.dispatchEvent = functions.dispatchEvent;

class FetchEvent extends Event {
    #request;
    #response;
    #waitUntil;

    constructor(type, init) {
        super(type, init);
        this.#request = init?.request;
        this.#waitUntil = init?.waitUntil;
    }

    static {
        exports.responseOf = event => event.#response;
    }

    get request() {
        return this.#request;
    }

    respondWith(response) {
        if (this.#response) throw new TypeError("FetchEvent.respondWith: it was called already");
        this.#response = { value: response };
        this.stopImmediatePropagation();
    }

    waitUntil(promise) {
        this.#waitUntil?.(promise);
    }

    passThroughOnException() {}
}
expose(FetchEvent);
exports.FetchEvent = FetchEvent;

exports.hasListeners = type => brands.target(target).has(type);

// What a service worker answers to a request: {value} as it was given to respondWith, or undefined.
// An exception of a listener is thrown, when no other listener answered.
exports.respond = (request, waitUntil) => {
    const event = new FetchEvent("fetch", { request, waitUntil, cancelable: true });
    const failures = [];
    for (const { callback } of listenersOf(target, "fetch")) {
        try {
            if (typeof callback === "function") callback.call(globalThis, event);
            else callback.handleEvent(event);
        } catch (error) {
            failures.push(error);
        }
        if (exports.responseOf(event)) break;
    }
    const response = exports.responseOf(event);
    if (!response && failures.length > 0) throw failures[0];
    for (const failure of failures) report(failure, 'a listener for "fetch"');
    return response;
};

// Calls the listeners of an event of the engine's own; throws what the first that failed threw.
exports.callListeners = (type, event) => {
    const failures = [];
    for (const { callback } of listenersOf(target, type)) {
        try {
            if (typeof callback === "function") callback.call(globalThis, event);
            else callback.handleEvent(event);
        } catch (error) {
            failures.push(error);
        }
    }
    for (const failure of failures.slice(1)) report(failure, `a listener for "${type}"`);
    if (failures.length > 0) throw failures[0];
};

// --- What nobody caught, or handles ---

// Tells whether a listener, or the global object's handler `on...`, prevented what would happen next:
// that it is logged.
function offer(type, make) {
    const handler = globalThis[`on${type}`];
    const handles = typeof handler === "function";
    if (!handles && !exports.hasListeners(type)) return false;
    const callHandler = event => {
        if (type !== "error") handler.call(globalThis, event);
        else if (callErrorHandler(handler, event) === true) event.preventDefault();
    };
    if (handles) target.addEventListener(type, callHandler);
    const goesOn = dispatchAs(globalThis, target, trusted(make(type)));
    target.removeEventListener(type, callHandler);
    return !goesOn;
}

const callErrorHandler = (handler, { message, filename, lineno, colno, error }) =>
    handler.call(globalThis, message, filename, lineno, colno, error);

let reporting = false;

idl.offerError = (error, [, message, filename, lineno, colno]) => {
    if (reporting) return false;
    reporting = true;
    try {
        return offer("error", type => {
            const { ErrorEvent } = require("snapcell:error_events");
            const place = { message, filename, lineno, colno };
            return new ErrorEvent(type, { ...place, error, cancelable: true });
        });
    } finally {
        reporting = false;
    }
};

native.setRejectionHook((handled, promise, reason) =>
    offer(handled ? "rejectionhandled" : "unhandledrejection", type => {
        const { PromiseRejectionEvent } = require("snapcell:error_events");
        return new PromiseRejectionEvent(type, { promise, reason, cancelable: !handled });
    })
);
