"use strict";
// The bytes of a key are parts, each a length of two bytes, big endian, and as many bytes.

/** Views of the key's own bytes: who gives them away copies them. */
exports.splitParts = bytes => {
    const parts = [];
    for (let at = 0; at < bytes.length;) {
        const end = at + 2 + bytes[at] * 256 + bytes[at + 1];
        parts.push(bytes.subarray(at + 2, end));
        at = end;
    }
    return parts;
};

exports.joinParts = parts => {
    const bytes = new Uint8Array(parts.reduce((size, part) => size + 2 + part.length, 0));
    let at = 0;
    for (const part of parts) {
        bytes[at] = part.length >> 8;
        bytes[at + 1] = part.length;
        bytes.set(part, at + 2);
        at += 2 + part.length;
    }
    return bytes;
};
