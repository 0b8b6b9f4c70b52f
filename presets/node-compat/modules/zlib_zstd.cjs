"use strict";
// Zstandard of node:zlib.
const { checkInteger, failure, invalidType, outOfRange } = require("./errors.cjs");
const support = require("./support.mjs").default;
const constants = require("./zlib_constants.cjs");
const { coderOf, nameOf, notInitialized, outOfLength } = require("./zlib_whole.cjs");

const { ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end, ZSTD_c_overlapLog, ZSTD_d_windowLogMax } =
    constants;

// They are about threads, of which there is one.
const hints = [constants.ZSTD_c_nbWorkers, constants.ZSTD_c_jobSize, ZSTD_c_overlapLog];

// [key, value] for the engine.
function parametersOf({ params = {} }, keyMax) {
    const taken = [];
    for (const [name, value] of Object.entries(params)) {
        const key = Number(name);
        if (!(key >= 0 && key <= keyMax))
            throw failure(
                RangeError,
                "ERR_ZSTD_INVALID_PARAM",
                `${name} is not a valid zstd parameter`
            );
        if (typeof value !== "number" && typeof value !== "boolean")
            throw invalidType("options.params[key]", "number", value);
        if (!hints.includes(key)) taken.push([key, Number(value)]);
    }
    return taken;
}

function checkFlush(options, name) {
    const value = options[name];
    if (value === undefined) return;
    if (typeof value !== "number") throw invalidType(`options.${name}`, "number", value);
    if (!(value >= ZSTD_e_continue && value <= ZSTD_e_end))
        throw outOfRange(`options.${name}`, `>= ${ZSTD_e_continue} and <= ${ZSTD_e_end}`, value);
}

// What both ways take.
function commonOf(options) {
    const { dictionary, maxOutputLength } = options;
    for (const name of ["flush", "finishFlush"]) checkFlush(options, name);
    if (maxOutputLength !== undefined) checkInteger(maxOutputLength, "options.maxOutputLength", 1);
    const isView = ArrayBuffer.isView(dictionary);
    return {
        dictionary: isView
            ? new Uint8Array(dictionary.buffer, dictionary.byteOffset, dictionary.byteLength)
            : undefined,
        most: maxOutputLength ?? Infinity,
    };
}

function resultOf(chunks, most) {
    if (chunks === undefined) throw notInitialized("Setting parameter failed");
    if (chunks === null) throw outOfLength(most);
    if (typeof chunks !== "number") return chunks;
    const code = nameOf("ZSTD_error_", chunks) ?? "ZSTD_error_GENERIC";
    throw Object.assign(failure(Error, code, support.zstdErrorText(chunks)), { errno: chunks });
}

// Node announces the size of what it compresses at once, and of a stream what it is told.
function announcedBy({ pledgedSrcSize }, end, isStream) {
    if (pledgedSrcSize < 0)
        throw failure(TypeError, "ERR_INVALID_ARG_VALUE", "pledgedSrcSize may not be negative");
    if (isStream)
        return () => (typeof pledgedSrcSize === "number" ? Math.trunc(pledgedSrcSize) : -1);
    return bytes => (end === ZSTD_e_end ? bytes.length : -1);
}

function compressor(options, isStream) {
    const parameters = parametersOf(options, ZSTD_c_overlapLog);
    const common = commonOf(options);
    const end = options.finishFlush ?? ZSTD_e_end;
    const announcedSize = announcedBy(options, end, isStream);
    return (bytes, flushed) => {
        const how = { ...common, end, announcedSize: announcedSize(bytes) };
        return resultOf(support.zstdCompress(bytes, parameters, how, flushed), common.most);
    };
}

function decompressor(options, isStream) {
    const parameters = parametersOf(options, ZSTD_d_windowLogMax);
    const how = { ...commonOf(options), takesOneFrame: !isStream };
    return bytes => resultOf(support.zstdDecompress(bytes, parameters, how), how.most);
}

const isThere = ({ params }) => params !== undefined && Object.keys(params).length > 0;

// `isStream`: it is not all there when it begins, as Node has it after a callback's function was called, too.
function newCoder(kind, options, isStream) {
    const make = kind === "ZstdCompress" ? compressor : decompressor;
    const nothing = new Uint8Array(0);
    // Values that are wrong are noticed when it is made.
    if (isThere(options)) make({ params: options.params }, false)(nothing);
    return coderOf(make(options, isStream), "Zstandard", [ZSTD_e_continue, ZSTD_e_flush]);
}

module.exports = { newCoder, flushKind: ZSTD_e_flush };
