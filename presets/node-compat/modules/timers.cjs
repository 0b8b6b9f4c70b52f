"use strict";
// node:timers. A timer is an object, as in Node; the engine's number stands for it where one is
// needed, so that either can be cleared by what the other gave.
const { clearTimeout: webClear, setInterval: webInterval, setTimeout: webTimeout } = globalThis;
const { checkFunction } = require("./errors.cjs");
const custom = Symbol.for("nodejs.util.promisify.custom");

class Timeout {
    #id;
    #start;
    #done = false;
    #keeps = true;

    constructor(callback, delay, repeats, values) {
        const run = () => {
            this.#done = !repeats;
            Reflect.apply(callback, this, values);
        };
        this.#start = () => (repeats ? webInterval : webTimeout)(run, delay);
        this.#id = this.#start();
    }

    // A function's call ends when its work is done, whatever timers are pending.
    ref() {
        this.#keeps = true;
        return this;
    }

    unref() {
        this.#keeps = false;
        return this;
    }

    hasRef() {
        return this.#keeps;
    }

    refresh() {
        webClear(this.#id);
        this.#id = this.#start();
        this.#done = false;
        return this;
    }

    close() {
        webClear(this.#id);
        this.#done = true;
        return this;
    }

    get _destroyed() {
        return this.#done;
    }

    [Symbol.toPrimitive]() {
        return this.#id;
    }

    [Symbol.dispose]() {
        this.close();
    }
}

class Immediate extends Timeout {}

function setTimeout(callback, delay, ...values) {
    checkFunction(callback, "callback");
    return new Timeout(callback, delay, false, values);
}

function setInterval(callback, delay, ...values) {
    checkFunction(callback, "callback");
    return new Timeout(callback, delay, true, values);
}

function setImmediate(callback, ...values) {
    checkFunction(callback, "callback");
    return new Immediate(callback, 0, false, values);
}

// Takes what a setter gave, its number, or the number as a string.
function clear(timer) {
    if (timer instanceof Timeout) timer.close();
    else if (typeof timer === "number" || typeof timer === "string") webClear(Number(timer));
}

const clearTimeout = timer => clear(timer);
const clearInterval = timer => clear(timer);
const clearImmediate = timer => clear(timer);

const promises = {
    get value() {
        return require("./timers_promises.cjs");
    },
};
for (const [start, name] of [
    [setTimeout, "setTimeout"],
    [setImmediate, "setImmediate"],
])
    Object.defineProperty(start, custom, {
        get: () => promises.value[name],
    });

module.exports = {
    clearImmediate,
    clearInterval,
    clearTimeout,
    setImmediate,
    setInterval,
    setTimeout,
    get promises() {
        return promises.value;
    },
};

const { define } = require("./global_object.cjs");
define("setImmediate", setImmediate);
define("clearImmediate", clearImmediate);
