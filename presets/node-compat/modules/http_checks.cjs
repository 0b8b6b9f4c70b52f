"use strict";
// What node:http checks of headers.
const { failure } = require("./errors.cjs");

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

module.exports = { validateHeaderName, validateHeaderValue };
