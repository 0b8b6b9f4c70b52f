"use strict";
// Percent-encoding, with the members of whatwg-url's lib/percent-encoding.js, which calls the UTF-8
// encoder for each character. Here ASCII is handled in place, and the sets are bits.
const hex = "0123456789ABCDEF";

const percentEncode = byte => "%" + hex[byte >> 4] + hex[byte & 15];

// A bit a set, for each ASCII character.
const sets = new Uint8Array(128);
let bit = 1;

function set(base, extra) {
    const mine = bit;
    bit <<= 1;
    for (let c = 0; c < 128; c++) {
        if (base(c) || extra.includes(String.fromCharCode(c))) sets[c] |= mine;
    }
    return c => c > 127 || (sets[c] & mine) !== 0;
}

exports.isC0ControlPercentEncode = set(c => c <= 0x1f || c > 0x7e, "");
exports.isFragmentPercentEncode = set(exports.isC0ControlPercentEncode, ' "<>`');
exports.extraQueryPercentEncodeChars = ' "#<>';
exports.extraSpecialQueryPercentEncodeChars = " \"#'<>";
exports.isQueryPercentEncode = set(exports.isC0ControlPercentEncode, ' "#<>');
exports.isPathPercentEncode = set(exports.isQueryPercentEncode, "?`{}^");
exports.isUserinfoPercentEncode = set(exports.isPathPercentEncode, "/:;=@[\\]|");
exports.isURLEncodedPercentEncode = set(exports.isUserinfoPercentEncode, "$%&+,!'()~");

function utf8PercentEncodeCodePoint(codePoint, test) {
    if (codePoint < 0x80) {
        return test(codePoint) ? percentEncode(codePoint) : String.fromCharCode(codePoint);
    }
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) return "%EF%BF%BD";
    return encodeURIComponent(String.fromCodePoint(codePoint)); // all sets hold all of these
}
exports.utf8PercentEncodeCodePoint = utf8PercentEncodeCodePoint;

exports.utf8PercentEncodeString = (input, test, spaceAsPlus = false) => {
    let output = "";
    for (let i = 0; i < input.length; i++) {
        const codePoint = input.codePointAt(i);
        if (codePoint > 0xffff) i++;
        if (spaceAsPlus && codePoint === 0x20) output += "+";
        else output += utf8PercentEncodeCodePoint(codePoint, test);
    }
    return output;
};

function digit(c) {
    if (c >= 0x30 && c <= 0x39) return c - 0x30;
    const lower = c | 0x20;
    return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function percentDecodeBytes(input) {
    if (!input.includes(0x25)) return input;
    const output = new Uint8Array(input.length);
    let length = 0;
    for (let i = 0; i < input.length; i++) {
        let byte = input[i];
        if (byte === 0x25 && digit(input[i + 1]) >= 0 && digit(input[i + 2]) >= 0) {
            byte = digit(input[i + 1]) * 16 + digit(input[i + 2]);
            i += 2;
        }
        output[length++] = byte;
    }
    return output.subarray(0, length);
}
exports.percentDecodeBytes = percentDecodeBytes;
exports.percentDecodeString = input => percentDecodeBytes(native.utf8Encode(input));
