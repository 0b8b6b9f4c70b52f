"use strict";
// Hash and Hmac of node:crypto. They take what is written or piped to them; streams in all else they
// are not.
const { bytesOf, encoded, hashNamed, invalidDigest } = require("./crypto_data.cjs");
const { checkString, failure, invalidType } = require("./errors.cjs");

const finalized = () => failure(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
const dataKinds = ["string", "Buffer", "TypedArray", "DataView"];

class Digest {
    #listeners = [];
    #state;
    #encoding;
    #result = null;
    writable = true;
    readable = true;

    constructor(state) {
        this.#state = state;
    }

    // As much of an emitter as pipe() asks for.
    on(type, listener) {
        this.#listeners.push([type, listener]);
        return this;
    }

    once(type, listener) {
        const first = (...values) => {
            this.removeListener(type, first);
            listener.apply(this, values);
        };
        return this.on(type, first);
    }

    removeListener(type, listener) {
        const is = ([known, other]) => known === type && other === listener;
        this.#listeners = this.#listeners.filter(entry => !is(entry));
        return this;
    }

    emit(type, ...values) {
        const heard = this.#listeners.filter(([known]) => known === type);
        for (const [, listener] of heard) listener.apply(this, values);
        return heard.length > 0;
    }

    listenerCount(type) {
        return this.#listeners.filter(([known]) => known === type).length;
    }

    get done() {
        return this.#state === undefined;
    }

    update(data, encoding) {
        if (this.done) throw finalized();
        if (typeof data !== "string" && !ArrayBuffer.isView(data))
            throw invalidType("data", dataKinds, data);
        this.#state.update(bytesOf(data, "data", encoding));
        return this;
    }

    finish(encoding) {
        const digest = this.#state.digest();
        this.#state = undefined;
        return encoded(digest, encoding);
    }

    cloned() {
        if (this.done) throw finalized();
        return this.#state.clone();
    }

    write(data, encoding, done) {
        this.update(data, typeof encoding === "string" ? encoding : undefined);
        const callback = typeof encoding === "function" ? encoding : done;
        if (callback) queueMicrotask(callback);
        return true;
    }

    end(data, encoding) {
        if (typeof data === "string" || ArrayBuffer.isView(data)) this.update(data, encoding);
        this.#result = this.finish(this.#encoding);
        queueMicrotask(() => {
            this.emit("finish");
            this.emit("readable");
            if (this.listenerCount("data") > 0) this.emit("data", this.read());
            this.emit("end");
            this.emit("close");
        });
        return this;
    }

    read() {
        const result = this.#result;
        this.#result = null;
        return result;
    }

    pipe(destination) {
        this.on("data", chunk => destination.write(chunk));
        this.once("end", () => destination.end());
        return destination;
    }

    async *[Symbol.asyncIterator]() {
        if (!this.done) await new Promise(resolve => this.once("readable", resolve));
        const result = this.read();
        if (result !== null) yield result;
    }

    toArray() {
        return Array.fromAsync(this);
    }

    setEncoding(encoding) {
        this.#encoding = encoding;
        return this;
    }
}

class Hash extends Digest {
    constructor(name, options) {
        const given = typeof name === "object" ? name : undefined;
        if (!given) checkString(name, "algorithm");
        super(given ?? startHash(name, options));
    }

    digest(encoding) {
        if (this.done) throw finalized();
        return this.finish(encoding);
    }

    copy() {
        return new Hash(this.cloned());
    }
}

function startHash(name, options) {
    const { outputLength } = options ?? {};
    const isOpen = outputLength !== undefined && /^shake/i.test(name); // to a digest of any size
    const state = hashNamed(name).create(isOpen ? { dkLen: outputLength } : undefined);
    if (outputLength !== undefined && outputLength !== state.outputLen)
        throw failure(
            Error,
            "ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH",
            "Unsupported state or unable to set output length"
        );
    return state;
}

class Hmac extends Digest {
    constructor(name, key) {
        checkString(name, "hmac");
        const bytes = require("./crypto_keys.cjs").secretOf(key);
        super(
            require("@noble/hashes/hmac.js").hmac.create(
                hashNamed(name, invalidDigest(name)),
                bytes
            )
        );
    }

    // As Node does, once more gives nothing.
    digest(encoding) {
        if (this.done) return encoded(new Uint8Array(0), encoding);
        return this.finish(encoding);
    }
}

// Both can be called without `new` by old packages.
const callable = Class =>
    new Proxy(Class, { apply: (target, receiver, args) => new target(...args) });

function hash(name, data, encoding = "hex") {
    checkString(name, "algorithm");
    if (typeof data !== "string" && !ArrayBuffer.isView(data))
        throw invalidType("input", dataKinds, data);
    const outputEncoding =
        typeof encoding === "object" ? (encoding.outputEncoding ?? "hex") : encoding;
    return encoded(hashNamed(name)(bytesOf(data)), outputEncoding);
}

module.exports = {
    Hash: callable(Hash),
    Hmac: callable(Hmac),
    createHash: (name, options) => new Hash(name, options),
    createHmac: (name, key) => new Hmac(name, key),
    hash,
};
