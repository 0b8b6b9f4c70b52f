"use strict";
// node:crypto's random values, hashes and derived keys: unenv has them not, so that hashes are those
// of @noble/hashes. Ciphers and key pairs are in crypto.subtle.
const { Buffer } = require("./buffer.cjs");

// Evaluated when a function asks for the first hash of its kind.
const hashes = {
    md5: () => require("@noble/hashes/legacy.js").md5,
    sha1: () => require("@noble/hashes/legacy.js").sha1,
    ripemd160: () => require("@noble/hashes/legacy.js").ripemd160,
    sha224: () => require("@noble/hashes/sha2.js").sha224,
    sha256: () => require("@noble/hashes/sha2.js").sha256,
    sha384: () => require("@noble/hashes/sha2.js").sha384,
    sha512: () => require("@noble/hashes/sha2.js").sha512,
    "sha512-224": () => require("@noble/hashes/sha2.js").sha512_224,
    "sha512-256": () => require("@noble/hashes/sha2.js").sha512_256,
    "sha3-224": () => require("@noble/hashes/sha3.js").sha3_224,
    "sha3-256": () => require("@noble/hashes/sha3.js").sha3_256,
    "sha3-384": () => require("@noble/hashes/sha3.js").sha3_384,
    "sha3-512": () => require("@noble/hashes/sha3.js").sha3_512,
    blake2b512: () => require("@noble/hashes/blake2.js").blake2b,
    blake2s256: () => require("@noble/hashes/blake2.js").blake2s,
};

const failure = (Kind, code, message) => Object.assign(new Kind(message), { code });

const notSupported = () => new Error("Digest method not supported");
const invalid = name => () =>
    failure(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);

function hashNamed(name, refusal = notSupported) {
    const plain = String(name).toLowerCase().replace(/^rsa-/, "").replace(/^sha-/, "sha");
    const hash = Object.hasOwn(hashes, plain) && hashes[plain]();
    if (!hash) throw refusal();
    return hash;
}

function bytesOf(data, encoding) {
    if (typeof data === "string")
        return Buffer.from(data, encoding === "buffer" ? "utf8" : encoding);
    if (ArrayBuffer.isView(data))
        return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    throw failure(
        TypeError,
        "ERR_INVALID_ARG_TYPE",
        'The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.'
    );
}

const encoded = (bytes, encoding) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return encoding && encoding !== "buffer" ? buffer.toString(encoding) : buffer;
};

// Not a stream, as Node's are: update() and digest() alone.
class Hash {
    #state;
    constructor(state) {
        this.#state = state;
    }
    update(data, encoding) {
        this.#open().update(bytesOf(data, encoding));
        return this;
    }
    digest(encoding) {
        const digest = this.#open().digest();
        this.#state = undefined;
        return encoded(digest, encoding);
    }
    copy() {
        return new Hash(this.#open().clone());
    }
    #open() {
        if (this.#state) return this.#state;
        throw failure(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    }
}

const createHash = name => new Hash(hashNamed(name).create());

function createHmac(name, key) {
    const hash = hashNamed(name, invalid(name));
    return new Hash(require("@noble/hashes/hmac.js").hmac.create(hash, bytesOf(key)));
}

const hash = (name, data, encoding = "hex") => encoded(hashNamed(name)(bytesOf(data)), encoding);

const quota = 65536; // of one crypto.getRandomValues()

function randomFillSync(target, offset = 0, size) {
    const all = bytesOf(target);
    const unit = target.BYTES_PER_ELEMENT ?? 1;
    const end = size === undefined ? all.length : (offset + size) * unit;
    if (offset < 0 || end > all.length)
        throw failure(
            RangeError,
            "ERR_OUT_OF_RANGE",
            'The value of "size + offset" is out of range.'
        );
    for (let at = offset * unit; at < end; at += quota)
        globalThis.crypto.getRandomValues(all.subarray(at, Math.min(at + quota, end)));
    return target;
}

const randomBytesSync = size => randomFillSync(Buffer.alloc(size));

// Below 2^48, each as likely: values of an incomplete last round are drawn again.
function randomIntSync(min, max) {
    const range = max - min;
    if (
        !Number.isSafeInteger(min) ||
        !Number.isSafeInteger(max) ||
        range <= 0 ||
        range > 2 ** 48 - 1
    )
        throw failure(RangeError, "ERR_OUT_OF_RANGE", `No integer from ${min} to below ${max}.`);
    const end = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
        const value = randomBytesSync(6).readUIntBE(0, 6);
        if (value < end) return min + (value % range);
    }
}

// Gives a function with a callback, as Node's: f(...args, (error, value) => ...).
const withCallback = compute =>
    function (...args) {
        const done = args.pop();
        let value;
        try {
            value = compute(...args);
        } catch (error) {
            queueMicrotask(() => done(error));
            return;
        }
        queueMicrotask(() => done(null, value));
    };
const perhapsWithCallback = compute => {
    const later = withCallback(compute);
    return (...args) => (typeof args.at(-1) === "function" ? later(...args) : compute(...args));
};

function pbkdf2Sync(password, salt, iterations, size, name) {
    const derive = require("@noble/hashes/pbkdf2.js").pbkdf2;
    const digest = hashNamed(name, invalid(name));
    const options = { c: iterations, dkLen: size };
    return encoded(derive(digest, bytesOf(password), bytesOf(salt), options));
}

function scryptSync(password, salt, size, options = {}) {
    const { N = options.cost ?? 16384, r = options.blockSize ?? 8 } = options;
    const { p = options.parallelization ?? 1 } = options;
    const derive = require("@noble/hashes/scrypt.js").scrypt;
    return encoded(derive(bytesOf(password), bytesOf(salt), { N, r, p, dkLen: size }));
}

function hkdfSync(name, key, salt, info, size) {
    const digest = hashNamed(name, invalid(name));
    const derive = require("@noble/hashes/hkdf.js").hkdf;
    const bytes = derive(digest, bytesOf(key), bytesOf(salt), bytesOf(info), size);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

function timingSafeEqual(a, b) {
    const [left, right] = [bytesOf(a), bytesOf(b)];
    if (left.length !== right.length)
        throw failure(
            RangeError,
            "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH",
            "Input buffers must have the same byte length"
        );
    let difference = 0;
    for (let i = 0; i < left.length; i++) difference |= left[i] ^ right[i];
    return difference === 0;
}

module.exports = {
    createHash,
    createHmac,
    getHashes: () => Object.keys(hashes),
    getRandomValues: view => globalThis.crypto.getRandomValues(view),
    hash,
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
