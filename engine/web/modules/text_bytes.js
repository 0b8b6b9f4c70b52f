"use strict";
// Bytes in base64 in the text of a function that is never called. The text is no part of a snapshot,
// and is decoded when something needs it.
const texts = new WeakMap(); // bytes -> function

exports.textBytes = text => {
    const bytes = native.functionBytes(text);
    if (bytes === undefined) throw new TypeError("the function's text has no bytes in base64");
    texts.set(bytes, text);
    return bytes;
};

// The function whose text these bytes are from; undefined when there is none.
exports.textOf = value => texts.get(value);
