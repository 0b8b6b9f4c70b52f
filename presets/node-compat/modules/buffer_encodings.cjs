"use strict";
// Texts as bytes and bytes as texts, as node:buffer has them: by encoding,
//   size(text)          how many bytes Buffer.byteLength() tells
//   encode(text)        a Uint8Array
//   decode(bytes)       a string
// and `unit`, the bytes of a character that must not be divided.
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const asText = bytes => decoder.decode(bytes); // of bytes below 0x80

function fromUnits(units) {
    let text = "";
    for (let at = 0; at < units.length; at += 8192)
        text += String.fromCharCode.apply(null, units.subarray(at, at + 8192));
    return text;
}

function bytesOf(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
}

// --- hex ---

const digits = bytesOf("0123456789abcdef");

function toHex(bytes) {
    const text = new Uint8Array(bytes.length * 2);
    for (let i = 0; i < bytes.length; i++) {
        text[i * 2] = digits[bytes[i] >> 4];
        text[i * 2 + 1] = digits[bytes[i] & 15];
    }
    return asText(text);
}

function digitOf(code) {
    if (code >= 0x30 && code <= 0x39) return code - 0x30;
    const letter = code | 0x20;
    return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

// Up to the first pair that is none.
function fromHex(text) {
    const bytes = new Uint8Array(text.length >> 1);
    for (let i = 0; i < bytes.length; i++) {
        const high = digitOf(text.charCodeAt(i * 2));
        const low = digitOf(text.charCodeAt(i * 2 + 1));
        if (high < 0 || low < 0) return bytes.slice(0, i);
        bytes[i] = high * 16 + low;
    }
    return bytes;
}

// --- base64, of both alphabets when it is read ---

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const values = new Uint8Array(256).fill(255);
for (const letters of [`${alphabet}+/`, `${alphabet}-_`])
    for (let i = 0; i < 64; i++) values[letters.charCodeAt(i)] = i;
const plain = bytesOf(`${alphabet}+/`);
const safe = bytesOf(`${alphabet}-_`);

function toBase64(bytes, letters, pads) {
    const rest = bytes.length % 3;
    const tail = rest === 0 ? 0 : pads ? 4 : rest + 1;
    const text = new Uint8Array(((bytes.length - rest) / 3) * 4 + tail).fill(0x3d);
    let to = 0;
    for (let at = 0; at < bytes.length; at += 3) {
        const group = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
        text[to++] = letters[group >> 18];
        text[to++] = letters[(group >> 12) & 63];
        if (at + 1 < bytes.length) text[to++] = letters[(group >> 6) & 63];
        if (at + 2 < bytes.length) text[to++] = letters[group & 63];
    }
    return asText(text);
}

// What belongs to neither alphabet is passed over; "=" ends it. Of a character Node sees the low byte.
function fromBase64(text) {
    const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
    let to = 0;
    let bits = 0;
    let count = 0;
    for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code === 0x3d) break;
        const value = values[code & 255];
        if (value === 255) continue;
        bits = ((bits << 6) | value) & 0xffffff;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes[to++] = bits >> count;
    }
    return bytes.slice(0, to);
}

function base64Size(text) {
    let size = text.length;
    if (text.endsWith("=")) size--;
    if (size > 1 && text.charCodeAt(size - 1) === 0x3d && size < text.length) size--;
    return (size * 3) >>> 2;
}

// --- UTF-16 ---

function fromUtf16(text) {
    const bytes = new Uint8Array(text.length * 2);
    for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        bytes[i * 2] = unit;
        bytes[i * 2 + 1] = unit >> 8;
    }
    return bytes;
}

function toUtf16(bytes) {
    const whole = Uint8Array.from(bytes.subarray(0, bytes.length & ~1));
    return fromUnits(new Uint16Array(whole.buffer));
}

function utf8Size(text) {
    let size = text.length;
    for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) size += unit > 0x7ff ? 2 : 1;
        // A pair takes four bytes, and half of one three.
        if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
            size += 1;
            i++;
        }
    }
    return size;
}

const sizeOfText = text => text.length;

const encodings = {
    utf8: { size: utf8Size, encode: text => encoder.encode(text), decode: asText, unit: 1 },
    utf16le: { size: text => text.length * 2, encode: fromUtf16, decode: toUtf16, unit: 2 },
    latin1: { size: sizeOfText, encode: bytesOf, decode: fromUnits, unit: 1 },
    ascii: {
        size: sizeOfText,
        encode: bytesOf,
        decode: bytes => asText(Uint8Array.from(bytes, byte => byte & 0x7f)),
        unit: 1,
    },
    hex: { size: text => text.length >>> 1, encode: fromHex, decode: toHex, unit: 1 },
    base64: {
        size: base64Size,
        encode: fromBase64,
        decode: bytes => toBase64(bytes, plain, true),
        unit: 1,
    },
    base64url: {
        size: base64Size,
        encode: fromBase64,
        decode: bytes => toBase64(bytes, safe, false),
        unit: 1,
    },
};

const aliases = {
    __proto__: null,
    "utf-8": "utf8",
    "utf-16le": "utf16le",
    ucs2: "utf16le",
    "ucs-2": "utf16le",
    binary: "latin1",
};

// The name that an encoding goes by, or undefined.
function nameOf(encoding) {
    if (typeof encoding !== "string") return undefined;
    const name = encoding.toLowerCase();
    return aliases[name] ?? (Object.hasOwn(encodings, name) ? name : undefined);
}

// As many bytes of a text as have room, without a part of a character.
function writeInto(name, target, text) {
    if (name === "utf8") return encoder.encodeInto(text, target).written;
    const { encode, unit } = encodings[name];
    const bytes = encode(text);
    const size = Math.min(bytes.length, target.length - (target.length % unit));
    target.set(bytes.subarray(0, size));
    return size;
}

module.exports = { encodings, nameOf, writeInto };
