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

// Bytes that the build put into a function's text, as () => "base64". A module of WebAssembly that is made of them is
// read from the text again in each instance.
exports.textBytes = text => require("snapcell:text_bytes").textBytes(text);

// --- zlib: push(bytes, finish) -> Uint8Array[]; `finish` is true, false or zlib's number of a flush ---

const noBytes = new Uint8Array(0);

exports.newZlib = (inflates, windowBits, { level, memLevel, strategy, dictionary } = {}) => {
    const given = [level, windowBits > 15, memLevel, strategy, dictionary ?? noBytes];
    const holder = native.zlibNew(inflates === true, windowBits | 0, ...given);
    const push = (bytes, finish) => native.zlibPush(holder, bytes, finish) ?? [];
    // After a flush: how it deflates from here on.
    push.params = (newLevel, newStrategy) => native.zlibParams(holder, newLevel, newStrategy);
    return push;
};

// Where a stream was flushed, and whether it goes on: { flushes: Uint32Array, isOpen }.
const noFlushes = { flushes: new Uint32Array(0), isOpen: false };

// Uint8Array[], or undefined when a number is none of Brotli's
exports.brotliCompress = (bytes, quality, windowBits, mode, { flushes, isOpen } = noFlushes) =>
    native.brotliCompress(bytes, quality, windowBits, mode, flushes, isOpen);
// Uint8Array[]; Brotli's number for what is wrong; undefined when more than `most` bytes came out
exports.brotliDecompress = (bytes, mayEndEarly, most) =>
    native.brotliDecompress(bytes, mayEndEarly === true, most);

// Uint8Array[]; Zstandard's number for what is wrong; null when more than `most` bytes came out, and undefined when a
// parameter is none. `parameters` are [key, value] of Zstandard.
const zstdBytes = parameters => new Uint8Array(Int32Array.from(parameters.flat()).buffer);
exports.zstdCompress = (bytes, parameters, how, { flushes, isOpen } = noFlushes) => {
    const { dictionary, most, announcedSize, end } = how;
    const given = [dictionary, most, announcedSize, end, flushes, isOpen];
    return native.zstdCompress(bytes, zstdBytes(parameters), ...given);
};
exports.zstdDecompress = (bytes, parameters, { dictionary, most, takesOneFrame }) =>
    native.zstdDecompress(bytes, zstdBytes(parameters), dictionary, most, takesOneFrame === true);
exports.zstdErrorText = number => native.zstdErrorText(number);

// --- Hashes, and what is derived by them; a hash is named by its number in our list of OpenSSL's ---

const digests = ["sha1", "sha256", "sha384", "sha512"];
exports.digestNumber = name => digests.indexOf(name);

const token = Symbol(); // whose holder may make states and keys

const bytesOf = buffer => (buffer === undefined ? undefined : new Uint8Array(buffer));

exports.digest = (hash, data) => bytesOf(native.cryptoDigest(hash, data));
exports.hmac = (hash, key, data) => bytesOf(native.cryptoHmac(hash, key, data));
exports.hkdf = (hash, key, salt, info, size) =>
    bytesOf(native.cryptoHkdf(hash, key, salt, info, size));
exports.pbkdf2 = (hash, password, salt, iterations, size) =>
    bytesOf(native.cryptoPbkdf2(hash, password, salt, iterations, size));
exports.equal = (a, b) => native.cryptoEqual(a, b);

// Hashes that are fed in parts, by their numbers in native_hash.cc
const hashKinds = ["md5", "ripemd160", "sha1", "sha224", "sha256", "sha384", "sha512"].concat([
    "sha512-224",
    "sha512-256",
]);

class HashState {
    #holder;

    constructor(given, holder) {
        if (given !== token) throw new TypeError("Illegal constructor");
        this.#holder = holder;
    }

    update(bytes) {
        native.hashUpdate(this.#holder, bytes);
    }

    // The state goes on.
    digest() {
        return bytesOf(native.hashDigest(this.#holder));
    }

    clone() {
        return newState(this.#holder.slice(0));
    }
}

const newState = holder => new HashState(token, holder);

// undefined when there is no such hash
exports.newHash = name => {
    const kind = hashKinds.indexOf(name);
    return kind < 0 ? undefined : newState(native.hashNew(kind));
};

const modes = ["gcm", "cbc", "ctr", undefined, "chacha20-poly1305", "chacha20"];
exports.aes = (mode, encrypts, key, iv, data, bits, more) =>
    bytesOf(native.cryptoAes(modes.indexOf(mode), encrypts === true, key, iv, data, bits, more));

// --- Keys in pairs ---

const { joinParts, splitParts } = require("snapcell:key_parts");

const kinds = ["rsa", "prime256v1", "secp384r1", "secp521r1", "ed25519", "x25519"];
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
        return splitParts(this.#bytes).map(part => part.slice()); // not what the key is made of
    }

    toPublic() {
        const count = this.#kind === 0 ? 2 : 1;
        return newKey(this.#kind, false, joinParts(splitParts(this.#bytes).slice(0, count)));
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
    return keyOf(kind, isPrivate, native.pairCheck(kind, isPrivate === true, joinParts(copies)));
};

exports.generateKey = (name, bits, exponent) => {
    const kind = kinds.indexOf(name);
    return kind < 0 ? undefined : keyOf(kind, true, native.pairGenerate(kind, bits, exponent));
};
