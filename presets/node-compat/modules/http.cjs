"use strict";
// node:http: its tables and names. A function answers requests by its handler and makes them by fetch().
const { failure, missingAll } = require("./errors.cjs");
const { METHODS, STATUS_CODES } = require("./http_tables.cjs");

const token = /^[\^_`a-zA-Z\-0-9!#$%&'*+.|~]+$/;
// eslint-disable-next-line no-control-regex
const badValue = /[^\t\x20-\x7e\x80-\xff]/;

function validateHeaderName(name, label = "Header name") {
    if (typeof name !== "string" || !token.test(name))
        throw failure(
            TypeError,
            "ERR_INVALID_HTTP_TOKEN",
            `${label} must be a valid HTTP token ["${name}"]`
        );
}

function validateHeaderValue(name, value) {
    if (value === undefined)
        throw failure(
            TypeError,
            "ERR_HTTP_INVALID_HEADER_VALUE",
            `Invalid value "${value}" for header "${name}"`
        );
    if (badValue.test(value))
        throw failure(
            TypeError,
            "ERR_INVALID_CHAR",
            `Invalid character in header content ["${name}"]`
        );
}

// Classes that others extend or look at; making one says what is missing.
const absent = ["Agent", "ClientRequest", "IncomingMessage", "OutgoingMessage", "Server"];
absent.push("ServerResponse", "createServer", "get", "request", "setMaxIdleHTTPParsers");

module.exports = {
    ...missingAll("http", absent),
    METHODS,
    STATUS_CODES,
    globalAgent: {},
    maxHeaderSize: 16384,
    validateHeaderName,
    validateHeaderValue,
};
