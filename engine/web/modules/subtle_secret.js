"use strict";
// Secret keys: AES, HMAC, and what HKDF and PBKDF2 derive from.
const {
    checkJwk,
    checkUsages,
    firstBits,
    fromBase64Url,
    jwkOf,
    makeKey,
    readBytes,
    readJwk,
    refuse,
    toBase64Url,
} = require("snapcell:subtle_key");

// In the order of their numbers in C++.
const modes = ["AES-GCM", "AES-CBC", "AES-CTR", "AES-KW"];
const allowed = {
    "AES-GCM": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    "AES-CBC": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    "AES-CTR": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    "AES-KW": ["wrapKey", "unwrapKey"],
    HMAC: ["sign", "verify"],
    HKDF: ["deriveKey", "deriveBits"],
    PBKDF2: ["deriveKey", "deriveBits"],
};
const isAes = name => modes.includes(name);
const isAesLength = length => length === 128 || length === 192 || length === 256;

function stateFor(algorithm, extractable, usages, bytes, length) {
    return {
        __proto__: null,
        type: "secret",
        extractable,
        usages,
        name: algorithm.name,
        hash: algorithm.name === "HMAC" ? algorithm.hash : undefined,
        length,
        bytes,
        building: false,
    };
}

// --- Making keys ---

// Bits of a new key: what is given, or for HMAC the size of the hash's block.
exports.keyLength = algorithm => {
    const { name, length } = algorithm;
    if (name === "HKDF" || name === "PBKDF2") return null;
    if (isAes(name)) {
        if (!isAesLength(length)) {
            throw refuse("OperationError", `${name} keys have 128, 192 or 256 bits, not ${length}`);
        }
        return length;
    }
    if (length === 0) throw new TypeError("crypto.subtle: an HMAC key of 0 bits");
    return length ?? (algorithm.hash < 2 ? 512 : 1024);
};

exports.generateKey = (algorithm, extractable, usages) => {
    checkUsages(usages, allowed[algorithm.name], `a key for ${algorithm.name}`);
    if (algorithm.length === 0 && algorithm.name === "HMAC") {
        throw refuse("OperationError", "an HMAC key of 0 bits");
    }
    const length = exports.keyLength(algorithm);
    if (usages.length === 0) throw refuse("SyntaxError", "a secret key needs a usage");
    const random = native.randomKey(Math.ceil(length / 8));
    const bytes = new Uint8Array(firstBits(random, length));
    const state = stateFor(algorithm, extractable, usages, bytes, length);
    state.building = native.building();
    return makeKey(state);
};

function hmacLength({ length }, bytes) {
    const bits = bytes.length * 8;
    if (bits === 0) throw refuse("DataError", "an HMAC key of 0 bits");
    if (length === undefined) return bits;
    if (length > bits || length <= bits - 8) {
        throw refuse("DataError", `an HMAC key of ${bits} bits cannot have the length ${length}`);
    }
    return length;
}

function jwkName({ name, hash }, bytes) {
    if (name === "HMAC") return ["HS1", "HS256", "HS384", "HS512"][hash];
    return `A${bytes.length * 8}${name.slice(4)}`;
}

function readKey(format, data, algorithm, extractable, usages) {
    if (format === "raw") return readBytes(data, "a key in the format raw").slice();
    const jwk = readJwk(data);
    const use = algorithm.name === "HMAC" ? "sig" : "enc";
    checkJwk(jwk, { kty: "oct", use, alg: undefined }, extractable, usages);
    if (jwk.k === undefined) throw refuse("DataError", `the JWK must have "k"`);
    const bytes = fromBase64Url(jwk.k, "k");
    const alg = [jwkName(algorithm, bytes)];
    checkJwk(jwk, { kty: "oct", use, alg }, extractable, usages);
    return bytes;
}

exports.importKey = (format, data, algorithm, extractable, usages) => {
    const { name } = algorithm;
    const derives = name === "HKDF" || name === "PBKDF2";
    if (format !== "raw" && (format !== "jwk" || derives)) {
        throw refuse("NotSupportedError", `keys for ${name} cannot have the format ${format}`);
    }
    checkUsages(usages, allowed[name], `a key for ${name}`);
    if (derives && extractable) {
        throw refuse("SyntaxError", `a key for ${name} cannot be extractable`);
    }
    let bytes = readKey(format, data, algorithm, extractable, usages);
    let length;
    if (isAes(name)) {
        length = bytes.length * 8;
        if (!isAesLength(length)) {
            throw refuse("DataError", `${name} keys have 128, 192 or 256 bits, not ${length}`);
        }
    } else if (name === "HMAC") {
        length = hmacLength(algorithm, bytes);
        bytes = new Uint8Array(firstBits(bytes.buffer, length));
    }
    return makeKey(stateFor(algorithm, extractable, usages, bytes, length));
};

exports.exportKey = (format, state) => {
    if (format === "raw") return state.bytes.slice().buffer;
    if (format !== "jwk") {
        throw refuse("NotSupportedError", `keys for ${state.name} have no format ${format}`);
    }
    const k = toBase64Url(state.bytes);
    return jwkOf("oct", state, { k, alg: jwkName(state, state.bytes) });
};

// --- Using keys ---

const tagLengths = [32, 64, 96, 104, 112, 120, 128];

function cipher(encrypt, algorithm, { name, bytes }, data) {
    let bits = 0;
    if (name === "AES-GCM") {
        bits = algorithm.tagLength ?? 128;
        if (!tagLengths.includes(bits)) {
            throw refuse("OperationError", `a tag of ${bits} bits; ${tagLengths.join(", ")} are`);
        }
    } else if (name === "AES-CTR") {
        bits = algorithm.length;
    }
    const iv = algorithm.iv ?? algorithm.counter;
    const mode = modes.indexOf(name);
    const result = native.cryptoAes(mode, encrypt, bytes, iv, data, bits, algorithm.additionalData);
    if (!result) {
        throw refuse("OperationError", `${name} could not ${encrypt ? "encrypt" : "decrypt"}`);
    }
    return result;
}

exports.encrypt = exports.wrapKey = (...args) => cipher(true, ...args);
exports.decrypt = exports.unwrapKey = (...args) => cipher(false, ...args);

exports.sign = (algorithm, { hash, bytes }, data) => {
    const result = native.cryptoHmac(hash, bytes, data);
    if (!result) throw refuse("OperationError", "HMAC could not sign");
    return result;
};

exports.verify = (algorithm, state, signature, data) =>
    native.cryptoEqual(new Uint8Array(exports.sign(algorithm, state, data)), signature);

exports.deriveBits = (algorithm, { name, bytes }, length) => {
    if (length === null || length % 8 !== 0) {
        throw refuse("OperationError", `${name} derives a multiple of 8 bits, not ${length}`);
    }
    const { hash, salt, info, iterations } = algorithm;
    if (name === "PBKDF2" && iterations === 0) {
        throw refuse("OperationError", "PBKDF2 needs at least one iteration");
    }
    const result =
        name === "HKDF"
            ? native.cryptoHkdf(hash, bytes, salt, info, length / 8)
            : native.cryptoPbkdf2(hash, bytes, salt, iterations, length / 8);
    if (!result) throw refuse("OperationError", `${name} could not derive ${length} bits`);
    return result;
};
