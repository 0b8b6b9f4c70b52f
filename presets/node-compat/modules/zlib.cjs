"use strict";
// node:zlib on the engine's zlib, Brotli and Zstandard: at once and as streams.
const { Buffer } = require("./buffer.cjs");
const { Transform } = require("./stream.cjs");
const { checkFunction, checkInteger, invalidType, outOfRange } = require("./errors.cjs");
const { nextTick } = require("./process.cjs");
const support = require("./support.mjs").default;

const brotli = require("./zlib_brotli.cjs");
const zstd = require("./zlib_zstd.cjs");
const constants = require("./zlib_constants.cjs");
const { outOfLength } = require("./zlib_whole.cjs");

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
    "the compressed data needs a dictionary": ["Z_NEED_DICT", 2, "Missing dictionary"],
    "the dictionary is not that of the compressed data": ["Z_NEED_DICT", 2, "Bad dictionary"],
    "zlib cannot take this dictionary": ["Z_STREAM_ERROR", -2, "Failed to set dictionary"],
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

// [least, most] of the numbers that zlib takes.
const numbers = { windowBits: [8, 15], level: [-1, 9], memLevel: [1, 9], strategy: [0, 4] };

function checkNumber(options, name, inflates) {
    const value = options[name];
    if (value === undefined || (name === "windowBits" && inflates && value === 0)) return;
    const [least, most] = numbers[name];
    if (typeof value !== "number") throw invalidType(`options.${name}`, "number", value);
    if (!(value >= least && value <= most))
        throw outOfRange(`options.${name}`, `>= ${least} and <= ${most}`, value);
}

function checkOptions(options, inflates) {
    const { level, memLevel, strategy, finishFlush, dictionary, maxOutputLength } = options;
    for (const name of Object.keys(numbers)) checkNumber(options, name, inflates);
    if (maxOutputLength !== undefined) checkInteger(maxOutputLength, "options.maxOutputLength", 1);
    const isBytes = ArrayBuffer.isView(dictionary) || dictionary instanceof ArrayBuffer;
    if (dictionary !== undefined && !isBytes) {
        const kinds = ["Buffer", "TypedArray", "DataView", "ArrayBuffer"];
        throw invalidType("options.dictionary", kinds, dictionary);
    }
    return {
        settings: { level, memLevel, strategy, dictionary: dictionary && bytesOf(dictionary) },
        lenient: finishFlush === constants.Z_SYNC_FLUSH,
        most: maxOutputLength ?? Infinity,
    };
}

// zlib's own number: it tells formats apart by what it adds, and has no raw window of 2^8.
function windowBitsOf(bits, { windowBits: given }) {
    if (!given) return bits;
    if (bits < 0) return -Math.max(given, 9);
    return bits - 15 + given;
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

const wholes = {
    BrotliCompress: brotli,
    BrotliDecompress: brotli,
    ZstdCompress: zstd,
    ZstdDecompress: zstd,
};

// Gives a function (bytes, last) -> Uint8Array[].
function newCoder(kind, options, isStream) {
    if (wholes[kind]) return wholes[kind].newCoder(kind, options, isStream);
    const [inflates, bits] = kinds[kind];
    const { settings, lenient } = checkOptions(options, inflates);
    let push;
    const code = (bytes, last) => {
        try {
            push ??= support.newZlib(inflates, windowBitsOf(bits, options), settings);
            return push(bytes, last === true ? !lenient : last);
        } catch (error) {
            throw failureOf(error);
        }
    };
    // After a flush.
    code.params = (level, strategy) => {
        push ??= support.newZlib(inflates, windowBitsOf(bits, options), settings);
        push.params(level, strategy);
    };
    return code;
}

// Zstandard's options are not zlib's.
const mostOf = (kind, options) =>
    wholes[kind] === zstd ? Infinity : checkOptions(options, true).most;

function codeBy(coder, most, data) {
    const result = Buffer.concat(coder(bytesOf(data), true));
    if (result.length > most) throw outOfLength(most);
    return result;
}

const codeSync = (kind, data, options = {}) =>
    codeBy(newCoder(kind, options, false), mostOf(kind, options), data);

const codeLater = kind =>
    function (data, options, callback) {
        const done = typeof options === "function" ? options : callback;
        checkFunction(done, "callback");
        const given = (typeof options === "function" ? undefined : options) ?? {};
        bytesOf(data);
        let result, failed;
        const coder =
            wholes[kind] === zstd ? newCoder(kind, given, kind === "ZstdCompress") : undefined;
        try {
            result = coder ? codeBy(coder, Infinity, data) : codeSync(kind, data, given);
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

// What a coder keeps to itself: { kind, options, code, flushes, handle }. Not fields of a class: as in Node, code from
// before classes makes its own `this` a coder by zlib.Inflate.call(this).
const states = new WeakMap();

function initCoder(coder, kind, options) {
    Transform.call(coder, options ?? {});
    coder.bytesWritten = 0;
    coder._chunkSize = options?.chunkSize ?? constants.Z_DEFAULT_CHUNK;
    const given = options ?? {};
    states.set(coder, { kind, options: given, code: newCoder(kind, given, true), flushes: [] });
}

function step(coder, bytes, last, done) {
    try {
        for (const chunk of states.get(coder).code(bytes, last))
            coder.push(Buffer.from(chunk.buffer));
    } catch (error) {
        done(error);
        return;
    }
    done();
}

// As much as pngjs needs of what is Node's own: it decodes at once by calling a coder's handle. All input is taken by
// the first call; those that follow get what had no room.
function newHandle(code) {
    let rest = Buffer.alloc(0);
    return {
        close() {},
        writeSync(flush, from, start, count, to, at, room) {
            if (count > 0) {
                const bytes = from.subarray(start, start + count);
                rest = Buffer.concat([rest, ...code(bytes, flush === constants.Z_FINISH)]);
            }
            const copied = rest.copy(to, at, 0, room);
            rest = rest.subarray(copied);
            return [0, room - copied];
        },
    };
}

class Coder extends Transform {
    _transform(chunk, encoding, done) {
        if (chunk === mark)
            return void step(this, new Uint8Array(0), states.get(this).flushes.shift(), done);
        const bytes = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
        this.bytesWritten += bytes.length;
        step(this, bytes, states.get(this).options.flush ?? false, done);
    }

    _flush(done) {
        step(this, new Uint8Array(0), true, done);
    }

    flush(kind, callback) {
        const state = states.get(this);
        const done = typeof kind === "function" ? kind : callback;
        const usual = wholes[state.kind]?.flushKind ?? constants.Z_FULL_FLUSH;
        if (this.writableFinished) {
            if (done) nextTick(done);
        } else if (this.writableEnded) {
            if (done) this.once("end", done);
        } else {
            // What was written before comes first; an empty chunk does not get here.
            state.flushes.push(typeof kind === "number" ? kind : usual);
            this.write(mark, done);
        }
    }

    reset() {
        const state = states.get(this);
        state.code = newCoder(state.kind, state.options, true);
    }

    close(callback) {
        if (callback) this.once("close", callback);
        this.destroy();
    }

    get _handle() {
        const state = states.get(this);
        if (state && state.handle === undefined) state.handle = newHandle(state.code);
        return state?.handle;
    }

    set _handle(handle) {
        states.get(this).handle = handle;
    }

    get _outBuffer() {
        return Buffer.alloc(this._chunkSize);
    }
}
Coder.prototype._outOffset = 0;

// Only of zlib's own formats.
function params(level, strategy, callback) {
    for (const [name, value] of Object.entries({ level, strategy })) {
        const [least, most] = numbers[name];
        if (typeof value !== "number") throw invalidType(name, "number", value);
        if (!(value >= least && value <= most))
            throw outOfRange(name, `>= ${least} and <= ${most}`, value);
    }
    this.flush(constants.Z_SYNC_FLUSH, () => {
        states.get(this).code.params(level, strategy);
        callback?.();
    });
}

const zlib = {};

for (const kind of [...Object.keys(kinds), ...Object.keys(wholes)]) {
    const name = kind[0].toLowerCase() + kind.slice(1);
    const Kind = function (options) {
        if (!new.target && wholes[kind] === zstd)
            throw new TypeError(`Class constructor ${kind} cannot be invoked without 'new'`);
        if (!(this instanceof Kind)) return new Kind(options);
        initCoder(this, kind, options);
    };
    Object.defineProperty(Kind, "name", { value: kind });
    Kind.prototype = Object.create(Coder.prototype, {
        constructor: { value: Kind, writable: true },
    });
    if (kinds[kind]) Kind.prototype.params = params;
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
const statuses = ["Z_OK", "Z_STREAM_END", "Z_NEED_DICT", "Z_ERRNO", "Z_STREAM_ERROR"];
statuses.push("Z_DATA_ERROR", "Z_MEM_ERROR", "Z_BUF_ERROR", "Z_VERSION_ERROR");
zlib.codes = {};
for (const name of statuses) zlib.codes[name] = constants[name];
for (const name of statuses) zlib.codes[constants[name]] = name;
Object.freeze(zlib.codes);

module.exports = zlib;
