"use strict";
// Signatures, encryption and agreement with pairs of keys, of node:crypto.
const { Buffer } = require("./buffer.cjs");
const { bytesOf, encoded, hashNamed, invalidDigest, plainName } = require("./crypto_data.cjs");
const { derOfPair, pairOfDer } = require("./crypto_der.cjs");
const { fieldSizes, handleOf, privateKeyOf, publicKeyOf } = require("./crypto_keys.cjs");
const { checkString, failure, invalidType, invalidValue } = require("./errors.cjs");
const support = require("./support.mjs").default;

const constants = {
    RSA_PKCS1_PADDING: 1,
    RSA_NO_PADDING: 3,
    RSA_PKCS1_OAEP_PADDING: 4,
    RSA_PKCS1_PSS_PADDING: 6,
    RSA_PSS_SALTLEN_DIGEST: -1,
    RSA_PSS_SALTLEN_MAX_SIGN: -2,
    RSA_PSS_SALTLEN_AUTO: -2,
};
const hashSizes = [20, 32, 48, 64];

// The number that the engine has for a hash: SHA-1, SHA-256, SHA-384 and SHA-512 alone.
function hashNumber(name, key) {
    if (key.kind === "ed25519") {
        if (name !== null && name !== undefined)
            throw failure(
                Error,
                "ERR_OSSL_EVP_INVALID_DIGEST",
                "error:1C800064:Provider routines::invalid digest"
            );
        return 0;
    }
    const plain = plainName(name ?? "sha256").replace(/^ecdsa-with-/, "");
    const number = support.digestNumber(plain);
    if (number >= 0) return number;
    hashNamed(plain, invalidDigest(name));
    throw failure(
        Error,
        "ERR_METHOD_NOT_IMPLEMENTED",
        `signatures with ${name} are not in presets/node-compat`
    );
}

// Salt lengths of RSA-PSS to try; [undefined] for PKCS #1 v1.5.
function saltsOf(options, key, hash, verifies) {
    const { padding, saltLength } = options;
    if (padding === undefined || padding === constants.RSA_PKCS1_PADDING || key.kind !== "rsa")
        return [undefined];
    if (padding !== constants.RSA_PKCS1_PSS_PADDING) throw invalidValue("options.padding", padding);
    const most = key.parts()[0].length - hashSizes[hash] - 2;
    if (saltLength === constants.RSA_PSS_SALTLEN_DIGEST) return [hashSizes[hash]];
    if (saltLength !== undefined && saltLength !== constants.RSA_PSS_SALTLEN_AUTO)
        return [saltLength];
    return verifies ? [...new Set([hashSizes[hash], most, 0, 20, 32])] : [most];
}

const optionsOf = key =>
    typeof key === "object" && key !== null && !handleOf(key) && !ArrayBuffer.isView(key)
        ? key
        : {};

function signBytes(name, data, given) {
    const key = privateKeyOf(given);
    const options = optionsOf(given);
    const hash = hashNumber(name, key);
    const [salt] = saltsOf(options, key, hash, false);
    const signature = key.sign(hash, salt, data);
    if (!signature)
        throw failure(
            Error,
            "ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE",
            "operation not supported for this keytype"
        );
    return key.kind in fieldSizes && options.dsaEncoding !== "ieee-p1363"
        ? derOfPair(signature)
        : signature;
}

function verifyBytes(name, data, given, signature) {
    const key = publicKeyOf(given);
    const options = optionsOf(given);
    const hash = hashNumber(name, key);
    const size = fieldSizes[key.kind];
    const bytes =
        size && options.dsaEncoding !== "ieee-p1363" ? pairOfDer(signature, size) : signature;
    if (!bytes) return false;
    return saltsOf(options, key, hash, true).some(salt => key.verify(hash, salt, data, bytes));
}

const later = (callback, compute) => {
    if (callback === undefined) return compute();
    let result, failed;
    try {
        result = compute();
    } catch (error) {
        failed = error;
    }
    setTimeout(() => (failed ? callback(failed) : callback(null, result)), 0);
    return undefined;
};

function sign(name, data, key, callback) {
    if (name !== null && name !== undefined) checkString(name, "algorithm");
    const bytes = bytesOf(data);
    return later(callback, () => encoded(signBytes(name, bytes, key)));
}

function verify(name, data, key, signature, callback) {
    if (name !== null && name !== undefined) checkString(name, "algorithm");
    const bytes = bytesOf(data);
    if (!ArrayBuffer.isView(signature))
        throw invalidType("signature", ["Buffer", "TypedArray", "DataView"], signature);
    return later(callback, () => verifyBytes(name, bytes, key, bytesOf(signature)));
}

// --- In steps ---

class Signer {
    #name;
    #chunks = [];

    constructor(name) {
        checkString(name, "algorithm");
        hashNamed(plainName(name), () =>
            failure(TypeError, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest")
        );
        this.#name = name;
    }

    update(data, encoding) {
        this.#chunks.push(bytesOf(data, "data", encoding).slice());
        return this;
    }

    write(data, encoding) {
        this.update(data, encoding);
        return true;
    }

    end(data, encoding) {
        if (data !== undefined) this.update(data, encoding);
        return this;
    }

    signed(key) {
        return signBytes(this.#name, Buffer.concat(this.#chunks), key);
    }

    verified(key, signature) {
        return verifyBytes(this.#name, Buffer.concat(this.#chunks), key, signature);
    }
}

class Sign extends Signer {
    sign(key, encoding) {
        if (!key) throw failure(Error, "ERR_CRYPTO_SIGN_KEY_REQUIRED", "No key provided to sign");
        return encoded(this.signed(key), encoding);
    }
}

class Verify extends Signer {
    verify(key, signature, encoding) {
        return this.verified(key, bytesOf(signature, "signature", encoding));
    }
}

// --- RSA-OAEP, Diffie-Hellman on curves ---

function crypt(encrypts, key, given, data) {
    const { padding, oaepHash = "sha1", oaepLabel } = optionsOf(given);
    if (padding !== undefined && padding !== constants.RSA_PKCS1_OAEP_PADDING)
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "RSA encryption is by OAEP alone in presets/node-compat"
        );
    const label = oaepLabel === undefined ? undefined : bytesOf(oaepLabel, "key.oaepLabel");
    const result = key.crypt(encrypts, hashNumber(oaepHash, key), label, bytesOf(data, "buffer"));
    if (!result)
        throw failure(
            Error,
            "ERR_OSSL_RSA_OAEP_DECODING_ERROR",
            "error:02000079:rsa routines::oaep decoding error"
        );
    return encoded(result);
}

function diffieHellman({ privateKey, publicKey }) {
    const secret = privateKeyOf(privateKey, "options.privateKey").derive(
        publicKeyOf(publicKey, "options.publicKey")
    );
    if (!secret)
        throw failure(
            Error,
            "ERR_CRYPTO_INCOMPATIBLE_KEY",
            "Incompatible key types for Diffie-Hellman"
        );
    return encoded(secret);
}

module.exports = {
    Sign,
    Verify,
    constants,
    createSign: name => new Sign(name),
    createVerify: name => new Verify(name),
    diffieHellman,
    privateDecrypt: (key, data) => crypt(false, privateKeyOf(key), key, data),
    publicEncrypt: (key, data) => crypt(true, publicKeyOf(key), key, data),
    sign,
    verify,
};
