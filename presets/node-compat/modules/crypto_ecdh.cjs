"use strict";
// createECDH of node:crypto, on the engine's keys of curves.
const { bytesOf, encoded } = require("./crypto_data.cjs");
const { checkString, failure, missing } = require("./errors.cjs");
const support = require("./support.mjs").default;

const curves = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };
const known = Object.values(curves);
const sizes = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

function curveOf(name) {
    checkString(name, "curve");
    const curve = curves[name] ?? name;
    if (!known.includes(curve))
        throw failure(TypeError, "ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name");
    return curve;
}

// A point has both coordinates, or one and the other's parity.
function formatted(point, format = "uncompressed") {
    if (format === "uncompressed") return point;
    if (format !== "compressed")
        throw failure(
            TypeError,
            "ERR_CRYPTO_ECDH_INVALID_FORMAT",
            `Invalid ECDH format: ${format}`
        );
    const half = (point.length - 1) / 2;
    return Uint8Array.from([2 + (point.at(-1) & 1), ...point.subarray(1, half + 1)]);
}

const padded = (bytes, size) => {
    const result = new Uint8Array(size);
    result.set(bytes, size - bytes.length);
    return result;
};

class ECDH {
    #curve;
    #key;

    constructor(name) {
        this.#curve = curveOf(name);
    }

    generateKeys(encoding, format) {
        this.#key = support.generateKey(this.#curve);
        return this.getPublicKey(encoding, format);
    }

    #parts(what) {
        if (this.#key) return this.#key.parts();
        throw failure(
            Error,
            "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED",
            `Failed to get ECDH ${what} key`
        );
    }

    getPublicKey(encoding, format) {
        return encoded(formatted(this.#parts("public")[0], format), encoding);
    }

    getPrivateKey(encoding) {
        return encoded(padded(this.#parts("private")[1], sizes[this.#curve]), encoding);
    }

    computeSecret(other, inputEncoding, outputEncoding) {
        const point = bytesOf(other, "otherPublicKey", inputEncoding ?? undefined);
        const key = support.makeKey(this.#curve, false, [point]);
        const secret = key && this.#key?.derive(key);
        if (secret) return encoded(secret, outputEncoding);
        throw failure(
            Error,
            "ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY",
            "Public key is not valid for specified curve"
        );
    }
}
for (const name of ["setPrivateKey", "setPublicKey"])
    Object.defineProperty(ECDH.prototype, name, {
        value: missing("crypto.ECDH", name),
        writable: true,
        configurable: true,
    });
ECDH.convertKey = missing("crypto.ECDH", "convertKey");

module.exports = { ECDH, createECDH: curve => new ECDH(curve) };
