"use strict";
const { brands, expose, illegalConstructor, need } = require("snapcell:idl");
const { Event, EventTarget, fire, handlerAttribute } = require("snapcell:events");

function exception(message, name) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(message, name);
}

class SignalState {
    aborted = false;
    reason = undefined;
    sources = null; // of a signal that depends on others: those that depend on none
    dependents = [];
    #steps = new Set();

    // Gives a function that forgets the step.
    onAbort(step) {
        if (!this.aborted) this.#steps.add(step);
        return () => this.#steps.delete(step);
    }

    #set(reason) {
        this.aborted = true;
        this.reason = reason;
    }

    #run(signal) {
        const steps = [...this.#steps];
        this.#steps.clear();
        for (const step of steps) step();
        fire(signal, new Event("abort"));
    }

    // All signals that depend on this one are aborted before anybody is told.
    abort(signal, reason) {
        if (this.aborted) return;
        if (reason === undefined) reason = exception("This operation was aborted", "AbortError");
        this.#set(reason);
        const dependents = this.dependents.splice(0).filter(one => !brands.signal(one).aborted);
        for (const dependent of dependents) brands.signal(dependent).#set(reason);
        this.#run(signal);
        for (const dependent of dependents) brands.signal(dependent).#run(dependent);
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

    constructor(token = undefined) {
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
        const { enforced } = require("snapcell:convert");
        const delay = enforced(milliseconds, "AbortSignal.timeout: the time in milliseconds");
        const signal = newSignal();
        const expire = () => {
            signal.#state.abort(signal, exception("The operation timed out", "TimeoutError"));
        };
        native.setTimer(expire, delay, false, []);
        return signal;
    }

    static any(signals) {
        need(1, arguments.length, "AbortSignal.any");
        const { sequence } = require("snapcell:convert");
        const list = sequence(signals, "AbortSignal.any: the argument");
        if (!list.every(signal => brands.signal(signal))) {
            throw new TypeError("AbortSignal.any: each element must be an AbortSignal");
        }
        return follow(list);
    }
}

// A signal that is aborted as soon as one of the list is.
function follow(list) {
    const signal = newSignal();
    const aborted = list.map(one => brands.signal(one)).find(state => state.aborted);
    if (aborted) brands.signal(signal).abort(signal, aborted.reason);
    else dependOn(signal, list);
    return signal;
}

function dependOn(signal, list) {
    const state = brands.signal(signal);
    state.sources = new Set(list.flatMap(one => [...(brands.signal(one).sources ?? [one])]));
    for (const source of state.sources) brands.signal(source).dependents.push(signal);
}

expose(AbortSignal);
const newSignal = () => new AbortSignal(illegalConstructor);
handlerAttribute(AbortSignal, "abort", brands.signal);

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
exports.follow = follow;
