"use strict";
// createCipheriv and createDecipheriv of node:crypto: AES and ChaCha20. The engine takes a text as a whole: update()
// asks it for the blocks that are complete, with what came before as the initialization vector.
const { Buffer } = require("./buffer.cjs");
const { bytesOf, encoded } = require("./crypto_data.cjs");
const { secretOf } = require("./crypto_keys.cjs");
const { checkString, failure, invalidType } = require("./errors.cjs");
const support = require("./support.mjs").default;

const pattern = /^aes-?(128|192|256)-(cbc|ctr|gcm)$/;
const chaChas = ["chacha20-poly1305", "chacha20"];

function parse(name) {
    checkString(name, "cipher");
    if (chaChas.includes(name.toLowerCase())) return { size: 32, mode: name.toLowerCase() };
    const found = pattern.exec(name.toLowerCase().replace(/^id-aes(\d+)-gcm$/, "aes-$1-gcm"));
    if (!found) throw failure(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    return { size: Number(found[1]) / 8, mode: found[2] };
}

const badState = what =>
    failure(Error, "ERR_CRYPTO_INVALID_STATE", `Invalid state for operation ${what}`);

const wrongLength = () =>
    failure(
        Error,
        "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH",
        "error:1C80006B:Provider routines::wrong final block length"
    );

// A counter, the last `bits` of which count, after some blocks.
function counterAfter(first, blocks, bits) {
    const hex = Buffer.from(first).toString("hex");
    const kept = hex.slice(0, 32 - bits / 4);
    const count = BigInt.asUintN(bits, BigInt(`0x${hex.slice(kept.length)}`) + blocks);
    return new Uint8Array(Buffer.from(kept + count.toString(16).padStart(bits / 4, "0"), "hex"));
}

// The sizes of initialization vectors that a mode takes.
const vectorFits = {
    gcm: size => size > 0,
    "chacha20-poly1305": size => size === 12,
};

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
    #position = 0; // in the stream of the modes that have one

    constructor(encrypts, name, key, iv, options = {}) {
        const { size, mode } = parse(name);
        this.#encrypts = encrypts;
        this.#mode = mode;
        this.#key = secretOf(key).slice();
        this.#iv = iv === null ? new Uint8Array(0) : bytesOf(iv, "iv").slice();
        this.#tagSize = options?.authTagLength ?? 16;
        if (this.#key.length !== size)
            throw failure(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
        if (!(vectorFits[mode] ?? (bytes => bytes === 16))(this.#iv.length))
            throw failure(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
    }

    update(data, inputEncoding, outputEncoding) {
        if (this.#done) throw badState("update");
        const bytes = bytesOf(data, "data", inputEncoding).slice();
        return encoded(this.#take(bytes), outputEncoding);
    }

    #take(bytes) {
        if (this.#mode === "ctr") return this.#stream(this.#iv, 128, bytes);
        if (this.#mode === "chacha20") return this.#chaCha(this.#iv, bytes);
        this.#chunks.push(bytes);
        if (this.#mode === "chacha20-poly1305") return this.#chaCha(this.#firstOfChaCha(), bytes);
        if (this.#mode === "cbc") return this.#blocks();
        return this.#isPlainGcm ? this.#stream(this.#firstOfGcm(), 32, bytes) : new Uint8Array(0);
    }

    get #hasTag() {
        return this.#mode === "gcm" || this.#mode === "chacha20-poly1305";
    }

    get #isPlainGcm() {
        return this.#iv.length === 12; // any other size is hashed into the first counter
    }

    // The counter of a text's first block: that before it is the tag's.
    #firstOfGcm() {
        const counter = new Uint8Array(16);
        counter.set(this.#iv);
        counter[15] = 2;
        return counter;
    }

    // Bytes of a mode that makes a stream to combine with, from where it is.
    #stream(first, bits, bytes) {
        const skipped = this.#position % 16;
        const counter = counterAfter(first, BigInt(Math.floor(this.#position / 16)), bits);
        this.#position += bytes.length;
        const padded = Buffer.concat([new Uint8Array(skipped), bytes]);
        return support.aes("ctr", true, this.#key, counter, padded, bits).subarray(skipped);
    }

    // Here, too, the first block is the tag's. Its number begins the vector, little endian.
    #firstOfChaCha() {
        const block = new Uint8Array(16);
        block[0] = 1;
        block.set(this.#iv, 4);
        return block;
    }

    #chaCha(first, bytes) {
        const skipped = this.#position % 64;
        const block = Buffer.from(first);
        const number = block.readUInt32LE(0) + Math.floor(this.#position / 64);
        block.writeUInt32LE(number % 2 ** 32, 0);
        this.#position += bytes.length;
        const padded = Buffer.concat([new Uint8Array(skipped), bytes]);
        return support.aes("chacha20", true, this.#key, block, padded, 0).subarray(skipped);
    }

    // The complete blocks; one stays for final() where it may hold padding.
    #blocks() {
        const data = Buffer.concat(this.#chunks);
        const kept =
            this.#padding && !this.#encrypts && data.length % 16 === 0 ? 16 : data.length % 16;
        const size = Math.max(0, data.length - kept);
        this.#chunks = [data.subarray(size)];
        if (size === 0) return new Uint8Array(0);
        const blocks = data.subarray(0, size);
        const result = this.#runUnpadded(blocks);
        this.#iv = (this.#encrypts ? result : blocks).slice(size - 16, size);
        return result;
    }

    final(outputEncoding) {
        if (this.#done) throw badState("final");
        this.#done = true;
        const result = this.#run(Buffer.concat(this.#chunks));
        const isOut = this.#mode !== "cbc" && (this.#mode !== "gcm" || this.#isPlainGcm);
        return encoded(isOut ? new Uint8Array(0) : result, outputEncoding);
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
        if (!this.#encrypts || !this.#done || !this.#hasTag) throw badState("getAuthTag");
        return this.#tag;
    }

    setAuthTag(tag, encoding) {
        if (this.#encrypts || !this.#hasTag) throw badState("setAuthTag");
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
        if (this.#mode === "ctr" || this.#mode === "chacha20") return data;
        if (this.#hasTag) return this.#runGcm(data);
        if (this.#mode === "cbc" && !this.#padding) return this.#runUnpadded(data);
        const result = this.#aes(this.#encrypts, data, 128);
        if (result) return result;
        if (!this.#encrypts && data.length % 16 !== 0) throw wrongLength();
        throw this.#encrypts
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
        if (data.length % 16 !== 0) throw wrongLength();
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

const names = ["cbc", "ctr", "gcm"]
    .flatMap(mode => [128, 192, 256].map(bits => `aes-${bits}-${mode}`))
    .concat(chaChas.toReversed());

const chaChaInfo = mode =>
    mode === "chacha20"
        ? { mode: "stream", name: "chacha20", nid: 1019, ivLength: 16, keyLength: 32 }
        : { mode: "stream", name: "chacha20-poly1305", nid: 1018, ivLength: 12, keyLength: 32 };

function getCipherInfo(name) {
    if (typeof name !== "string" && typeof name !== "number")
        throw invalidType("nameOrNid", ["string", "number"], name);
    if (typeof name !== "string") return undefined;
    if (chaChas.includes(name.toLowerCase())) return chaChaInfo(name.toLowerCase());
    if (!pattern.test(name.toLowerCase())) return undefined;
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
