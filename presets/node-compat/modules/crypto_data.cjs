"use strict";
// What node:crypto's parts share: bytes of arguments, names of hashes, how results are told.
const { Buffer } = require("./buffer.cjs");
const { failure, invalidType } = require("./errors.cjs");

const native = (...facts) => require("./crypto_native_hash.cjs").nativeHash(...facts);

// Evaluated when a function asks for the first hash of its kind: the engine's, and those that it does not have.
const hashes = {
    md5: () => native("md5", 16, 64),
    sha1: () => native("sha1", 20, 64),
    ripemd160: () => native("ripemd160", 20, 64),
    sha224: () => native("sha224", 28, 64),
    sha256: () => native("sha256", 32, 64),
    sha384: () => native("sha384", 48, 128),
    sha512: () => native("sha512", 64, 128),
    "sha512-224": () => native("sha512-224", 28, 128),
    "sha512-256": () => native("sha512-256", 32, 128),
    "sha3-224": () => require("@noble/hashes/sha3.js").sha3_224,
    "sha3-256": () => require("@noble/hashes/sha3.js").sha3_256,
    "sha3-384": () => require("@noble/hashes/sha3.js").sha3_384,
    "sha3-512": () => require("@noble/hashes/sha3.js").sha3_512,
    shake128: () => require("@noble/hashes/sha3.js").shake128,
    shake256: () => require("@noble/hashes/sha3.js").shake256,
    blake2b512: () => require("@noble/hashes/blake2.js").blake2b,
    blake2s256: () => require("@noble/hashes/blake2.js").blake2s,
};

const plainName = name => String(name).toLowerCase().replace(/^rsa-/, "").replace(/^sha-/, "sha");

const notSupported = () => new Error("Digest method not supported");
const invalidDigest = name => () =>
    failure(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);

function hashNamed(name, refusal = notSupported) {
    const plain = plainName(name);
    const hash = Object.hasOwn(hashes, plain) && hashes[plain]();
    if (!hash) throw refusal();
    return hash;
}

const plainView = ({ buffer, byteOffset, byteLength }) =>
    new Uint8Array(buffer, byteOffset, byteLength);

function bytesOf(
    data,
    name = "data",
    encoding = "utf8",
    kinds = ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"]
) {
    if (typeof data === "string")
        return plainView(Buffer.from(data, encoding === "buffer" ? "utf8" : encoding));
    if (ArrayBuffer.isView(data)) return plainView(data);
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    throw invalidType(name, kinds, data);
}

function encoded(bytes, encoding) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return encoding && encoding !== "buffer" ? buffer.toString(encoding) : buffer;
}

// Gives a function with a callback, as Node's: f(...args, (error, value) => ...).
const withCallback = compute =>
    function (...args) {
        const done = args.pop();
        if (typeof done !== "function") throw invalidType("callback", "function", done);
        let value;
        try {
            value = compute(...args);
        } catch (error) {
            // What is wrong with the arguments is thrown, as in Node.
            if (/^ERR_(INVALID_ARG|OUT_OF_RANGE|CRYPTO_INVALID_DIGEST)/.test(error.code))
                throw error;
            setTimeout(() => done(error), 0);
            return;
        }
        setTimeout(() => done(null, value), 0);
    };

module.exports = { bytesOf, encoded, hashNamed, hashes, invalidDigest, plainName, withCallback };
