"use strict";
// node:http: a server is the function's handler, a request is a fetch(). Each part is evaluated when a
// function first asks for it.
const { missingAll } = require("./errors.cjs");
const { validateHeaderName, validateHeaderValue } = require("./http_checks.cjs");
const { METHODS, STATUS_CODES } = require("./http_tables.cjs");

const http = {
    ...missingAll("http", ["setMaxIdleHTTPParsers"]),
    METHODS,
    STATUS_CODES,
    maxHeaderSize: 16384,
    validateHeaderName,
    validateHeaderValue,
};

const parts = {
    message: () => require("./http_message.cjs"),
    outgoing: () => require("./http_outgoing.cjs"),
    response: () => require("./http_response.cjs"),
    server: () => require("./http_server.cjs"),
    client: () => require("./http_client_plain.cjs"),
};
const names = {
    message: ["IncomingMessage"],
    outgoing: ["OutgoingMessage"],
    response: ["ServerResponse"],
    server: ["Server", "createServer"],
    client: ["Agent", "ClientRequest", "get", "globalAgent", "request"],
};
for (const [part, exported] of Object.entries(names))
    for (const name of exported)
        Object.defineProperty(http, name, {
            enumerable: true,
            configurable: true,
            get: () => parts[part]()[name],
        });

for (const name of ["WebSocket", "CloseEvent", "MessageEvent"])
    Object.defineProperty(http, name, { enumerable: true, get: () => globalThis[name] });

module.exports = http;
