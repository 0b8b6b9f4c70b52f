"use strict";
// node:timers/promises
const { failure, invalidType } = require("./errors.cjs");
const timers = require("./timers.cjs");

const aborted = signal => {
    const error = new Error("The operation was aborted", { cause: signal.reason });
    error.name = "AbortError";
    return Object.assign(error, { code: "ABORT_ERR" });
};

function checkSignal(signal) {
    if (signal === undefined) return;
    if (typeof signal !== "object" || signal === null || !("aborted" in signal))
        throw invalidType("options.signal", "AbortSignal", signal);
    if (signal.aborted) throw aborted(signal);
}

function wait(start, signal) {
    return new Promise((resolve, reject) => {
        checkSignal(signal);
        const abort = () => {
            timer.close();
            reject(aborted(signal));
        };
        const timer = start(() => {
            signal?.removeEventListener("abort", abort);
            resolve();
        });
        signal?.addEventListener("abort", abort, { once: true });
    });
}

async function setTimeout(delay, value, options = {}) {
    await wait(done => timers.setTimeout(done, delay), options.signal);
    return value;
}

async function setImmediate(value, options = {}) {
    await wait(done => timers.setImmediate(done), options.signal);
    return value;
}

async function* setInterval(delay, value, options = {}) {
    checkSignal(options.signal);
    for (;;) yield await setTimeout(delay, value, options);
}

class Scheduler {
    constructor() {
        throw failure(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
    }

    wait(delay, options) {
        return setTimeout(delay, undefined, options);
    }

    yield() {
        return setImmediate();
    }
}

module.exports = {
    scheduler: Object.create(Scheduler.prototype),
    setImmediate,
    setInterval,
    setTimeout,
};
