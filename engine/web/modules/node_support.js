"use strict";
// What `import support from "snapcell:node"` gives: the natives that presets/node-compat builds Node's
// synchronous functions on. State that natives trust (keys, zlib's) stays in here.

// --- The call that runs ---

exports.building = () => native.building();
exports.environment = () => (native.building() ? undefined : native.environment());

// A function that runs in the frame that is current now; see async_hooks.js.
exports.inFrame = callback =>
    native.asyncFrame() === undefined
        ? callback
        : require("snapcell:async_hooks").AsyncResource.bind(callback);

// [target, handler] of a Proxy, undefined of anything else.
exports.proxyParts = value => native.proxyParts(value);

// The callbacks that listen for an event; undefined when there is no such target.
exports.listenersOf = (target, type) => {
    const { brands } = require("snapcell:idl");
    const isObject = typeof target === "object" && target !== null;
    const listeners = isObject ? brands.target?.(target) : undefined;
    if (!listeners) return undefined;
    const known = listeners.get(`${type}`) ?? [];
    return known.flatMap(callbacks => Array.from(callbacks.keys()));
};

// { message }, the next that waits at a port; undefined when none does, null when there is no such port.
exports.takeMessage = port => {
    const { brands } = require("snapcell:idl");
    const isObject = typeof port === "object" && port !== null;
    const end = isObject ? brands.port?.(port) : undefined;
    return end ? end.take() : null;
};

// A variable of each call's env that is no JSON, as a service; and a function that gets each request
// before the handler does, and answers it or returns undefined.
exports.bind = (name, value) => require("snapcell:additions").bind(`${name}`, value);
exports.first = callback => require("snapcell:additions").answerFirst(callback);

// --- zlib: push(bytes, finish) -> Uint8Array[]; `finish` is true, false or zlib's number of a flush ---

exports.newZlib = (inflates, windowBits, level = undefined) => {
    const holder = native.zlibNew(inflates === true, windowBits | 0, level, windowBits > 15);
    return (bytes, finish) => native.zlibPush(holder, bytes, finish) ?? [];
};

// --- Hashes, and what is derived by them; a hash is named by its number in our list of OpenSSL's ---

const digests = ["sha1", "sha256", "sha384", "sha512"];
exports.digestNumber = name => digests.indexOf(name);

const bytesOf = buffer => (buffer === undefined ? undefined : new Uint8Array(buffer));

exports.digest = (hash, data) => bytesOf(native.cryptoDigest(hash, data));
exports.hmac = (hash, key, data) => bytesOf(native.cryptoHmac(hash, key, data));
exports.hkdf = (hash, key, salt, info, size) =>
    bytesOf(native.cryptoHkdf(hash, key, salt, info, size));
exports.pbkdf2 = (hash, password, salt, iterations, size) =>
    bytesOf(native.cryptoPbkdf2(hash, password, salt, iterations, size));
exports.equal = (a, b) => native.cryptoEqual(a, b);

const modes = ["gcm", "cbc", "ctr"];
exports.aes = (mode, encrypts, key, iv, data, bits, more) =>
    bytesOf(native.cryptoAes(modes.indexOf(mode), encrypts === true, key, iv, data, bits, more));

// --- Keys in pairs ---

const kinds = ["rsa", "prime256v1", "secp384r1", "secp521r1", "ed25519", "x25519"];
const token = Symbol();

// The bytes of a key are parts, each a length of two bytes and as many bytes.
function split(bytes) {
    const parts = [];
    for (let at = 0; at < bytes.length;) {
        const end = at + 2 + bytes[at] * 256 + bytes[at + 1];
        parts.push(bytes.slice(at + 2, end));
        at = end;
    }
    return parts;
}

function join(parts) {
    const bytes = new Uint8Array(parts.reduce((size, part) => size + 2 + part.length, 0));
    let at = 0;
    for (const part of parts) {
        bytes[at] = part.length >> 8;
        bytes[at + 1] = part.length;
        bytes.set(part, at + 2);
        at += 2 + part.length;
    }
    return bytes;
}

class PairKey {
    #kind;
    #isPrivate;
    #bytes;

    constructor(given, kind, isPrivate, bytes) {
        if (given !== token) throw new TypeError("Illegal constructor");
        this.#kind = kind;
        this.#isPrivate = isPrivate;
        this.#bytes = bytes;
    }

    get kind() {
        return kinds[this.#kind];
    }

    get isPrivate() {
        return this.#isPrivate;
    }

    // Of RSA n, e, d, p, q, dp, dq, qi; of a curve the point and the number; of others both keys.
    parts() {
        return split(this.#bytes);
    }

    toPublic() {
        const count = this.#kind === 0 ? 2 : 1;
        return newKey(this.#kind, false, join(split(this.#bytes).slice(0, count)));
    }

    // PKCS #8 or SubjectPublicKeyInfo
    toDer() {
        return bytesOf(native.pairWrite(this.#kind, this.#isPrivate, this.#bytes));
    }

    // `salt`: bytes of RSA-PSS's, undefined for PKCS #1 v1.5. A curve's signature is two numbers.
    sign(hash, salt, data) {
        return bytesOf(native.pairSign(this.#kind, hash, salt ?? noSalt, this.#bytes, data));
    }

    verify(hash, salt, data, signature) {
        return native.pairVerify(this.#kind, hash, salt ?? noSalt, this.#bytes, data, signature);
    }

    // RSA-OAEP
    crypt(encrypts, hash, label, data) {
        if (this.#kind !== 0) return undefined;
        return bytesOf(native.pairCrypt(encrypts === true, hash, this.#bytes, label, data));
    }

    derive(other) {
        if (this.#kind !== other.#kind) return undefined;
        return bytesOf(native.pairDerive(this.#kind, this.#bytes, other.#bytes));
    }
}

const noSalt = 0xffffffff;
const newKey = (kind, isPrivate, bytes) => new PairKey(token, kind, isPrivate, bytes);
const keyOf = (kind, isPrivate, buffer) =>
    buffer && newKey(kind, isPrivate, new Uint8Array(buffer));

// Of any kind that the bytes fit; undefined when there is none.
exports.readKey = (isPrivate, der) => {
    for (let kind = 0; kind < kinds.length; kind++) {
        const key = keyOf(kind, isPrivate, native.pairRead(kind, isPrivate, der));
        if (key) return key;
    }
    return undefined;
};

exports.makeKey = (name, isPrivate, parts) => {
    const kind = kinds.indexOf(name);
    const copies = Array.from(parts, part => new Uint8Array(part));
    if (kind < 0 || copies.some(part => part.length > 0xffff)) return undefined;
    return keyOf(kind, isPrivate, native.pairCheck(kind, isPrivate === true, join(copies)));
};

exports.generateKey = (name, bits, exponent) => {
    const kind = kinds.indexOf(name);
    return kind < 0 ? undefined : keyOf(kind, true, native.pairGenerate(kind, bits, exponent));
};
