"use strict";
// The Encoding standard's labels and its single-byte encodings, from a package.
const { normalizeEncoding } = require("@exodus/bytes/encoding-lite.js");
const { createSinglebyteDecoder } = require("@exodus/bytes/single-byte.js");

const multibyte = ["big5", "euc-kr", "euc-jp", "iso-2022-jp", "shift_jis", "gbk", "gb18030"];

// The package asks for the platform's decoders first, which are these here.
let asking = false;

// The name of the encoding with this label; null when there is none to decode.
exports.nameOf = label => {
    if (asking) return null;
    const name = normalizeEncoding(label);
    return name === "replacement" ? null : name;
};

// A function (bytes, stream) -> string that throws a TypeError when it is fatal.
exports.newDecoder = (encoding, fatal) => {
    if (multibyte.includes(encoding)) {
        return require("snapcell:encoding_multibyte").newDecoder(encoding, !fatal);
    }
    asking = true;
    try {
        return createSinglebyteDecoder(encoding, !fatal);
    } finally {
        asking = false;
    }
};
