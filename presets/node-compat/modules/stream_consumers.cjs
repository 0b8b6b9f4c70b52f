"use strict";
// node:stream/consumers: all that a stream of either kind gives.
const { Buffer } = require("./buffer.cjs");

async function bytes(stream) {
    const chunks = [];
    for await (const chunk of stream)
        chunks.push(
            typeof chunk === "string"
                ? Buffer.from(chunk)
                : chunk instanceof Uint8Array
                  ? chunk
                  : new Uint8Array(chunk)
        );
    return Buffer.concat(chunks);
}

// Texts and bytes may come in turns.
async function text(stream) {
    const decoder = new TextDecoder();
    let all = "";
    for await (const chunk of stream)
        all += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    return all + decoder.decode();
}

async function arrayBuffer(stream) {
    const { buffer, byteOffset, byteLength } = await bytes(stream);
    return buffer.slice(byteOffset, byteOffset + byteLength);
}

module.exports = {
    arrayBuffer,
    blob: async stream => new Blob([await bytes(stream)]),
    buffer: bytes,
    json: async stream => JSON.parse(await text(stream)),
    text,
};
