"use strict";
// What embedded.mjs wrote: the bytes of a file.
exports.bytesOf = ([kind, , content]) => {
    const text = content();
    return kind === 1 ? Uint8Array.fromBase64(text) : new TextEncoder().encode(text);
};
