"use strict";
// IncomingMessage of node:http, made of the web's Request or Response, and the headers that messages
// have in Node.
const { Buffer } = require("./buffer.cjs");
const EventEmitter = require("./events.cjs");
const { Readable } = require("./stream.cjs");

// As much of a socket as frameworks ask for; there is none.
class Socket extends EventEmitter {
    remoteAddress = "127.0.0.1";
    remotePort = 0;
    remoteFamily = "IPv4";
    localPort = 0;
    readable = true;
    writable = true;
    destroyed = false;

    constructor(encrypted) {
        super();
        this.encrypted = encrypted;
    }

    destroy() {
        this.destroyed = true;
        return this;
    }

    setTimeout() {
        return this;
    }

    setNoDelay() {
        return this;
    }

    setKeepAlive() {
        return this;
    }

    address() {
        return { address: this.remoteAddress, family: this.remoteFamily, port: this.localPort };
    }
}

// Headers that come once: of more the first counts. Cookies of a request are joined by "; ".
const single = new Set([
    "age",
    "authorization",
    "content-length",
    "content-type",
    "etag",
    "expires",
    "from",
    "host",
]);
for (const name of [
    "if-modified-since",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
])
    single.add(name);
for (const name of ["proxy-authorization", "referer", "retry-after", "server", "user-agent"])
    single.add(name);

function addHeader(headers, name, value) {
    if (name === "set-cookie") (headers[name] ??= []).push(value);
    else if (!(name in headers)) headers[name] = value;
    else if (!single.has(name)) headers[name] += `${name === "cookie" ? "; " : ", "}${value}`;
}

class IncomingMessage extends Readable {
    #reader;

    constructor(socket) {
        super();
        this.socket = socket;
        this.connection = socket;
        this.httpVersion = "1.1";
        this.httpVersionMajor = 1;
        this.httpVersionMinor = 1;
        this.headers = {};
        this.rawHeaders = [];
        this.trailers = {};
        this.rawTrailers = [];
        this.aborted = false;
        this.complete = false;
        this.url = "";
        this.method = null;
        this.statusCode = null;
        this.statusMessage = null;
    }

    get headersDistinct() {
        const distinct = { __proto__: null };
        for (let i = 0; i < this.rawHeaders.length; i += 2)
            (distinct[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
        return distinct;
    }

    add(name, value) {
        addHeader(this.headers, name, value);
        this.rawHeaders.push(name, value);
    }

    // Takes over the web's headers and body.
    take(message) {
        for (const [name, value] of message.headers) this.add(name, value);
        this.#reader = message.body?.getReader();
        return this;
    }

    setTimeout(delay, callback) {
        if (callback) this.once("timeout", callback);
        return this;
    }

    async _read() {
        try {
            const { done, value } = (await this.#reader?.read()) ?? { done: true };
            this.complete = done;
            this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        } catch (error) {
            this.destroy(error);
        }
    }

    _destroy(error, done) {
        if (!this.complete) this.#reader?.cancel(error).catch(() => {});
        done(error);
    }
}

function ofRequest(request) {
    const { host, protocol, pathname, search } = new URL(request.url);
    const message = new IncomingMessage(new Socket(protocol === "https:"));
    message.method = request.method;
    message.url = pathname + search;
    message.take(request);
    // What a client sends, and the web's request does not show.
    if (!message.headers.host) message.add("host", host);
    if (request.body && !message.headers["content-length"])
        message.add("transfer-encoding", "chunked");
    return message;
}

function ofResponse(response) {
    const message = new IncomingMessage(new Socket(response.url.startsWith("https:")));
    message.statusCode = response.status;
    message.statusMessage = response.statusText;
    return message.take(response);
}

module.exports = { IncomingMessage, Socket, ofRequest, ofResponse };
