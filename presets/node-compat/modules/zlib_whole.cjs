"use strict";
// What Brotli and Zstandard of node:zlib share. The engine has them for whole texts: a stream keeps what it gets until
// its end. Where it is flushed before, all that came by then is coded again, and what is new of that comes out.
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

// Without their first `size` bytes; each still has a buffer of its own.
function without(chunks, size) {
    const rest = [];
    let left = size;
    for (const chunk of chunks) {
        if (left < chunk.length) rest.push(left > 0 ? chunk.slice(left) : chunk);
        left -= Math.min(left, chunk.length);
    }
    return rest;
}

// Of a function (bytes, { flushes, isOpen }) for the whole: a function (bytes, last) -> Uint8Array[], as zlib.cjs has
// them. `last`: true at the end, or a number of `kinds`, [goes on, flushes].
function coderOf(code, format, [goesOn, flushes]) {
    let parts = [];
    const offsets = [];
    let size = 0;
    let given = 0;
    return (bytes, last) => {
        if (bytes.length > 0) parts.push(bytes);
        size += bytes.length;
        if (last === false || last === goesOn) return [];
        if (typeof last === "number" && last !== flushes)
            throw notHere("flush() of this kind", format);
        if (last === flushes) offsets.push(size);
        parts = [joined(parts)];
        const how = { flushes: Uint32Array.from(offsets), isOpen: last === flushes };
        const chunks = without(code(parts[0], how), given);
        for (const { length } of chunks) given += length;
        return chunks;
    };
}

module.exports = { coderOf, nameOf, notHere, notInitialized, outOfLength };
