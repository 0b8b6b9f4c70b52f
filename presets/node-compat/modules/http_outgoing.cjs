"use strict";
// What goes out by node:http: headers by name.
const { Writable } = require("./stream.cjs");
const { failure, invalidType } = require("./errors.cjs");
const { validateHeaderName, validateHeaderValue } = require("./http_checks.cjs");

// Of each message, by name in lower case: [name, value]. Messages are no classes: as in Node, code from before
// classes makes its own `this` one by http.ServerResponse.call(this).
const headersOf = new WeakMap();

function OutgoingMessage(options) {
    if (!(this instanceof OutgoingMessage)) return new OutgoingMessage(options);
    Writable.call(this, options);
    headersOf.set(this, new Map());
    this._header = null;
    this.sendDate = true;
    return this;
}

function checkOpen(message, what) {
    if (message.headersSent)
        throw failure(
            Error,
            "ERR_HTTP_HEADERS_SENT",
            `Cannot ${what} headers after they are sent to the client`
        );
}

/** Gives a constructor its parent, and what its objects have. */
function define(constructor, parent, parts) {
    Object.setPrototypeOf(constructor, parent);
    const own = { value: constructor, writable: true, configurable: true };
    constructor.prototype = Object.create(parent.prototype, {
        ...Object.getOwnPropertyDescriptors(parts),
        constructor: own,
    });
}

define(OutgoingMessage, Writable, {
    get headersSent() {
        return Boolean(this._header);
    },

    setHeader(name, value) {
        checkOpen(this, "set");
        validateHeaderName(name);
        for (const one of [].concat(value)) validateHeaderValue(name, one);
        headersOf.get(this).set(name.toLowerCase(), [name, value]);
        return this;
    },

    appendHeader(name, value) {
        const known = this.getHeader(name);
        return this.setHeader(name, known === undefined ? value : [].concat(known, value));
    },

    setHeaders(headers) {
        for (const [name, value] of headers) this.setHeader(name, value);
        return this;
    },

    getHeader(name) {
        if (typeof name !== "string") throw invalidType("name", "string", name);
        return headersOf.get(this).get(name.toLowerCase())?.[1];
    },

    getHeaderNames() {
        return [...headersOf.get(this).keys()];
    },

    getRawHeaderNames() {
        return Array.from(headersOf.get(this).values(), ([name]) => name);
    },

    getHeaders() {
        const entries = Array.from(headersOf.get(this), ([key, [, value]]) => [key, value]);
        return Object.assign({ __proto__: null }, Object.fromEntries(entries));
    },

    hasHeader(name) {
        return headersOf.get(this).has(name.toLowerCase());
    },

    removeHeader(name) {
        checkOpen(this, "remove");
        headersOf.get(this).delete(name.toLowerCase());
    },

    webHeaders() {
        const headers = new Headers();
        for (const [name, value] of headersOf.get(this).values())
            for (const one of [].concat(value)) headers.append(name, `${one}`);
        return headers;
    },

    get finished() {
        return this.writableEnded;
    },

    setTimeout() {
        return this;
    },

    addTrailers() {
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "trailers are not in presets/node-compat"
        );
    },
});

module.exports = { OutgoingMessage, checkOpen, define };
