"use strict";
const { dictionary, expose, need } = require("snapcell:idl");
const { Event } = require("snapcell:events");

class ErrorEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        need(1, arguments.length, "ErrorEvent");
        super(type, init);
        const { colno = 0, error, filename = "", lineno = 0, message = "" } = readInit(init);
        this.#init = { colno, error, filename, lineno, message };
    }

    get message() {
        return this.#init.message;
    }

    get filename() {
        return this.#init.filename;
    }

    get lineno() {
        return this.#init.lineno;
    }

    get colno() {
        return this.#init.colno;
    }

    get error() {
        return this.#init.error;
    }
}
expose(ErrorEvent);

// The members in the order in which Web IDL reads and converts them.
function readInit(init) {
    const given = dictionary(init, "ErrorEvent");
    const values = { __proto__: null };
    for (const [name, convert] of Object.entries(conversions)) {
        const value = given[name];
        if (value !== undefined) values[name] = convert(value);
    }
    return values;
}

const conversions = {
    colno: value => +value >>> 0,
    error: value => value,
    filename: value => `${value}`.toWellFormed(),
    lineno: value => +value >>> 0,
    message: value => `${value}`,
};

class PromiseRejectionEvent extends Event {
    #promise;
    #reason;

    constructor(type, init) {
        need(2, arguments.length, "PromiseRejectionEvent");
        super(type, init);
        const { promise, reason } = dictionary(init, "PromiseRejectionEvent");
        const isObject = typeof promise === "object" || typeof promise === "function";
        if (!isObject || promise === null) {
            throw new TypeError("PromiseRejectionEvent: the option promise must be an object");
        }
        this.#promise = promise;
        this.#reason = reason;
    }

    get promise() {
        return this.#promise;
    }

    get reason() {
        return this.#reason;
    }
}
expose(PromiseRejectionEvent);

exports.ErrorEvent = ErrorEvent;
exports.PromiseRejectionEvent = PromiseRejectionEvent;
