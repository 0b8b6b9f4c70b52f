"use strict";
// node:buffer is the package `buffer`, which lacks base64url, and has its own UTF-8 in JavaScript.
const base = require("buffer/");
const { Buffer } = base;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const isUtf8Name = encoding => encoding === undefined || /^utf-?8$/i.test(encoding);
const isBase64url = encoding => typeof encoding === "string" && /^base64url$/i.test(encoding);
const known = encoding => (isBase64url(encoding) ? "base64" : encoding);

const { from, isEncoding, byteLength } = Buffer;
const { toString, write, fill, indexOf, lastIndexOf, includes } = Buffer.prototype;

Buffer.isEncoding = encoding => isBase64url(encoding) || isEncoding(encoding);
Buffer.from = function (value, encoding, length) {
    if (typeof value !== "string") return from(value, encoding, length);
    if (!isUtf8Name(encoding)) return from(value, known(encoding));
    const bytes = encoder.encode(value);
    return from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
Buffer.byteLength = (value, encoding) =>
    isBase64url(encoding) ? Buffer.from(value, encoding).length : byteLength(value, encoding);

function clamped(value, otherwise, end) {
    const number = value === undefined ? otherwise : Math.trunc(Number(value)) || 0;
    return Math.min(Math.max(number, 0), end);
}

Buffer.prototype.toString = function (encoding, start, end) {
    if (isBase64url(encoding))
        return toString
            .call(this, "base64", start, end)
            .replaceAll("+", "-")
            .replaceAll("/", "_")
            .replace(/=+$/, "");
    if (!isUtf8Name(encoding)) return toString.call(this, encoding, start, end);
    const first = clamped(start, 0, this.length);
    return decoder.decode(this.subarray(first, clamped(end, this.length, this.length)));
};
Buffer.prototype.toLocaleString = Buffer.prototype.toString;

// A text that is itself "base64url" stays: only what follows it is an encoding.
const afterFirst = method =>
    function (first, ...rest) {
        return method.call(this, first, ...rest.map(known));
    };
Buffer.prototype.write = afterFirst(write);
Buffer.prototype.fill = afterFirst(fill);
Buffer.prototype.indexOf = afterFirst(indexOf);
Buffer.prototype.lastIndexOf = afterFirst(lastIndexOf);
Buffer.prototype.includes = afterFirst(includes);

const bytesOf = view =>
    ArrayBuffer.isView(view)
        ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
        : new Uint8Array(view);

function isUtf8(view) {
    try {
        new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(view));
        return true;
    } catch {
        return false;
    }
}

module.exports = {
    Buffer,
    SlowBuffer: base.SlowBuffer,
    INSPECT_MAX_BYTES: base.INSPECT_MAX_BYTES,
    kMaxLength: base.kMaxLength,
    constants: { MAX_LENGTH: base.kMaxLength, MAX_STRING_LENGTH: 0x1fffffe8 },
    isUtf8,
    isAscii: view => bytesOf(view).every(byte => byte < 0x80),
    // Looked up when they are asked for: a web API that nothing touches is in no snapshot.
    get Blob() {
        return globalThis.Blob;
    },
    get File() {
        return globalThis.File;
    },
    atob: text => globalThis.atob(text),
    btoa: text => globalThis.btoa(text),
};
