"use strict";
// node:querystring from unenv, whose way with malformed escapes needs a global Buffer.
const { escape, parse: base, stringify } = require("unenv/node/querystring");

function unescape(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        const byte = (escaped, digits) => String.fromCharCode(parseInt(digits, 16));
        const bytes = text.replace(/%([0-9a-f]{2})/gi, byte);
        return new TextDecoder().decode(Uint8Array.from(bytes, unit => unit.charCodeAt(0)));
    }
}

// Node decodes only where there is something to decode.
const decoded = text => (/%[0-9a-f]{2}/i.test(text) ? module.exports.unescape(text) : text);

const parse = (text, separator, equals, options) =>
    base(text, separator, equals, { decodeURIComponent: decoded, ...options });

const unescapeBuffer = text =>
    require("./buffer.cjs").Buffer.from(
        text.replace(/%([0-9a-f]{2})/gi, (escaped, digits) =>
            String.fromCharCode(parseInt(digits, 16))
        ),
        "latin1"
    );

module.exports = {
    decode: parse,
    encode: stringify,
    escape,
    parse,
    stringify,
    unescape,
    unescapeBuffer,
};
