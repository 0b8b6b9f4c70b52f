"use strict";
// What goes out by node:http: headers by name, and ServerResponse, which becomes a web Response.
const { Buffer } = require("./buffer.cjs");
const { Writable } = require("./stream.cjs");
const { failure, invalidType } = require("./errors.cjs");
const { STATUS_CODES } = require("./http_tables.cjs");
const { validateHeaderName, validateHeaderValue } = require("./http_checks.cjs");

class OutgoingMessage extends Writable {
    #headers = new Map(); // by name in lower case: [name, value]
    headersSent = false;
    sendDate = true;

    #checkOpen(what) {
        if (this.headersSent)
            throw failure(
                Error,
                "ERR_HTTP_HEADERS_SENT",
                `Cannot ${what} headers after they are sent to the client`
            );
    }

    setHeader(name, value) {
        this.#checkOpen("set");
        validateHeaderName(name);
        for (const one of [].concat(value)) validateHeaderValue(name, one);
        this.#headers.set(name.toLowerCase(), [name, value]);
        return this;
    }

    appendHeader(name, value) {
        const known = this.getHeader(name);
        return this.setHeader(name, known === undefined ? value : [].concat(known, value));
    }

    setHeaders(headers) {
        for (const [name, value] of headers) this.setHeader(name, value);
        return this;
    }

    getHeader(name) {
        if (typeof name !== "string") throw invalidType("name", "string", name);
        return this.#headers.get(name.toLowerCase())?.[1];
    }

    getHeaderNames() {
        return [...this.#headers.keys()];
    }

    getRawHeaderNames() {
        return Array.from(this.#headers.values(), ([name]) => name);
    }

    getHeaders() {
        const entries = Array.from(this.#headers, ([key, [, value]]) => [key, value]);
        return Object.assign({ __proto__: null }, Object.fromEntries(entries));
    }

    hasHeader(name) {
        return this.#headers.has(name.toLowerCase());
    }

    removeHeader(name) {
        this.#checkOpen("remove");
        this.#headers.delete(name.toLowerCase());
    }

    webHeaders() {
        const headers = new Headers();
        for (const [name, value] of this.#headers.values())
            for (const one of [].concat(value)) headers.append(name, `${one}`);
        return headers;
    }

    get finished() {
        return this.writableEnded;
    }

    setTimeout() {
        return this;
    }

    addTrailers() {
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "trailers are not in presets/node-compat"
        );
    }
}

const isBodyless = status => status === 204 || status === 205 || status === 304;

class ServerResponse extends OutgoingMessage {
    #resolve;
    #controller;
    #drained;

    // `resolve` takes the Response once its head is known.
    constructor(request, resolve = () => {}) {
        super({ decodeStrings: true });
        this.req = request;
        this.socket = request?.socket ?? null;
        this.connection = this.socket;
        this.statusCode = 200;
        this.statusMessage = undefined;
        this.#resolve = resolve;
    }

    writeHead(status, reason, headers) {
        if (this.headersSent)
            throw failure(
                Error,
                "ERR_HTTP_HEADERS_SENT",
                "Cannot write headers after they are sent to the client"
            );
        if (!Number.isInteger(status) || status < 100 || status > 999)
            throw failure(
                RangeError,
                "ERR_HTTP_INVALID_STATUS_CODE",
                `Invalid status code: ${status}`
            );
        this.statusCode = status;
        if (typeof reason === "string") this.statusMessage = reason;
        const given = typeof reason === "string" ? headers : (headers ?? reason);
        if (Array.isArray(given))
            for (let i = 0; i < given.length; i += 2) this.appendHeader(given[i], given[i + 1]);
        else
            for (const [name, value] of Object.entries(given ?? {}))
                if (value !== undefined) this.setHeader(name, value);
        return this;
    }

    flushHeaders() {
        if (!this.headersSent) this.#start();
    }

    writeContinue() {}
    writeProcessing() {}
    writeEarlyHints(hints, done) {
        if (done) queueMicrotask(done);
    }

    // A complete body is sent at once.
    #answer(body) {
        this.headersSent = true;
        const status = this.statusCode;
        const statusText = this.statusMessage ?? STATUS_CODES[status] ?? "";
        this.statusMessage = statusText;
        const none = isBodyless(status) || this.req?.method === "HEAD";
        this.#resolve(
            new Response(none ? null : body, { status, statusText, headers: this.webHeaders() })
        );
    }

    #start() {
        const stream = new ReadableStream(
            {
                start: controller => {
                    this.#controller = controller;
                },
                pull: () => {
                    this.#drained?.();
                    this.#drained = undefined;
                },
                cancel: () => {
                    this.#controller = undefined;
                    this.destroy();
                },
            },
            { highWaterMark: 65536, size: chunk => chunk.byteLength }
        );
        this.#answer(stream);
    }

    end(chunk, encoding, done) {
        const isWhole = !this.headersSent && this.writableLength === 0 && !this.writableEnded;
        if (isWhole && typeof chunk !== "function") {
            const body =
                chunk === undefined || chunk === null
                    ? null
                    : Buffer.from(chunk, typeof encoding === "string" ? encoding : undefined);
            this.#answer(body);
            return super.end(typeof encoding === "function" ? encoding : done);
        }
        return super.end(chunk, encoding, done);
    }

    _write(chunk, encoding, done) {
        if (!this.headersSent) this.#start();
        if (!this.#controller) return done();
        this.#controller.enqueue(new Uint8Array(chunk));
        if (this.#controller.desiredSize > 0) return done();
        this.#drained = done;
        return undefined;
    }

    _final(done) {
        if (!this.headersSent) this.#answer(null);
        this.#controller?.close();
        done();
    }

    _destroy(error, done) {
        if (!this.headersSent)
            this.#resolve(
                Promise.reject(error ?? new Error("the response was destroyed before it was begun"))
            );
        else if (error) this.#controller?.error(error);
        done(error);
    }
}

module.exports = { OutgoingMessage, ServerResponse };
