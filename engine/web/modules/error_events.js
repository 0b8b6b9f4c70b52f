"use strict";
const { expose, need } = require("snapcell:idl");
const { Event } = require("snapcell:events");

class ErrorEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        need(1, arguments.length, "ErrorEvent");
        super(type, init);
        this.#init = {
            message: init?.message === undefined ? "" : `${init.message}`,
            filename: init?.filename === undefined ? "" : `${init.filename}`,
            lineno: Number(init?.lineno ?? 0) >>> 0,
            colno: Number(init?.colno ?? 0) >>> 0,
            error: init?.error,
        };
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

class PromiseRejectionEvent extends Event {
    #promise;
    #reason;

    constructor(type, init) {
        need(2, arguments.length, "PromiseRejectionEvent");
        super(type, init);
        if (typeof init?.promise !== "object" || init.promise === null) {
            throw new TypeError("PromiseRejectionEvent: the option promise must be an object");
        }
        this.#promise = init.promise;
        this.#reason = init.reason;
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
