"use strict";
// node:crypto on the engine's natives, except for SHA-3, BLAKE2 and scrypt, which are of @noble/hashes. Each part is
// evaluated when a function first asks for it.
const { Buffer } = require("./buffer.cjs");
const {
    bytesOf,
    encoded,
    hashNamed,
    hashes,
    invalidDigest,
    plainName,
    withCallback,
} = require("./crypto_data.cjs");
const {
    checkInteger,
    checkString,
    failure,
    invalidType,
    missingAll,
    outOfRange,
} = require("./errors.cjs");
const support = require("./support.mjs").default;

// --- Random values ---

const quota = 65536; // of one crypto.getRandomValues()

function randomFillSync(target, offset = 0, size) {
    if (!ArrayBuffer.isView(target) && !(target instanceof ArrayBuffer))
        throw invalidType("buf", ["ArrayBuffer", "ArrayBufferView"], target);
    const all = bytesOf(target);
    const unit = target.BYTES_PER_ELEMENT ?? 1;
    const length = all.length / unit;
    checkNumberUpTo(offset, "offset", length);
    if (size !== undefined) checkNumberUpTo(size, "size", 2 ** 31 - 1);
    const end = size === undefined ? length : offset + size;
    if (end > length) throw outOfRange("size + offset", `<= ${length}`, end);
    for (let at = offset * unit; at < end * unit; at += quota)
        globalThis.crypto.getRandomValues(all.subarray(at, Math.min(at + quota, end * unit)));
    return target;
}

function checkNumberUpTo(value, name, max) {
    if (typeof value !== "number") throw invalidType(name, "number", value);
    if (!(value >= 0 && value <= max)) throw outOfRange(name, `>= 0 && <= ${max}`, value);
}

function randomBytesSync(size) {
    checkNumberUpTo(size, "size", 2 ** 31 - 1);
    return randomFillSync(Buffer.alloc(Math.trunc(size)));
}

// Below 2^48, each as likely: values of an incomplete last round are drawn again.
function randomIntSync(min, max) {
    for (const [value, name] of [
        [min, "min"],
        [max, "max"],
    ])
        if (!Number.isSafeInteger(value)) throw invalidType(name, "a safe integer", value);
    const range = max - min;
    if (range <= 0) throw outOfRange("max", `greater than the value of "min" (${min})`, max);
    if (range > 2 ** 48 - 1) throw outOfRange("max - min", `<= ${2 ** 48 - 1}`, range);
    const end = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
        const value = randomBytesSync(6).readUIntBE(0, 6);
        if (value < end) return min + (value % range);
    }
}

function perhapsWithCallback(compute) {
    const later = withCallback(compute);
    return (...args) => (typeof args.at(-1) === "function" ? later(...args) : compute(...args));
}

// --- Keys that are derived ---

function pbkdf2Sync(password, salt, iterations, size, name) {
    checkString(name, "digest");
    const [secret, salty] = [bytesOf(password, "password"), bytesOf(salt, "salt")];
    checkInteger(iterations, "iterations", 1, 2 ** 31 - 1);
    checkInteger(size, "keylen", 0, 2 ** 31 - 1);
    const number = support.digestNumber(plainName(name));
    if (number >= 0 && size > 0)
        return encoded(support.pbkdf2(number, secret, salty, iterations, size));
    const digest = hashNamed(name, invalidDigest(name));
    const derive = require("@noble/hashes/pbkdf2.js").pbkdf2;
    return size === 0
        ? Buffer.alloc(0)
        : encoded(derive(digest, secret, salty, { c: iterations, dkLen: size }));
}

function scryptSync(password, salt, size, options = {}) {
    const [secret, salty] = [bytesOf(password, "password"), bytesOf(salt, "salt")];
    checkInteger(size, "keylen", 0, 2 ** 31 - 1);
    const { N = options.cost ?? 16384, r = options.blockSize ?? 8 } = options;
    const { p = options.parallelization ?? 1, maxmem = 32 * 1024 * 1024 } = options;
    const isPower = Number.isSafeInteger(N) && N > 1 && (BigInt(N) & BigInt(N - 1)) === 0n;
    if (!isPower || 128 * N * r > maxmem)
        throw failure(
            RangeError,
            "ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
            `Invalid scrypt params${isPower ? ": memory limit exceeded" : ""}`
        );
    const derive = require("@noble/hashes/scrypt.js").scrypt;
    return size === 0
        ? Buffer.alloc(0)
        : encoded(
              derive(secret, salty, { N, r, p, dkLen: size, maxmem: maxmem + 128 * r * (p + 2) })
          );
}

function hkdfSync(name, key, salt, info, size) {
    checkString(name, "digest");
    const secret = require("./crypto_keys.cjs").secretOf(key, "ikm");
    const parts = [bytesOf(salt, "salt"), bytesOf(info, "info")];
    checkInteger(size, "length", 0, 2 ** 31 - 1);
    const digest = hashNamed(name, invalidDigest(name));
    if (size > 255 * digest.outputLen)
        throw failure(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
    if (size === 0) return new ArrayBuffer(0);
    const derive = require("@noble/hashes/hkdf.js").hkdf;
    const bytes = derive(digest, secret, ...parts, size);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

function timingSafeEqual(a, b) {
    for (const [value, name] of [
        [a, "buf1"],
        [b, "buf2"],
    ])
        if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer))
            throw failure(
                TypeError,
                "ERR_INVALID_ARG_TYPE",
                `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`
            );
    const [left, right] = [bytesOf(a), bytesOf(b)];
    if (left.length !== right.length)
        throw failure(
            RangeError,
            "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH",
            "Input buffers must have the same byte length"
        );
    return support.equal(left, right);
}

// --- The module ---

const absent = [
    "argon2",
    "argon2Sync",
    "Certificate",
    "checkPrime",
    "checkPrimeSync",
    "createDiffieHellman",
];
absent.push("createDiffieHellmanGroup", "decapsulate", "DiffieHellman", "DiffieHellmanGroup");
absent.push("encapsulate", "generatePrime", "generatePrimeSync", "getDiffieHellman");
absent.push(
    "privateEncrypt",
    "publicDecrypt",
    "secureHeapUsed",
    "setEngine",
    "setFips",
    "X509Certificate"
);

const crypto = {
    ...missingAll("crypto", absent),
    getCurves: () => ["prime256v1", "secp384r1", "secp521r1"],
    getFips: () => 0,
    getHashes: () => Object.keys(hashes),
    getRandomValues: view => globalThis.crypto.getRandomValues(view),
    hkdf: withCallback(hkdfSync),
    hkdfSync,
    pbkdf2: withCallback(pbkdf2Sync),
    pbkdf2Sync,
    pseudoRandomBytes: perhapsWithCallback(randomBytesSync),
    randomBytes: perhapsWithCallback(randomBytesSync),
    randomFill: withCallback(randomFillSync),
    randomFillSync,
    randomInt: perhapsWithCallback((min, max) =>
        max === undefined ? randomIntSync(0, min) : randomIntSync(min, max)
    ),
    randomUUID: () => globalThis.crypto.randomUUID(),
    scrypt: withCallback(scryptSync),
    scryptSync,
    timingSafeEqual,
    get subtle() {
        return globalThis.crypto.subtle;
    },
    get webcrypto() {
        return globalThis.crypto;
    },
};

const parts = {
    hash: () => require("./crypto_hash.cjs"),
    keys: () => require("./crypto_keys.cjs"),
    sign: () => require("./crypto_sign.cjs"),
    cipher: () => require("./crypto_cipher.cjs"),
    ecdh: () => require("./crypto_ecdh.cjs"),
};
const names = {
    hash: ["Hash", "Hmac", "createHash", "createHmac", "hash"],
    keys: [
        "KeyObject",
        "createPrivateKey",
        "createPublicKey",
        "createSecretKey",
        "generateKeyPairSync",
        "generateKeySync",
    ],
    sign: [
        "Sign",
        "Verify",
        "constants",
        "createSign",
        "createVerify",
        "diffieHellman",
        "privateDecrypt",
        "publicEncrypt",
        "sign",
        "verify",
    ],
    ecdh: ["ECDH", "createECDH"],
    cipher: [
        "Cipheriv",
        "Decipheriv",
        "createCipheriv",
        "createDecipheriv",
        "getCipherInfo",
        "getCiphers",
    ],
};
for (const [part, exported] of Object.entries(names))
    for (const name of exported)
        Object.defineProperty(crypto, name, {
            enumerable: true,
            configurable: true,
            get: () => parts[part]()[name],
        });

crypto.generateKey = withCallback((type, options) => crypto.generateKeySync(type, options));

// With a callback of three values.
crypto.generateKeyPair = (type, options, callback) => {
    const done = typeof options === "function" ? options : callback;
    withCallback(crypto.generateKeyPairSync)(
        type,
        typeof options === "function" ? {} : options,
        (error, pair) => (error ? done(error) : done(null, pair.publicKey, pair.privateKey))
    );
};

Object.defineProperty(crypto.generateKeyPair, Symbol.for("nodejs.util.promisify.custom"), {
    value: async (type, options) => crypto.generateKeyPairSync(type, options),
});

module.exports = crypto;
require("./global_object.cjs").register("crypto", module.exports);
