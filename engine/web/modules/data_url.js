"use strict";
// data: URLs (Fetch, 6).
const { createResponse } = require("snapcell:fetch");

const plain = "text/plain;charset=US-ASCII";

// What is before the comma: [the type as it is sent, whether base64 follows].
function readHead(head) {
    const { parse, serialize, trim } = require("snapcell:mime");
    head = trim(head);
    const mark = head.lastIndexOf(";");
    const isBase64 = mark >= 0 && trim(head.slice(mark + 1)).toLowerCase() === "base64";
    if (isBase64) head = trim(head.slice(0, mark));
    if (head.startsWith(";")) head = `text/plain${head}`;
    const type = parse(head);
    return [type ? serialize(type) : plain, isBase64];
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
    const [type, isBase64] = readHead(text.slice(5, comma));
    let bytes = require("snapcell:percent").percentDecodeString(text.slice(comma + 1));
    if (isBase64) bytes = decode(bytes);
    return createResponse({
        status: 200,
        statusText: "OK",
        list: ["content-type", type],
        url: text,
        redirected: false,
        source: method === "HEAD" ? null : bytes,
    });
};
