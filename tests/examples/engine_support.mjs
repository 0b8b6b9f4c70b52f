// Stands in Node for the engine's module "snapcell:node", as far as the examples use it.
import { createHash, timingSafeEqual } from "node:crypto";

class HashState {
    #hash;

    constructor(hash) {
        this.#hash = hash;
    }

    update(bytes) {
        this.#hash.update(bytes);
    }

    digest() {
        return new Uint8Array(this.#hash.copy().digest());
    }

    clone() {
        return new HashState(this.#hash.copy());
    }
}

export default {
    digestNumber: () => -1,
    environment: () => undefined,
    equal: timingSafeEqual,
    inFrame: callback => callback,
    newHash: name => new HashState(createHash(name)),
};
