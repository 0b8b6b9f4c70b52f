"use strict";
// createCipheriv and createDecipheriv of node:crypto: AES. What final() gives is all of it, since the
// engine takes a text as a whole; update() gives nothing.
const { Buffer } = require("./buffer.cjs");
const { bytesOf, encoded } = require("./crypto_data.cjs");
const { secretOf } = require("./crypto_keys.cjs");
const { checkString, failure, invalidType } = require("./errors.cjs");
const support = require("./support.mjs").default;

const pattern = /^aes-?(128|192|256)-(cbc|ctr|gcm)$/;

function parse(name) {
    checkString(name, "cipher");
    const found = pattern.exec(name.toLowerCase().replace(/^id-aes(\d+)-gcm$/, "aes-$1-gcm"));
    if (!found) throw failure(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    return { size: Number(found[1]) / 8, mode: found[2] };
}

const badState = what =>
    failure(Error, "ERR_CRYPTO_INVALID_STATE", `Invalid state for operation ${what}`);

class Cipher {
    #encrypts;
    #mode;
    #key;
    #iv;
    #chunks = [];
    #more = [];
    #tag;
    #tagSize = 16;
    #padding = true;
    #done = false;

    constructor(encrypts, name, key, iv, options = {}) {
        const { size, mode } = parse(name);
        this.#encrypts = encrypts;
        this.#mode = mode;
        this.#key = secretOf(key).slice();
        this.#iv = iv === null ? new Uint8Array(0) : bytesOf(iv, "iv").slice();
        this.#tagSize = options?.authTagLength ?? 16;
        if (this.#key.length !== size)
            throw failure(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
        const fits = mode === "gcm" ? this.#iv.length > 0 : this.#iv.length === 16;
        if (!fits)
            throw failure(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
    }

    update(data, inputEncoding, outputEncoding) {
        if (this.#done) throw badState("update");
        this.#chunks.push(bytesOf(data, "data", inputEncoding).slice());
        return encoded(new Uint8Array(0), outputEncoding);
    }

    final(outputEncoding) {
        if (this.#done) throw badState("final");
        this.#done = true;
        const result = this.#run(Buffer.concat(this.#chunks));
        return encoded(result, outputEncoding);
    }

    setAutoPadding(padding = true) {
        this.#padding = Boolean(padding);
        return this;
    }

    setAAD(data, options) {
        this.#more.push(bytesOf(data, "buffer", options?.encoding).slice());
        return this;
    }

    getAuthTag() {
        if (!this.#encrypts || !this.#done || this.#mode !== "gcm") throw badState("getAuthTag");
        return this.#tag;
    }

    setAuthTag(tag, encoding) {
        if (this.#encrypts || this.#mode !== "gcm") throw badState("setAuthTag");
        this.#tag = Buffer.from(bytesOf(tag, "tag", encoding));
        const { length } = this.#tag;
        if (length < 4 || length > 16)
            throw failure(
                TypeError,
                "ERR_CRYPTO_INVALID_AUTH_TAG",
                `Invalid authentication tag length: ${length}`
            );
        return this;
    }

    #run(data) {
        if (this.#mode === "gcm") return this.#runGcm(data);
        if (this.#mode === "cbc" && !this.#padding) return this.#runUnpadded(data);
        const result = this.#aes(this.#encrypts, data, 128);
        if (result) return result;
        throw this.#encrypts || this.#mode === "ctr"
            ? badState("final")
            : failure(
                  Error,
                  "ERR_OSSL_BAD_DECRYPT",
                  "error:1C800064:Provider routines::bad decrypt"
              );
    }

    #aes(encrypts, data, bits, more) {
        return support.aes(this.#mode, encrypts, this.#key, this.#iv, data, bits, more);
    }

    // The tag is at the end of what the engine takes and gives.
    #runGcm(data) {
        const more = Buffer.concat(this.#more);
        if (this.#encrypts) {
            const whole = this.#aes(true, data, this.#tagSize * 8, more);
            if (!whole) throw badState("final");
            this.#tag = Buffer.from(whole.slice(whole.length - this.#tagSize));
            return whole.slice(0, whole.length - this.#tagSize);
        }
        const tag = this.#tag;
        const result = tag && this.#aes(false, Buffer.concat([data, tag]), tag.length * 8, more);
        if (!result) throw new Error("Unsupported state or unable to authenticate data");
        return result;
    }

    // The engine pads: what is not to be padded loses its last block, or gets one that is padding.
    #runUnpadded(data) {
        if (data.length % 16 !== 0)
            throw failure(
                Error,
                "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
                "error:1C80006B:Provider routines::wrong final block length"
            );
        if (this.#encrypts) return this.#aes(true, data, 128).slice(0, data.length);
        const last = data.length > 0 ? data.subarray(-16) : this.#iv;
        const padding = support.aes("cbc", true, this.#key, last, new Uint8Array(0), 128);
        return this.#aes(false, Buffer.concat([data, padding]), 128);
    }
}

class Cipheriv extends Cipher {
    constructor(name, key, iv, options) {
        super(true, name, key, iv, options);
    }
}

class Decipheriv extends Cipher {
    constructor(name, key, iv, options) {
        super(false, name, key, iv, options);
    }
}

const names = ["cbc", "ctr", "gcm"].flatMap(mode =>
    [128, 192, 256].map(bits => `aes-${bits}-${mode}`)
);

function getCipherInfo(name) {
    if (typeof name !== "string" && typeof name !== "number")
        throw invalidType("nameOrNid", ["string", "number"], name);
    if (typeof name !== "string" || !pattern.test(name.toLowerCase())) return undefined;
    const { size, mode } = parse(name);
    const bits = size * 8;
    const shown = { mode, name: mode === "gcm" ? `id-aes${bits}-GCM` : `aes-${bits}-${mode}` };
    if (mode === "cbc") shown.blockSize = 16;
    return { ...shown, ivLength: mode === "gcm" ? 12 : 16, keyLength: size };
}

module.exports = {
    Cipheriv,
    Decipheriv,
    createCipheriv: (...args) => new Cipheriv(...args),
    createDecipheriv: (...args) => new Decipheriv(...args),
    getCipherInfo,
    getCiphers: () => [...names],
};
