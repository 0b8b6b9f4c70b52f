"use strict";
// A server of node:http is the function's handler: the one that listens answers its requests.
const EventEmitter = require("./events.cjs");
const { ofRequest } = require("./http_message.cjs");
const { ServerResponse } = require("./http_response.cjs");
const { failure, invalidType } = require("./errors.cjs");

let listening; // the server that answers, of those that listen the first

class Server extends EventEmitter {
    #address = null;

    constructor(options, listener) {
        super();
        const onRequest = typeof options === "function" ? options : listener;
        if (onRequest !== undefined && typeof onRequest !== "function")
            throw invalidType("listener", "function", onRequest);
        if (onRequest) this.on("request", onRequest);
        this.timeout = 0;
        this.keepAliveTimeout = 5000;
        this.headersTimeout = 60000;
        this.requestTimeout = 300000;
    }

    get listening() {
        return this.#address !== null;
    }

    // Any port will do: requests come from who calls the function.
    listen(...args) {
        const { port = 0 } =
            typeof args[0] === "object" && args[0] !== null
                ? args[0]
                : { port: Number(args[0]) || 0 };
        const done = args.findLast(value => typeof value === "function");
        if (done) this.once("listening", done);
        if (this.listening)
            throw failure(
                Error,
                "ERR_SERVER_ALREADY_LISTEN",
                "Listen method has been called more than once without closing."
            );
        this.#address = { address: "127.0.0.1", family: "IPv4", port };
        if (!listening) {
            listening = this;
            addEventListener("fetch", event => event.respondWith(listening.answer(event.request)));
        }
        queueMicrotask(() => this.emit("listening"));
        return this;
    }

    address() {
        return this.#address;
    }

    close(done) {
        this.#address = null;
        queueMicrotask(() => {
            this.emit("close");
            done?.();
        });
        return this;
    }

    closeAllConnections() {}
    closeIdleConnections() {}
    ref() {
        return this;
    }
    unref() {
        return this;
    }
    setTimeout() {
        return this;
    }

    // A promise of a web Response.
    answer(request) {
        return new Promise((resolve, reject) => {
            const message = ofRequest(request);
            const response = new ServerResponse(message, resolve);
            response.on("error", reject);
            if (!this.emit("request", message, response))
                reject(new Error("the server has no listener of requests"));
        });
    }
}

function callable(Class) {
    return new Proxy(Class, { apply: (target, receiver, args) => new target(...args) });
}

module.exports = { Server: callable(Server), createServer: (...args) => new Server(...args) };
