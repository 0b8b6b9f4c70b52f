"use strict";
// Brotli of node:zlib.
const { failure, invalidType } = require("./errors.cjs");
const support = require("./support.mjs").default;
const constants = require("./zlib_constants.cjs");
const { coderOf, nameOf, notHere, notInitialized, outOfLength } = require("./zlib_whole.cjs");

const { BROTLI_PARAM_MODE, BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = constants;
const { BROTLI_DEFAULT_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT } =
    constants;
const { BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH } = constants;
const outOfRange = key =>
    failure(RangeError, "ERR_BROTLI_INVALID_PARAM", `${key} is not a valid Brotli parameter`);

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
        if (!isTaken && Number(value) !== 0) throw notHere(name, "Brotli");
    }
}

function compressor({ params = {} }) {
    checkParameters(params, true);
    const quality = params[BROTLI_PARAM_QUALITY] ?? BROTLI_DEFAULT_QUALITY;
    const windowBits = params[BROTLI_PARAM_LGWIN] ?? BROTLI_DEFAULT_WINDOW;
    return (bytes, how) => {
        const mode = params[BROTLI_PARAM_MODE] ?? 0;
        const chunks = support.brotliCompress(bytes, quality, windowBits, mode, how);
        if (chunks) return chunks;
        throw notInitialized("Initialization failed");
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
    return (bytes, { isOpen }) => {
        const mayEndEarly = isOpen || finishFlush === constants.BROTLI_OPERATION_FLUSH;
        const chunks = support.brotliDecompress(bytes, mayEndEarly, maxOutputLength);
        if (chunks === undefined) throw outOfLength(maxOutputLength);
        if (typeof chunks === "number") throw decodeFailure(chunks);
        return chunks;
    };
}

function newCoder(kind, options) {
    const code = kind === "BrotliCompress" ? compressor(options) : decompressor(options);
    return coderOf(code, "Brotli", [BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH]);
}

module.exports = { newCoder, flushKind: BROTLI_OPERATION_FLUSH };
