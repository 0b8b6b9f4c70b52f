"use strict";
const { brands, expose, illegalConstructor, need } = require("snapcell:idl");
const { Event, EventTarget, handlerAttribute } = require("snapcell:events");

function exception(message, name) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(message, name);
}

class SignalState {
    aborted = false;
    reason = undefined;
    #steps = [];

    onAbort(step) {
        if (!this.aborted) this.#steps.push(step);
    }

    abort(signal, reason) {
        if (this.aborted) return;
        this.aborted = true;
        this.reason =
            reason === undefined ? exception("This operation was aborted", "AbortError") : reason;
        for (const step of this.#steps.splice(0)) step();
        signal.dispatchEvent(new Event("abort"));
    }
}

class AbortSignal extends EventTarget {
    #state = new SignalState();

    static {
        brands.signal = value =>
            typeof value === "object" && value !== null && #state in value
                ? value.#state
                : undefined;
    }

    constructor(token) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
    }

    get aborted() {
        return this.#state.aborted;
    }

    get reason() {
        return this.#state.reason;
    }

    throwIfAborted() {
        if (this.#state.aborted) throw this.#state.reason;
    }

    static abort(reason = undefined) {
        const signal = newSignal();
        signal.#state.abort(signal, reason);
        return signal;
    }

    static timeout(milliseconds) {
        need(1, arguments.length, "AbortSignal.timeout");
        const delay = Number(milliseconds);
        if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
            throw new TypeError(
                "AbortSignal.timeout: the time must be a number of milliseconds, 0 or more"
            );
        }
        const signal = newSignal();
        const expire = () => {
            signal.#state.abort(signal, exception("The operation timed out", "TimeoutError"));
        };
        native.setTimer(expire, delay, false, []);
        return signal;
    }

    static any(signals) {
        need(1, arguments.length, "AbortSignal.any");
        const list = [...signals];
        if (!list.every(signal => brands.signal(signal))) {
            throw new TypeError("AbortSignal.any: each element must be an AbortSignal");
        }
        const result = newSignal();
        const aborted = list.find(signal => signal.aborted);
        if (aborted) {
            result.#state.abort(result, aborted.reason);
            return result;
        }
        for (const signal of list) {
            signal.#state.onAbort(() => result.#state.abort(result, signal.reason));
        }
        return result;
    }
}
expose(AbortSignal);
const newSignal = () => new AbortSignal(illegalConstructor);
handlerAttribute(AbortSignal, "abort");

class AbortController {
    #signal = newSignal();

    get signal() {
        return this.#signal;
    }

    abort(reason = undefined) {
        brands.signal(this.#signal).abort(this.#signal, reason);
    }
}
expose(AbortController);

exports.AbortSignal = AbortSignal;
exports.AbortController = AbortController;
