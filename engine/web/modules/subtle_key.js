"use strict";
// CryptoKey, and what all kinds of keys share. The state of a key:
//   type, extractable
//   usages      in the standard's order
//   name        of the algorithm; hash (a number), length, curve, modulusLength, exponent: as it has
//   bytes       the key itself, as a Uint8Array; natives make of them what they need
//   building    whether it was generated at build time, from numbers that anybody can repeat
const { brands, bytesOf, cloners, expose, illegalConstructor } = require("snapcell:idl");

const hashes = (exports.hashes = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"]);

const usageNames = (exports.usageNames = [
    "encrypt",
    "decrypt",
    "sign",
    "verify",
    "deriveKey",
    "deriveBits",
    "wrapKey",
    "unwrapKey",
]);

const refuse = (exports.refuse = (name, message) => {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(`crypto.subtle: ${message}`, name);
});

function describe(state) {
    const algorithm = { name: state.name };
    if (state.modulusLength !== undefined) {
        algorithm.modulusLength = state.modulusLength;
        algorithm.publicExponent = state.exponent.slice();
    }
    if (state.curve !== undefined) algorithm.namedCurve = state.curve;
    if (state.hash !== undefined) algorithm.hash = { name: hashes[state.hash] };
    if (state.length !== undefined) algorithm.length = state.length;
    return algorithm;
}

class CryptoKey {
    #state;
    #algorithm;
    #usages;

    constructor(token = undefined, state = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
        this.#state = state;
    }

    static {
        brands.key = value =>
            typeof value === "object" && value !== null && #state in value
                ? value.#state
                : undefined;
    }

    get type() {
        return this.#state.type;
    }

    get extractable() {
        return this.#state.extractable;
    }

    get algorithm() {
        return (this.#algorithm ??= describe(this.#state));
    }

    get usages() {
        return (this.#usages ??= [...this.#state.usages]);
    }
}
expose(CryptoKey);
exports.CryptoKey = CryptoKey;

exports.makeKey = state => new CryptoKey(illegalConstructor, state);

// Keys never change, so a copy shares the state.
cloners.push(object => {
    const state = brands.key(object);
    return state && (() => exports.makeKey(state));
});

// The state of a key that is to be used.
exports.stateOf = (key, what) => {
    const state = brands.key(key);
    if (!state) throw new TypeError(`${what} must be a CryptoKey`);
    return state;
};

exports.checkFresh = state => {
    if (state.building && !native.building()) {
        throw refuse(
            "InvalidAccessError",
            "the key was generated in a warm-up request, where random numbers are repeatable; " +
                "generate it when a request needs it, or import it"
        );
    }
};

// --- Usages ---

const isObject = (exports.isObject = value =>
    (typeof value === "object" && value !== null) || typeof value === "function");

// What an iterable gives, each through `read`.
const readSequence = (list, read, what) =>
    require("snapcell:convert")
        .sequence(list, what)
        .map(item => read(item));

exports.readUsages = (list, what) => {
    const given = readSequence(
        list,
        item => {
            const usage = `${item}`;
            if (!usageNames.includes(usage)) {
                throw new TypeError(`${what}: "${usage}" is not a key usage`);
            }
            return usage;
        },
        what
    );
    return usageNames.filter(usage => given.includes(usage));
};

exports.checkUsages = (usages, allowed, what) => {
    for (const usage of usages) {
        if (!allowed.includes(usage)) {
            throw refuse("SyntaxError", `${what} cannot have the usage "${usage}"`);
        }
    }
};

// --- Bytes ---
// Without regular expressions: V8 keeps the text that one was matched with last, which is a key here.

exports.toBase64Url = bytes => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 4096) {
        text += String.fromCharCode(...bytes.subarray(i, i + 4096));
    }
    const padded = native.base64Encode(text).replaceAll("+", "-").replaceAll("/", "_");
    const end = padded.indexOf("=");
    return end < 0 ? padded : padded.slice(0, end);
};

exports.fromBase64Url = (text, what) => {
    const decoded = [..."+/= \t\n\f\r"].some(c => text.includes(c))
        ? undefined
        : native.base64Decode(text.replaceAll("-", "+").replaceAll("_", "/"));
    if (decoded === undefined) throw refuse("DataError", `"${what}" of the JWK is not base64url`);
    const bytes = new Uint8Array(decoded.length);
    for (let i = 0; i < decoded.length; i++) bytes[i] = decoded.charCodeAt(i);
    return bytes;
};

// The first bits of a buffer, the others of the last byte being zero; all for null.
exports.firstBits = (buffer, length) => {
    if (length === null) return buffer;
    if (length > buffer.byteLength * 8) {
        throw refuse(
            "OperationError",
            `${length} bits were requested, but there are ${buffer.byteLength * 8}`
        );
    }
    const bytes = new Uint8Array(buffer.slice(0, Math.ceil(length / 8)));
    if (length % 8 !== 0) bytes[bytes.length - 1] &= 0xff << (8 - (length % 8));
    return bytes.buffer;
};

exports.readBytes = (value, what) => {
    const bytes = bytesOf(value);
    if (!bytes) throw new TypeError(`${what} must be an ArrayBuffer or a view of one`);
    return bytes;
};

// --- JWK ---

// In the order in which Web IDL reads them.
const jwkMembers = "alg crv d dp dq e ext k key_ops kty n oth p q qi use x y".split(" ");
const primeMembers = ["d", "r", "t"];

function readPrime(value) {
    if (value === undefined || value === null) return {};
    if (!isObject(value)) throw new TypeError(`"oth" of a JWK must be a sequence of objects`);
    const prime = {};
    for (const name of primeMembers) {
        const member = value[name];
        if (member !== undefined) prime[name] = `${member}`;
    }
    return prime;
}

function readJwkMember(name, value) {
    if (name === "ext") return Boolean(value);
    if (name === "oth") return readSequence(value, readPrime, `"oth" of a JWK`);
    if (name === "key_ops") return readSequence(value, item => `${item}`, `"key_ops" of a JWK`);
    return `${value}`;
}

// The members that mean something, as Web IDL converts them.
exports.readJwk = value => {
    const jwk = { __proto__: null };
    if (value === undefined || value === null) return jwk;
    if (!isObject(value)) throw new TypeError("a key in the format jwk must be an object");
    for (const name of jwkMembers) {
        const member = value[name];
        if (member !== undefined) jwk[name] = readJwkMember(name, member);
    }
    return jwk;
};

exports.checkJwk = (jwk, { kty, use, alg }, extractable, usages) => {
    const wrong = message => refuse("DataError", `the JWK ${message}`);
    if (jwk.kty !== kty) throw wrong(`must have "kty": "${kty}"`);
    if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) {
        throw wrong(`must have "use": "${use}", or none`);
    }
    if (jwk.key_ops !== undefined) {
        if (new Set(jwk.key_ops).size !== jwk.key_ops.length) {
            throw wrong(`names an operation twice in "key_ops"`);
        }
        const missing = usages.find(usage => !jwk.key_ops.includes(usage));
        if (missing) throw wrong(`does not allow "${missing}" in "key_ops"`);
    }
    if (jwk.ext === false && extractable) throw wrong(`has "ext": false, but is to be extractable`);
    if (alg && jwk.alg !== undefined && !alg.includes(jwk.alg)) {
        throw wrong(`has "alg": "${jwk.alg}", not "${alg[0]}"`);
    }
};

exports.jwkOf = (kty, state, members) => ({
    kty,
    ...members,
    key_ops: [...state.usages],
    ext: state.extractable,
});
