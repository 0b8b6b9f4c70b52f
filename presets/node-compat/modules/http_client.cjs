"use strict";
// Requests of node:http and node:https, by fetch().
const { ofResponse } = require("./http_message.cjs");
const { OutgoingMessage } = require("./http_outgoing.cjs");
const { failure } = require("./errors.cjs");

class Agent {
    constructor(options = {}) {
        this.options = { ...options };
        this.defaultPort = 80;
        this.protocol = "http:";
        this.maxSockets = options.maxSockets ?? Infinity;
        this.keepAlive = options.keepAlive ?? false;
    }

    destroy() {}
}

// Node takes a URL, options, or a URL and options.
function optionsOf(protocol, input, options) {
    const isUrl = typeof input === "string" || input instanceof URL;
    const given = isUrl ? { ...options } : { ...input };
    if (isUrl) {
        const url = new URL(input);
        return {
            ...given,
            href: url.href,
            protocol: url.protocol,
            path: url.pathname + url.search,
        };
    }
    const scheme = given.protocol ?? protocol;
    const host = given.hostname ?? given.host ?? "localhost";
    const port = given.port ? `:${given.port}` : "";
    const path = given.path ?? "/";
    return { ...given, href: `${scheme}//${host}${port}${path}`, protocol: scheme, path };
}

class ClientRequest extends OutgoingMessage {
    #options;
    #chunks = [];
    #controller = new AbortController();

    constructor(protocol, input, options, callback) {
        super({ autoDestroy: false, decodeStrings: true }); // it ends with its response
        const done = typeof options === "function" ? options : callback;
        this.#options = optionsOf(
            protocol,
            input,
            typeof options === "function" ? undefined : options
        );
        const { method = "GET", href, path, headers, auth, signal, timeout } = this.#options;
        if (this.#options.protocol !== "http:" && this.#options.protocol !== "https:")
            throw failure(
                TypeError,
                "ERR_INVALID_PROTOCOL",
                `Protocol "${this.#options.protocol}" not supported. Expected "${protocol}"`
            );
        const { host, hostname } = new URL(href);
        Object.assign(this, {
            method: method.toUpperCase(),
            path,
            host: hostname,
            protocol: this.#options.protocol,
            reusedSocket: false,
            aborted: false,
        });
        this.#setHeaders(headers);
        if (auth) this.setHeader("authorization", `Basic ${btoa(auth)}`);
        if (!this.hasHeader("host")) this.setHeader("Host", host);
        if (done) this.once("response", done);
        if (signal)
            signal.addEventListener("abort", () => this.destroy(signal.reason), { once: true });
        if (timeout) this.setTimeout(timeout);
    }

    #setHeaders(headers) {
        if (Array.isArray(headers))
            for (let i = 0; i < headers.length; i += 2)
                this.appendHeader(headers[i], headers[i + 1]);
        else
            for (const [name, value] of Object.entries(headers ?? {}))
                if (value !== undefined) this.setHeader(name, value);
    }

    setTimeout(delay, callback) {
        if (callback) this.once("timeout", callback);
        const timer = setTimeout(() => this.emit("timeout"), delay);
        this.once("close", () => clearTimeout(timer));
        return this;
    }

    setNoDelay() {}
    setSocketKeepAlive() {}

    abort() {
        this.aborted = true;
        this.destroy();
    }

    _write(chunk, encoding, done) {
        this.#chunks.push(chunk);
        done();
    }

    _final(done) {
        done();
        this.#send();
    }

    _destroy(error, done) {
        this.#controller.abort(error ?? undefined);
        done(error);
    }

    async #send() {
        this._header = `${this.method} ${this.path} HTTP/1.1`;
        const headers = this.webHeaders();
        headers.delete("host");
        const body = this.#chunks.length > 0 ? new Blob(this.#chunks) : undefined;
        try {
            const { signal } = this.#controller;
            const init = { method: this.method, headers, body, signal, redirect: "manual" };
            const message = ofResponse(await fetch(this.#options.href, init));
            message.req = this;
            this.res = message;
            message.once("close", () => this.emit("close"));
            if (!this.emit("response", message)) message.resume();
        } catch (error) {
            this.destroy(error);
        }
    }
}

const client = protocol => {
    const request = (input, options, callback) =>
        new ClientRequest(protocol, input, options, callback);
    const get = (...args) => request(...args).end();
    return { Agent, ClientRequest, get, globalAgent: new Agent(), request };
};

module.exports = { client };
