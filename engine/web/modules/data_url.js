"use strict";
// data: URLs (Fetch, 6).
const { createResponse } = require("snapcell:fetch");

const plain = "text/plain;charset=US-ASCII";
const essence = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s*(?:;|$)/;

// A type as it is written, which is what its parser would give back for nearly all.
function typeOf(text) {
    text = text.trim();
    if (text.startsWith(";")) text = `text/plain${text}`;
    return essence.test(text) ? text : plain;
}

function latin1Bytes(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
}

function decode(bytes) {
    const decoded = native.base64Decode(native.utf8Decode(bytes, false, true));
    if (decoded === undefined) throw new TypeError("fetch: the data: URL is not correct base64");
    return latin1Bytes(decoded);
}

exports.respond = async ({ url, method }) => {
    const text = url.replace(/#[^]*/, "");
    const comma = text.indexOf(",");
    if (comma < 0) throw new TypeError("fetch: the data: URL has no comma");
    const [type, mark] = text.slice(5, comma).split(/(; *base64) *$/i);
    let bytes = require("snapcell:percent").percentDecodeString(text.slice(comma + 1));
    if (mark !== undefined) bytes = decode(bytes);
    return createResponse({
        status: 200,
        statusText: "OK",
        list: ["content-type", typeOf(type)],
        url: text,
        redirected: false,
        source: method === "HEAD" ? null : bytes,
    });
};
