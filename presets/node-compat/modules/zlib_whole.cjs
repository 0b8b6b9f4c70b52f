"use strict";
// What Brotli and Zstandard of node:zlib share. The engine has them for whole texts: a stream keeps what it gets until
// its end.
const { failure } = require("./errors.cjs");
const constants = require("./zlib_constants.cjs");

function outOfLength(most) {
    const message = `Cannot create a Buffer larger than ${most} bytes`;
    return failure(RangeError, "ERR_BUFFER_TOO_LARGE", message);
}

const notInitialized = message => failure(Error, "ERR_ZLIB_INITIALIZATION_FAILED", message);

const notHere = (what, format) =>
    failure(
        Error,
        "ERR_METHOD_NOT_IMPLEMENTED",
        `zlib: ${what} of ${format} is not in presets/node-compat`
    );

const nameOf = (prefix, value) =>
    Object.keys(constants).find(name => name.startsWith(prefix) && constants[name] === value);

function joined(parts) {
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

// Of a function for the whole: a function (bytes, last) -> Uint8Array[], as zlib.cjs has them.
function coderOf(code, format) {
    const parts = [];
    return (bytes, last) => {
        if (bytes.length > 0) parts.push(bytes);
        if (last === true) return code(joined(parts));
        if (typeof last === "number") throw notHere("flush()", format);
        return [];
    };
}

module.exports = { coderOf, nameOf, notHere, notInitialized, outOfLength };
