"use strict";
// KeyObject of node:crypto, on the engine's keys.
const { Buffer } = require("./buffer.cjs");
const der = require("./crypto_der.cjs");
const { bytesOf } = require("./crypto_data.cjs");
const {
    checkInteger,
    checkString,
    failure,
    invalidType,
    invalidValue,
    missing,
} = require("./errors.cjs");
const support = require("./support.mjs").default;

const token = Symbol();
// Its name in the text would put the class into snapshots.
const webKey = ["Crypto", "Key"].join("");
const keyKinds = ["ArrayBuffer", "Buffer", "TypedArray", "DataView", "string", "KeyObject", webKey];

const curves = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
const otherNames = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" };
const fieldSizes = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };

class KeyObject {
    #type;
    #key; // bytes, or a key of the engine

    constructor(type, handle, given) {
        if (given !== token) {
            if (!["secret", "public", "private"].includes(type)) throw invalidValue("type", type);
            throw invalidType("handle", "object", handle);
        }
        this.#type = type;
        this.#key = handle;
    }

    static from(key) {
        if (Object.prototype.toString.call(key) !== `[object ${webKey}]`)
            throw invalidType("key", webKey, key);
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "KeyObject.from() is not in presets/node-compat: export the key"
        );
    }

    static {
        exports.handleOf = value =>
            typeof value === "object" && value !== null && #key in value ? value.#key : undefined;
    }

    get type() {
        return this.#type;
    }

    get symmetricKeySize() {
        return this.#type === "secret" ? this.#key.length : undefined;
    }

    get asymmetricKeyType() {
        if (this.#type === "secret") return undefined;
        return this.#key.kind in curves ? "ec" : this.#key.kind;
    }

    get asymmetricKeyDetails() {
        if (this.#type === "secret") return undefined;
        const { kind } = this.#key;
        if (kind in curves) return { namedCurve: kind };
        if (kind !== "rsa") return {};
        const [n, e] = this.#key.parts();
        const publicExponent = BigInt(`0x${Buffer.from(e).toString("hex")}`);
        return { modulusLength: n.length * 8 - Math.clz32(n[0]) + 24, publicExponent };
    }

    export(options) {
        if (this.#type === "secret") return exportSecret(this.#key, options);
        return exportPair(this.#key, options);
    }

    equals(other) {
        if (!(other instanceof KeyObject)) throw invalidType("otherKeyObject", "KeyObject", other);
        if (other.type !== this.#type || other.asymmetricKeyType !== this.asymmetricKeyType)
            return false;
        const bytes = key => (key instanceof Uint8Array ? key : key.toDer());
        const [left, right] = [bytes(this.#key), bytes(exports.handleOf(other))];
        return left.length === right.length && support.equal(left, right);
    }

    // A key of the web, of the algorithms that there are there.
    toCryptoKey() {
        return missing("crypto", "KeyObject.toCryptoKey")();
    }
}
Object.defineProperty(KeyObject.prototype, Symbol.toStringTag, {
    value: "KeyObject",
    configurable: true,
});

const newKey = (type, handle) => new KeyObject(type, handle, token);
const ofPair = key => newKey(key.isPrivate ? "private" : "public", key);

const base64url = part => Buffer.from(part).toString("base64url");

// --- Writing ---

function exportSecret(bytes, options) {
    const format = options?.format ?? "buffer";
    if (format === "jwk") return { kty: "oct", k: base64url(bytes) };
    if (format !== "buffer") throw invalidValue("options.format", format);
    return Buffer.from(bytes);
}

const rsaNames = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

function toJwk(key) {
    const parts = key.parts();
    if (key.kind === "rsa")
        return {
            kty: "RSA",
            ...Object.fromEntries(parts.map((part, i) => [rsaNames[i], base64url(part)])),
        };
    const [point, number] = parts;
    const d = number && { d: base64url(number) };
    const size = fieldSizes[key.kind];
    if (!size)
        return {
            crv: key.kind === "ed25519" ? "Ed25519" : "X25519",
            ...d,
            x: base64url(point),
            kty: "OKP",
        };
    const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
    return { kty: "EC", x: base64url(x), y: base64url(y), crv: curves[key.kind], ...d };
}

const labels = { spki: "PUBLIC KEY", pkcs8: "PRIVATE KEY", sec1: "EC PRIVATE KEY" };

function exportPair(key, options) {
    if (typeof options !== "object" || options === null)
        throw invalidType("options", "Object", options);
    const { format, type, cipher } = options;
    if (format === "jwk") return toJwk(key);
    if (cipher !== undefined) missing("crypto", "KeyObject.export with a cipher")();
    const allowed = key.isPrivate ? ["pkcs1", "pkcs8", "sec1"] : ["pkcs1", "spki"];
    if (!allowed.includes(type)) throw invalidValue("options.type", type);
    if (format !== "pem" && format !== "der") throw invalidValue("options.format", format);
    const misfit =
        (type === "pkcs1" && key.kind !== "rsa") || (type === "sec1" && !(key.kind in curves));
    if (misfit)
        throw failure(
            Error,
            "ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS",
            `The selected key encoding ${type} can only be used for ${type === "pkcs1" ? "RSA" : "EC"} keys.`
        );
    const whole = key.toDer();
    let bytes = whole;
    if (type === "pkcs1")
        bytes = key.isPrivate ? der.innerOf(whole, false) : der.innerOfSpki(whole);
    if (type === "sec1") bytes = der.innerOf(whole, true);
    if (format === "der") return Buffer.from(bytes);
    const label =
        type === "pkcs1" ? `RSA ${key.isPrivate ? "PRIVATE" : "PUBLIC"} KEY` : labels[type];
    return der.toPem(label, bytes);
}

// --- Reading ---

const unsupported = () =>
    failure(Error, "ERR_OSSL_UNSUPPORTED", "error:1E08010C:DECODER routines::unsupported");

function read(isPrivate, bytes) {
    const key = bytes && support.readKey(isPrivate, bytes);
    if (!key) throw unsupported();
    return key;
}

function fromPem(text) {
    const [label, bytes] = der.fromPem(text);
    switch (label) {
        case "PRIVATE KEY":
            return read(true, bytes);
        case "PUBLIC KEY":
            return read(false, bytes);
        case "RSA PRIVATE KEY":
            return read(true, der.pkcs8OfRsa(bytes));
        case "RSA PUBLIC KEY":
            return read(false, der.spkiOfRsa(bytes));
        case "EC PRIVATE KEY":
            return read(true, der.pkcs8OfEc(bytes));
        case "CERTIFICATE":
            return read(false, der.spkiOfCertificate(bytes));
        default:
            throw unsupported();
    }
}

function fromDer(bytes, type, wantsPrivate) {
    switch (type) {
        case "pkcs8":
            return read(true, bytes);
        case "spki":
            return read(false, bytes);
        case "sec1":
            return read(true, der.pkcs8OfEc(bytes));
        case "pkcs1":
            return wantsPrivate
                ? read(true, der.pkcs8OfRsa(bytes))
                : read(false, der.spkiOfRsa(bytes));
        default:
            throw invalidValue("key.type", type);
    }
}

function fromJwk(jwk) {
    const part = name => {
        if (typeof jwk[name] !== "string") throw invalidType(`key.${name}`, "string", jwk[name]);
        return new Uint8Array(Buffer.from(jwk[name], "base64url"));
    };
    const isPrivate = jwk.d !== undefined;
    let key;
    if (jwk.kty === "RSA")
        key = support.makeKey("rsa", isPrivate, (isPrivate ? rsaNames : ["n", "e"]).map(part));
    else if (jwk.kty === "EC" && otherNames[jwk.crv]) {
        const point = Uint8Array.of(4, ...part("x"), ...part("y"));
        key = support.makeKey(
            otherNames[jwk.crv],
            isPrivate,
            isPrivate ? [point, part("d")] : [point]
        );
    } else if (jwk.kty === "OKP")
        key = support.makeKey(
            jwk.crv.toLowerCase(),
            isPrivate,
            isPrivate ? [part("x"), part("d")] : [part("x")]
        );
    if (!key) throw failure(Error, "ERR_CRYPTO_INVALID_JWK", "Invalid JWK data");
    return key;
}

// What Node takes for a key of a pair: PEM, or {key, format, type, encoding}.
function parse(given, wantsPrivate, name) {
    const handle = exports.handleOf(given);
    if (handle) {
        if (given.type === "secret")
            throw failure(
                TypeError,
                "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE",
                `Invalid key object type secret, expected ${wantsPrivate ? "private" : "public or private"}.`
            );
        return handle;
    }
    const isBytes = value =>
        typeof value === "string" || ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
    if (isBytes(given)) return fromPem(Buffer.from(bytesOf(given)).toString("latin1"));
    if (typeof given !== "object" || given === null)
        throw invalidType(
            name,
            keyKinds.toSpliced(-1, 1, "object").filter(k => k !== webKey),
            given
        );
    const { key, format = "pem", type, encoding } = given;
    if (exports.handleOf(key)) return parse(key, wantsPrivate, name);
    if (format === "jwk") {
        if (typeof key !== "object" || key === null)
            throw invalidType(`${name}.key`, "object", key);
        return fromJwk(key);
    }
    if (!isBytes(key))
        throw invalidType(
            `${name}.key`,
            ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"],
            key
        );
    const bytes = bytesOf(key, "key", encoding);
    if (format === "pem") return fromPem(Buffer.from(bytes).toString("latin1"));
    if (format === "der") return fromDer(bytes, type, wantsPrivate);
    throw invalidValue(`${name}.format`, format);
}

function privateKeyOf(given, name = "key") {
    const key = parse(given, true, name);
    if (!key.isPrivate) {
        if (exports.handleOf(given))
            throw failure(
                TypeError,
                "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE",
                "Invalid key object type public, expected private."
            );
        throw unsupported();
    }
    return key;
}

function publicKeyOf(given, name = "key") {
    const key = parse(given, false, name);
    return key.isPrivate ? key.toPublic() : key;
}

function createSecretKey(key, encoding) {
    const kinds = ["ArrayBuffer", "Buffer", "TypedArray", "DataView"];
    return newKey("secret", bytesOf(key, "key", encoding, kinds).slice());
}

// The bytes of what stands for a secret: of HMAC and ciphers.
function secretOf(key, name = "key", encoding) {
    const handle = exports.handleOf(key);
    if (handle === undefined) return bytesOf(key, name, encoding, keyKinds);
    if (key.type === "secret") return handle;
    throw failure(
        TypeError,
        "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE",
        `Invalid key object type ${key.type}, expected secret.`
    );
}

// --- Making ---

const random = size => globalThis.crypto.getRandomValues(new Uint8Array(size));

function generateKeySync(type, options = {}) {
    checkString(type, "type");
    const { length } = options;
    if (type === "hmac") checkInteger(length, "options.length", 8, 2 ** 31 - 1);
    else if (type !== "aes") throw invalidValue("type", type, "must be a supported key type");
    else if (![128, 192, 256].includes(length))
        throw invalidValue("options.length", length, "must be one of: 128, 192, 256");
    return newKey("secret", random(Math.trunc(length / 8)));
}

function pairOf(type, options) {
    if (type === "rsa") {
        const { modulusLength, publicExponent = 65537 } = options ?? {};
        checkInteger(modulusLength, "options.modulusLength", 0, 2 ** 32 - 1);
        const exponent = Buffer.alloc(4);
        exponent.writeUInt32BE(publicExponent);
        return support.generateKey(
            "rsa",
            modulusLength,
            new Uint8Array(exponent.subarray(exponent.findIndex(Boolean)))
        );
    }
    if (type === "ec") {
        const { namedCurve } = options ?? {};
        checkString(namedCurve, "options.namedCurve");
        const made = support.generateKey(otherNames[namedCurve] ?? namedCurve);
        if (!made) throw failure(TypeError, "ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name");
        return made;
    }
    if (type === "ed25519" || type === "x25519") return support.generateKey(type);
    checkString(type, "type");
    throw invalidValue("type", type, "must be a supported key type");
}

function generateKeyPairSync(type, options = {}) {
    const key = pairOf(type, options);
    if (!key) throw failure(Error, "ERR_CRYPTO_OPERATION_FAILED", "Key generation job failed");
    const told = (made, encoding) => (encoding === undefined ? made : made.export(encoding));
    return {
        publicKey: told(ofPair(key.toPublic()), options.publicKeyEncoding),
        privateKey: told(ofPair(key), options.privateKeyEncoding),
    };
}

Object.assign(exports, {
    KeyObject,
    createPrivateKey: key => ofPair(privateKeyOf(key)),
    createPublicKey: key => ofPair(publicKeyOf(key)),
    createSecretKey,
    fieldSizes,
    generateKeyPairSync,
    generateKeySync,
    privateKeyOf,
    publicKeyOf,
    secretOf,
});
