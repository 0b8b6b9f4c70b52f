"use strict";
// node:zlib on the engine's zlib: deflate, gzip and raw, at once and as streams. Brotli and Zstandard
// are not there.
const { Buffer } = require("./buffer.cjs");
const { Transform } = require("./stream.cjs");
const {
    checkFunction,
    checkInteger,
    invalidType,
    missingAll,
    outOfRange,
} = require("./errors.cjs");
const support = require("./support.mjs").default;

const constants = require("./zlib_constants.cjs");

// [inflates, zlib's window bits]: 16 more for gzip, 32 more for either, below zero for neither.
const kinds = {
    Deflate: [false, 15],
    DeflateRaw: [false, -15],
    Gzip: [false, 31],
    Gunzip: [true, 31],
    Inflate: [true, 15],
    InflateRaw: [true, -15],
    Unzip: [true, 47],
};

const failures = {
    "the compressed data is not valid": ["Z_DATA_ERROR", -3, "incorrect header check"],
    "the compressed data ends too early": ["Z_BUF_ERROR", -5, "unexpected end of file"],
    "there is more data after the end of the compressed data": [
        "Z_DATA_ERROR",
        -3,
        "more data after the end",
    ],
};

function failureOf(error) {
    const known = failures[error.message];
    if (!known) return error;
    const [code, errno, message] = known;
    return Object.assign(new Error(message), { errno, code });
}

function checkOptions(options) {
    const { level, finishFlush, dictionary, maxOutputLength } = options;
    if (level !== undefined && !(level >= -1 && level <= 9)) {
        if (typeof level !== "number") throw invalidType("options.level", "number", level);
        throw outOfRange("options.level", ">= -1 and <= 9", level);
    }
    if (maxOutputLength !== undefined) checkInteger(maxOutputLength, "options.maxOutputLength", 1);
    if (dictionary !== undefined)
        throw Object.assign(new Error("zlib: a dictionary is not in presets/node-compat"), {
            code: "ERR_METHOD_NOT_IMPLEMENTED",
        });
    return {
        level,
        lenient: finishFlush === constants.Z_SYNC_FLUSH,
        most: maxOutputLength ?? Infinity,
    };
}

function bytesOf(data) {
    if (typeof data === "string") return Buffer.from(data);
    if (ArrayBuffer.isView(data))
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    throw invalidType(
        "buffer",
        ["string", "Buffer", "TypedArray", "DataView", "ArrayBuffer"],
        data
    );
}

// Gives a function (bytes, last) -> Uint8Array[].
function newCoder(kind, options) {
    const [inflates, bits] = kinds[kind];
    const { level, lenient } = checkOptions(options);
    let push;
    return (bytes, last) => {
        push ??= support.newZlib(inflates, bits, level);
        try {
            return push(bytes, last === true ? !lenient : last);
        } catch (error) {
            throw failureOf(error);
        }
    };
}

function codeSync(kind, data, options = {}) {
    const { most } = checkOptions(options);
    const result = Buffer.concat(newCoder(kind, options)(bytesOf(data), true));
    if (result.length > most) throw outOfLength(most);
    return result;
}

const outOfLength = most => {
    const error = new RangeError(`Cannot create a Buffer larger than ${most} bytes`);
    return Object.assign(error, { code: "ERR_BUFFER_TOO_LARGE" });
};

const codeLater = kind =>
    function (data, options, callback) {
        const done = typeof options === "function" ? options : callback;
        checkFunction(done, "callback");
        bytesOf(data);
        let result, failed;
        try {
            result = codeSync(kind, data, typeof options === "function" ? {} : options);
        } catch (error) {
            failed = error;
        }
        setTimeout(
            support.inFrame(() => (failed ? done(failed) : done(null, result))),
            0
        );
    };

// A chunk that means a flush.
const mark = Buffer.alloc(1);

class Coder extends Transform {
    #code;
    #flushes = [];
    bytesWritten = 0;

    constructor(kind, options = {}) {
        super(options);
        this.#code = newCoder(kind, options ?? {});
    }

    _transform(chunk, encoding, done) {
        if (chunk === mark) return void this.#step(new Uint8Array(0), this.#flushes.shift(), done);
        const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
        this.bytesWritten += bytes.length;
        this.#step(bytes, false, done);
    }

    _flush(done) {
        this.#step(new Uint8Array(0), true, done);
    }

    #step(bytes, last, done) {
        try {
            for (const chunk of this.#code(bytes, last)) this.push(Buffer.from(chunk.buffer));
        } catch (error) {
            done(error);
            return;
        }
        done();
    }

    flush(kind, callback) {
        const done = typeof kind === "function" ? kind : callback;
        const how = typeof kind === "number" ? kind : constants.Z_FULL_FLUSH;
        // What was written before comes first; an empty chunk does not get here.
        this.#flushes.push(how);
        this.write(mark, done);
    }

    close(callback) {
        if (callback) this.once("close", callback);
        this.destroy();
    }
}

const zlib = missingAll("zlib", [
    ...["BrotliCompress", "BrotliDecompress", "ZstdCompress", "ZstdDecompress"].flatMap(name => {
        const plain = name[0].toLowerCase() + name.slice(1);
        return [name, `create${name}`, plain, `${plain}Sync`];
    }),
]);

for (const kind of Object.keys(kinds)) {
    const name = kind[0].toLowerCase() + kind.slice(1);
    const Kind = function (options) {
        return Reflect.construct(Coder, [kind, options], new.target ?? Kind);
    };
    Object.defineProperty(Kind, "name", { value: kind });
    Kind.prototype = Object.create(Coder.prototype, {
        constructor: { value: Kind, writable: true },
    });
    zlib[kind] = Kind;
    zlib[`create${kind}`] = options => new Kind(options);
    zlib[name] = codeLater(kind);
    zlib[`${name}Sync`] = (data, options) => codeSync(kind, data, options ?? {});
}

// --- CRC-32, as gzip has it ---

const table = [];

function fillTable() {
    for (let byte = 0; byte < 256; byte++) {
        let value = byte;
        for (let bit = 0; bit < 8; bit++)
            value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
        table.push(value);
    }
}

zlib.crc32 = function crc32(data, value = 0) {
    if (typeof data !== "string" && !ArrayBuffer.isView(data))
        throw invalidType("data", ["string", "Buffer", "TypedArray", "DataView"], data);
    if (typeof value !== "number") throw invalidType("value", "number", value);
    if (!(value >= 0 && value <= 0xffffffff))
        throw outOfRange("value", ">= 0 && <= 4294967295", value);
    if (table.length === 0) fillTable();
    let crc = ~value;
    for (const byte of bytesOf(data)) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
};

zlib.constants = constants;
zlib.codes = Object.freeze({
    Z_OK: 0,
    Z_STREAM_END: 1,
    Z_NEED_DICT: 2,
    Z_ERRNO: -1,
    Z_STREAM_ERROR: -2,
    Z_DATA_ERROR: -3,
    Z_MEM_ERROR: -4,
    Z_BUF_ERROR: -5,
    Z_VERSION_ERROR: -6,
    0: "Z_OK",
    1: "Z_STREAM_END",
    2: "Z_NEED_DICT",
    [-1]: "Z_ERRNO",
    [-2]: "Z_STREAM_ERROR",
    [-3]: "Z_DATA_ERROR",
    [-4]: "Z_MEM_ERROR",
    [-5]: "Z_BUF_ERROR",
    [-6]: "Z_VERSION_ERROR",
});

module.exports = zlib;
