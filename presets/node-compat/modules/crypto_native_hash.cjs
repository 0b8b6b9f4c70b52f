"use strict";
// The hashes that the engine has of OpenSSL, with the shape of those of @noble/hashes: what is built on those (HMAC,
// PBKDF2, HKDF, scrypt) takes these as well.
const support = require("./support.mjs").default;

class NativeState {
    #state;

    constructor(name, outputLen, blockLen, state = support.newHash(name)) {
        this.#state = state;
        Object.assign(this, { name, outputLen, blockLen });
    }

    update(bytes) {
        this.#state.update(bytes);
        return this;
    }

    digest() {
        const result = this.#state.digest();
        this.destroy();
        return result;
    }

    digestInto(out) {
        out.set(this.digest());
    }

    clone() {
        return new NativeState(this.name, this.outputLen, this.blockLen, this.#state.clone());
    }

    _cloneInto(other) {
        if (!other) return this.clone();
        other.#state = this.#state.clone();
        return other;
    }

    // Like those, a state is used up when its digest was taken.
    destroy() {
        this.#state = undefined;
    }
}

/** A hash: a function of bytes, with `create()`. */
function nativeHash(name, outputLen, blockLen) {
    const create = () => new NativeState(name, outputLen, blockLen);
    return Object.assign(bytes => create().update(bytes).digest(), { create, outputLen, blockLen });
}

module.exports = { nativeHash };
