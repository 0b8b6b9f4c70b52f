"use strict";
const { bytesOf, dictionary, expose } = require("snapcell:idl");

class TextEncoder {
    #brand;

    get encoding() {
        this.#brand;
        return "utf-8";
    }

    encode(input = "") {
        this.#brand;
        return native.utf8Encode(`${input}`);
    }

    encodeInto(source, destination) {
        this.#brand;
        if (!(destination instanceof Uint8Array)) {
            throw new TypeError("TextEncoder.encodeInto: the destination must be a Uint8Array");
        }
        return native.utf8EncodeInto(`${source}`, destination);
    }
}
expose(TextEncoder);

// The Encoding standard's labels of the encodings that are here; the others are in a module of
// their own.
const labels = {
    __proto__: null,
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "utf-16be": "unicodefffe utf-16be",
    "windows-1252":
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 " +
        "iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
};

// A regular expression would look for the end of each run of blanks from each of its characters.
function trimmed(label) {
    const blanks = "\t\n\f\r ";
    let start = 0;
    let end = label.length;
    while (start < end && blanks.includes(label[start])) start++;
    while (end > start && blanks.includes(label[end - 1])) end--;
    return label.slice(start, end);
}

function encodingOf(label) {
    const name = trimmed(label).toLowerCase();
    for (const encoding of Object.keys(labels)) {
        if (labels[encoding].split(" ").includes(name)) return encoding;
    }
    const legacy = require("snapcell:encoding_legacy").nameOf(name);
    if (legacy !== null) return legacy;
    throw new RangeError(`TextDecoder: the encoding "${label}" is not supported`);
}

// Where windows-1252 differs from Latin-1: what 0x80 to 0x9f mean.
const windows1252 =
    "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f" +
    "\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

function decodeWindows1252(bytes) {
    return native
        .latin1Decode(bytes)
        .replace(/[\x80-\x9f]/g, character => windows1252[character.charCodeAt(0) - 0x80]);
}

// How many bytes at the end of `bytes` begin a UTF-8 sequence that later bytes may complete.
function unfinishedUtf8(bytes) {
    const end = bytes.length;
    for (let back = 1; back <= 3 && back <= end; back++) {
        const byte = bytes[end - back];
        if (byte < 0x80) return 0;
        if (byte < 0xc0) continue;
        const length = byte < 0xc2 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 1;
        if (length <= back) return 0;
        return back > 1 && !validSecond(byte, bytes[end - back + 1]) ? 0 : back;
    }
    return 0;
}

function validSecond(first, second) {
    if (first === 0xe0) return second >= 0xa0;
    if (first === 0xed) return second < 0xa0;
    if (first === 0xf0) return second >= 0x90;
    if (first === 0xf4) return second < 0x90;
    return true;
}

const isHighSurrogate = unit => unit >= 0xd800 && unit < 0xdc00;

function unfinishedUtf16(bytes, bigEndian) {
    const odd = bytes.length % 2;
    const high = bytes[bytes.length - odd - (bigEndian ? 2 : 1)];
    return isHighSurrogate(high << 8) ? odd + 2 : odd;
}

// `bytes` is even in length, except for an unfinished unit at the very end. With a high surrogate before it,
// that is one error.
function decodeUtf16(bytes, bigEndian) {
    let text = "";
    const units = [];
    for (let i = 0; i + 1 < bytes.length; i += 2) {
        if (units.length === 4096) text += String.fromCharCode(...units.splice(0));
        units.push(bigEndian ? (bytes[i] << 8) | bytes[i + 1] : bytes[i] | (bytes[i + 1] << 8));
    }
    if (bytes.length % 2 === 1) {
        if (isHighSurrogate(units.at(-1))) units.pop();
        units.push(0xfffd);
    }
    return text + String.fromCharCode(...units);
}

function join(first, second) {
    if (first.length === 0) return second;
    const joined = new Uint8Array(first.length + second.length);
    joined.set(first);
    joined.set(second, first.length);
    return joined;
}

const nothing = new Uint8Array(0);

class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #pending = nothing;
    #bomSeen = false;
    #legacy = undefined; // the decoder of an encoding that is not in `labels`

    constructor(label = "utf-8", options = undefined) {
        label = `${label}`;
        const { fatal, ignoreBOM } = dictionary(options, "TextDecoder");
        this.#fatal = Boolean(fatal);
        this.#ignoreBOM = Boolean(ignoreBOM);
        this.#encoding = label === "utf-8" ? label : encodingOf(label);
    }

    get encoding() {
        return this.#encoding;
    }

    get fatal() {
        return this.#fatal;
    }

    get ignoreBOM() {
        return this.#ignoreBOM;
    }

    decode(input = nothing, options = undefined) {
        let bytes = bytesOf(input, true);
        if (!bytes) {
            throw new TypeError("TextDecoder.decode: the input must be an ArrayBuffer or a view");
        }
        const stream = Boolean(dictionary(options, "TextDecoder.decode").stream);
        if (!stream && this.#pending.length === 0 && !this.#bomSeen && this.#encoding === "utf-8") {
            return this.#checked(native.utf8Decode(bytes, this.#fatal, this.#ignoreBOM));
        }
        if (!(this.#encoding in labels)) return this.#decodeLegacy(bytes, stream);
        bytes = join(this.#pending, bytes);
        const keep = stream ? this.#unfinished(bytes) : 0;
        this.#pending = keep ? bytes.slice(bytes.length - keep) : nothing;
        return this.#finish(keep ? bytes.subarray(0, bytes.length - keep) : bytes, stream);
    }

    #decodeLegacy(bytes, stream) {
        this.#legacy ??= require("snapcell:encoding_legacy").newDecoder(
            this.#encoding,
            this.#fatal
        );
        let text;
        try {
            text = this.#legacy(bytes, stream);
        } catch (error) {
            if (!(error instanceof TypeError)) throw error;
        }
        return this.#checked(text);
    }

    #unfinished(bytes) {
        if (this.#encoding === "utf-8") return unfinishedUtf8(bytes);
        if (this.#encoding === "windows-1252") return 0;
        return unfinishedUtf16(bytes, this.#encoding === "utf-16be");
    }

    #finish(bytes, stream) {
        let text = this.#convert(bytes);
        if (text === undefined) this.#pending = nothing;
        text = this.#checked(text);
        if (!this.#bomSeen && text.length > 0) {
            this.#bomSeen = true;
            const strip = !this.#ignoreBOM && this.#encoding !== "windows-1252";
            if (strip && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
        }
        if (!stream) this.#bomSeen = false;
        return text;
    }

    #convert(bytes) {
        if (this.#encoding === "utf-8") return native.utf8Decode(bytes, this.#fatal, true);
        if (this.#encoding === "windows-1252") return decodeWindows1252(bytes);
        const text = decodeUtf16(bytes, this.#encoding === "utf-16be");
        if (!this.#fatal) return text.toWellFormed();
        return bytes.length % 2 === 0 && text.isWellFormed() ? text : undefined;
    }

    #checked(text) {
        if (text !== undefined) return text;
        this.#bomSeen = false;
        throw new TypeError(`TextDecoder.decode: the data is not valid ${this.#encoding}`);
    }
}
expose(TextDecoder);

exports.TextEncoder = TextEncoder;
exports.TextDecoder = TextDecoder;

// What nearly every use does, so that a snapshot holds it compiled.
if (native.building()) new TextDecoder().decode(new TextEncoder().encode(""));
