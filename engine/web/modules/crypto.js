"use strict";
const { bytesOf, expose, illegalConstructor } = require("snapcell:idl");

const integerArrays = new Set([
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "BigInt64Array",
    "BigUint64Array",
]);
const tagOf = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag
).get;

function refuse(message, name) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(`crypto.getRandomValues: ${message}`, name);
}

class Crypto {
    #brand;

    constructor(token = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
    }

    getRandomValues(array) {
        this.#brand;
        if (!ArrayBuffer.isView(array)) {
            throw new TypeError(
                "crypto.getRandomValues: the argument must be an integer typed array"
            );
        }
        bytesOf(array); // throws for shared memory
        if (!integerArrays.has(tagOf.call(array))) {
            throw refuse("the argument must be an integer typed array", "TypeMismatchError");
        }
        if (array.byteLength > 65536) {
            const { QuotaExceededError } = require("snapcell:quota");
            throw new QuotaExceededError(
                `crypto.getRandomValues: ${array.byteLength} bytes requested, at most 65536 are ` +
                    "given at once"
            );
        }
        native.randomFill(array);
        return array;
    }

    get subtle() {
        this.#brand;
        return require("snapcell:subtle").subtle;
    }

    randomUUID() {
        this.#brand;
        return native.randomUuid();
    }
}
expose(Crypto);

exports.Crypto = Crypto;
exports.crypto = new Crypto(illegalConstructor);
