"use strict";
// Brotli of node:zlib. The engine has it for whole texts: a stream keeps what it gets until its end.
const { failure, invalidType } = require("./errors.cjs");
const support = require("./support.mjs").default;
const constants = require("./zlib_constants.cjs");

const { BROTLI_PARAM_MODE, BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = constants;
const { BROTLI_DEFAULT_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT } =
    constants;
const outOfRange = key =>
    failure(RangeError, "ERR_BROTLI_INVALID_PARAM", `${key} is not a valid Brotli parameter`);

function outOfLength(most) {
    const message = `Cannot create a Buffer larger than ${most} bytes`;
    return failure(RangeError, "ERR_BUFFER_TOO_LARGE", message);
}

const notHere = what =>
    failure(
        Error,
        "ERR_METHOD_NOT_IMPLEMENTED",
        `zlib: ${what} of Brotli is not in presets/node-compat`
    );

const nameOf = (prefix, value) =>
    Object.keys(constants).find(name => name.startsWith(prefix) && constants[name] === value);

// Those that change nothing of what comes out need not be handed on.
const hints = ["BROTLI_PARAM_SIZE_HINT"];
const known = [BROTLI_PARAM_MODE, BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN];

function checkParameters(params, compresses) {
    const prefix = compresses ? "BROTLI_PARAM_" : "BROTLI_DECODER_PARAM_";
    for (const [key, value] of Object.entries(params)) {
        const name = nameOf(prefix, Number(key));
        if (!name) throw outOfRange(key);
        if (typeof value !== "number" && typeof value !== "boolean")
            throw invalidType("options.params[key]", "number", value);
        const isTaken = compresses && (known.includes(Number(key)) || hints.includes(name));
        if (!isTaken && Number(value) !== 0) throw notHere(name);
    }
}

function compressor({ params = {} }) {
    checkParameters(params, true);
    const quality = params[BROTLI_PARAM_QUALITY] ?? BROTLI_DEFAULT_QUALITY;
    const windowBits = params[BROTLI_PARAM_LGWIN] ?? BROTLI_DEFAULT_WINDOW;
    return bytes => {
        const mode = params[BROTLI_PARAM_MODE] ?? 0;
        const chunks = support.brotliCompress(bytes, quality, windowBits, mode);
        if (chunks) return chunks;
        throw failure(Error, "ERR_ZLIB_INITIALIZATION_FAILED", "Initialization failed");
    };
}

function decodeFailure(number) {
    if (number === BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
        return Object.assign(failure(Error, "Z_BUF_ERROR", "unexpected end of file"), {
            errno: constants.Z_BUF_ERROR,
        });
    const name = nameOf("BROTLI_DECODER_ERROR_", number) ?? "BROTLI_DECODER_ERROR_UNREACHABLE";
    const code = name.replace("BROTLI_DECODER", "ERR_");
    return Object.assign(failure(Error, code, "Decompression failed"), { errno: number });
}

function decompressor({ params = {}, finishFlush, maxOutputLength = Infinity }) {
    checkParameters(params, false);
    const mayEndEarly = finishFlush === constants.BROTLI_OPERATION_FLUSH;
    return bytes => {
        const chunks = support.brotliDecompress(bytes, mayEndEarly, maxOutputLength);
        if (chunks === undefined) throw outOfLength(maxOutputLength);
        if (typeof chunks === "number") throw decodeFailure(chunks);
        return chunks;
    };
}

function joined(parts) {
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

// A function (bytes, last) -> Uint8Array[], as zlib.cjs has them.
function newCoder(kind, options) {
    const code = kind === "BrotliCompress" ? compressor(options) : decompressor(options);
    const parts = [];
    return (bytes, last) => {
        if (bytes.length > 0) parts.push(bytes);
        if (last === true) return code(joined(parts));
        if (typeof last === "number") throw notHere("flush()");
        return [];
    };
}

module.exports = { newCoder, outOfLength };
