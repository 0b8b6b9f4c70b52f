"use strict";
// ServerResponse of node:http. It becomes a web Response or, if it was given a socket, is written to that as
// HTTP/1.1, where packages that call a server's function by themselves read it, such as serverless-http and
// light-my-request.
const { Buffer } = require("./buffer.cjs");
const { Writable } = require("./stream.cjs");
const { failure } = require("./errors.cjs");
const { STATUS_CODES } = require("./http_tables.cjs");
const { OutgoingMessage, checkOpen, define } = require("./http_outgoing.cjs");

// Of each response: { resolve, isBegun, controller, drained, socket, length, isChunked }.
const states = new WeakMap();

const isBodyless = status => status === 204 || status === 205 || status === 304;

// `resolve` takes the Response once its head is known.
function ServerResponse(request, resolve) {
    if (!(this instanceof ServerResponse)) return new ServerResponse(request, resolve);
    OutgoingMessage.call(this, { decodeStrings: true });
    this.req = request;
    this.socket = request?.socket ?? null;
    this.connection = this.socket;
    this.statusCode = 200;
    this.statusMessage = undefined;
    this.useChunkedEncodingByDefault = true;
    this._hasBody = request?.method !== "HEAD";
    const taken = typeof resolve === "function" ? resolve : () => {};
    states.set(this, { resolve: taken, isBegun: false });
    return this;
}

// --- The head ---

function headText(response) {
    const state = states.get(response);
    const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
    for (const name of response.getRawHeaderNames())
        for (const value of [].concat(response.getHeader(name))) lines.push(`${name}: ${value}`);
    if (response.sendDate && !response.hasHeader("date"))
        lines.push(`Date: ${new Date().toUTCString()}`);
    if (!response.hasHeader("connection")) lines.push("Connection: keep-alive");
    const isSized = response.hasHeader("content-length") || response.hasHeader("transfer-encoding");
    if (response._hasBody && !isSized) {
        state.isChunked = state.length === undefined && response.useChunkedEncodingByDefault;
        if (state.isChunked) lines.push("Transfer-Encoding: chunked");
        else if (state.length !== undefined) lines.push(`Content-Length: ${state.length}`);
    }
    return `${lines.join("\r\n")}\r\n\r\n`;
}

// Packages put their own writeHead() in place of this one, to set headers at the last moment.
function writeHeadOnce(response) {
    if (!response._header) response._implicitHeader();
}

// --- The body ---

// A complete body is sent at once.
function answer(response, body) {
    const state = states.get(response);
    state.isBegun = true;
    if (state.socket) {
        state.socket.write(response._header, "latin1");
        if (body && response._hasBody) writeToSocket(response, body);
        return;
    }
    const { statusCode: status, statusMessage: statusText } = response;
    const none = !response._hasBody || isBodyless(status);
    state.resolve(
        new Response(none ? null : body, { status, statusText, headers: response.webHeaders() })
    );
}

function writeToSocket(response, bytes) {
    const { socket, isChunked } = states.get(response);
    if (isChunked) socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
    socket.write(bytes);
    if (isChunked) socket.write("\r\n", "latin1");
}

function start(response) {
    const state = states.get(response);
    if (state.socket) return void answer(response, null);
    const stream = new ReadableStream(
        {
            start: controller => {
                state.controller = controller;
            },
            pull: () => {
                state.drained?.();
                state.drained = undefined;
            },
            cancel: () => {
                state.controller = undefined;
                response.destroy();
            },
        },
        { highWaterMark: 65536, size: chunk => chunk.byteLength }
    );
    answer(response, stream);
}

define(ServerResponse, OutgoingMessage, {
    assignSocket(socket) {
        states.get(this).socket = socket;
        this.socket = socket;
        this.connection = socket;
        this.emit("socket", socket);
    },

    detachSocket() {
        states.get(this).socket = undefined;
        this.socket = null;
        this.connection = null;
    },

    writeHead(status, reason, headers) {
        checkOpen(this, "write");
        if (!Number.isInteger(status) || status < 100 || status > 999)
            throw failure(
                RangeError,
                "ERR_HTTP_INVALID_STATUS_CODE",
                `Invalid status code: ${status}`
            );
        this.statusCode = status;
        if (typeof reason === "string") this.statusMessage = reason;
        else this.statusMessage ||= STATUS_CODES[status] ?? "unknown";
        const given = typeof reason === "string" ? headers : (headers ?? reason);
        if (Array.isArray(given))
            for (let i = 0; i < given.length; i += 2) this.appendHeader(given[i], given[i + 1]);
        else
            for (const [name, value] of Object.entries(given ?? {}))
                if (value !== undefined) this.setHeader(name, value);
        if (status === 204 || status === 304 || status < 200) this._hasBody = false;
        this._header = states.get(this).socket ? headText(this) : `HTTP/1.1 ${status}`;
        return this;
    },

    _implicitHeader() {
        this.writeHead(this.statusCode);
    },

    flushHeaders() {
        writeHeadOnce(this);
        if (!states.get(this).isBegun) start(this);
    },

    writeContinue() {},
    writeProcessing() {},
    writeEarlyHints(hints, done) {
        if (done) queueMicrotask(done);
    },

    write(chunk, encoding, done) {
        writeHeadOnce(this);
        return Writable.prototype.write.call(this, chunk, encoding, done);
    },

    end(chunk, encoding, done) {
        if (typeof chunk === "function") return this.end(undefined, undefined, chunk);
        if (typeof encoding === "function") return this.end(chunk, undefined, encoding);
        const state = states.get(this);
        const isWhole = !state.isBegun && this.writableLength === 0 && !this.writableEnded;
        if (!isWhole) return Writable.prototype.end.call(this, chunk, encoding, done);
        const isEmpty = chunk === undefined || chunk === null;
        const body = isEmpty ? null : Buffer.from(chunk, encoding);
        state.length = body ? body.length : 0;
        writeHeadOnce(this);
        answer(this, body);
        return Writable.prototype.end.call(this, done);
    },

    _write(chunk, encoding, done) {
        const state = states.get(this);
        if (!state.isBegun) start(this);
        if (state.socket && this._hasBody) writeToSocket(this, chunk);
        if (!state.controller) return done();
        state.controller.enqueue(new Uint8Array(chunk));
        if (state.controller.desiredSize > 0) return done();
        state.drained = done;
        return undefined;
    },

    _final(done) {
        const state = states.get(this);
        writeHeadOnce(this);
        if (!state.isBegun) answer(this, null);
        if (state.socket && state.isChunked) state.socket.write("0\r\n\r\n", "latin1");
        state.controller?.close();
        done();
    },

    _destroy(error, done) {
        const state = states.get(this);
        if (!state.isBegun)
            state.resolve(
                Promise.reject(error ?? new Error("the response was destroyed before it was begun"))
            );
        else if (error) state.controller?.error(error);
        done(error);
    },
});

module.exports = { ServerResponse };
