"use strict";
// SubtleCrypto: what the Web Cryptography API asks of every call, and which module does it. All runs
// at once; the promises are there already settled.
const { expose, illegalConstructor, need } = require("snapcell:idl");
const {
    checkFresh,
    hashes,
    isObject,
    readBytes,
    readJwk,
    readUsages,
    refuse,
    stateOf,
} = require("snapcell:subtle_key");

// --- Algorithms ---
// Of each name: the module, and for each operation the members of its parameters, in the order in
// which Web IDL reads them, with "?" after those that may be missing.

const secret = () => require("snapcell:subtle_secret");
const pair = () => require("snapcell:subtle_pair");

const both = (operations, members) =>
    Object.fromEntries(operations.split(" ").map(operation => [operation, members]));

const crypts = "encrypt decrypt";
const signs = "sign verify";
const length = both("generateKey keyLength", { length: "short" });
const aes = { family: secret, ...length, ...both("importKey exportKey", {}) };
const rsa = {
    family: pair,
    generateKey: { modulusLength: "long", publicExponent: "integer", hash: "hash" },
    importKey: { hash: "hash" },
    exportKey: {},
};
const curve = {
    family: pair,
    ...both("generateKey importKey", { namedCurve: "string" }),
    exportKey: {},
};
const fixedCurve = { family: pair, ...both("generateKey importKey exportKey", {}) };
const derives = { family: secret, importKey: {}, keyLength: {} };

const algorithms = {
    "AES-CBC": { ...aes, ...both(crypts, { iv: "bytes" }) },
    "AES-CTR": { ...aes, ...both(crypts, { counter: "bytes", length: "octet" }) },
    "AES-GCM": {
        ...aes,
        ...both(crypts, { additionalData: "bytes?", iv: "bytes", tagLength: "octet?" }),
    },
    "AES-KW": { ...aes, ...both("wrapKey unwrapKey", {}) },
    HMAC: {
        family: secret,
        ...both(signs, {}),
        ...both("generateKey importKey keyLength", { hash: "hash", length: "long?" }),
        exportKey: {},
    },
    HKDF: { ...derives, deriveBits: { hash: "hash", info: "bytes", salt: "bytes" } },
    PBKDF2: { ...derives, deriveBits: { hash: "hash", iterations: "long", salt: "bytes" } },
    "RSASSA-PKCS1-v1_5": { ...rsa, ...both(signs, {}) },
    "RSA-PSS": { ...rsa, ...both(signs, { saltLength: "long" }) },
    "RSA-OAEP": { ...rsa, ...both(crypts, { label: "bytes?" }) },
    ECDSA: { ...curve, ...both(signs, { hash: "hash" }) },
    ECDH: { ...curve, deriveBits: { public: "key" } },
    Ed25519: { ...fixedCurve, ...both(signs, {}) },
    X25519: { ...fixedCurve, deriveBits: { public: "key" } },
    Ed448: { ...fixedCurve, ...both(signs, { context: "bytes?" }) },
    X448: { ...fixedCurve, deriveBits: { public: "key" } },
};
for (const hash of hashes) algorithms[hash] = { digest: {} };

const names = new Map(Object.keys(algorithms).map(name => [name.toUpperCase(), name]));

// --- Parameters, as Web IDL converts them ---

// An AlgorithmIdentifier: all arguments are converted before an algorithm's members are read.
const identifier = value => (isObject(value) ? value : `${value}`);

const integer = max => (value, what) => {
    const number = Math.trunc(Number(value));
    if (!Number.isFinite(number) || number < 0 || number > max) {
        throw new TypeError(`${what} must be a number from 0 to ${max}`);
    }
    return number + 0; // no negative zero
};

const readers = {
    __proto__: null,
    octet: integer(0xff),
    short: integer(0xffff),
    long: integer(0xffffffff),
    bytes: readBytes,
    string: value => `${value}`,
    hash: identifier,
    integer(value, what) {
        if (!(value instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array`);
        return readBytes(value, what);
    },
    key(value, what) {
        stateOf(value, what);
        return value;
    },
};

// What a member needs once all of them were converted, since that may run the function's code: a
// hash is an algorithm of its own, bytes are copied.
const settlers = {
    __proto__: null,
    hash: value => hashes.indexOf(normalize(value, "digest").name),
    bytes: value => new Uint8Array(value),
    integer: value => new Uint8Array(value),
};

function readMembers(members, from, name) {
    const read = { __proto__: null, name };
    const keys = Object.keys(members);
    for (const key of keys) {
        const value = from[key];
        const type = members[key];
        const what = `"${key}" of ${name}`;
        if (value !== undefined) {
            read[key] = readers[type.replace("?", "")](value, what);
        } else if (!type.endsWith("?")) {
            throw new TypeError(`${what} is missing`);
        }
    }
    for (const key of keys) {
        const settle = settlers[members[key].replace("?", "")];
        if (settle && read[key] !== undefined) read[key] = settle(read[key]);
    }
    return read;
}

function nameOf(from) {
    const { name } = from;
    if (name === undefined) throw new TypeError("an algorithm must have a name");
    return `${name}`;
}

// `algorithm` is an identifier. For an operation that the algorithm does not have, undefined when it
// may be `missing`.
function normalize(algorithm, operation, missing = false) {
    const from = isObject(algorithm) ? algorithm : { __proto__: null, name: algorithm };
    const given = nameOf(from);
    const name = names.get(given.toUpperCase());
    const known = name !== undefined && Object.hasOwn(algorithms[name], operation);
    if (!known) {
        if (missing) return undefined;
        throw refuse("NotSupportedError", `${operation}: the algorithm "${given}" is not known`);
    }
    // As the algorithm's own dictionary, which has the name once more.
    nameOf(from);
    return readMembers(algorithms[name][operation], from, name);
}

const familyOf = name => algorithms[name].family();

// --- Checks of keys and arguments ---

function checkUse(algorithm, state, usage) {
    if (state.name !== algorithm.name) {
        throw refuse(
            "InvalidAccessError",
            `a key for ${state.name} cannot be used for ${algorithm.name}`
        );
    }
    if (!state.usages.includes(usage)) {
        throw refuse("InvalidAccessError", `the key's usages do not have "${usage}"`);
    }
    checkFresh(state);
}

function readFormat(value) {
    const format = `${value}`;
    if (!["raw", "spki", "pkcs8", "jwk"].includes(format)) {
        throw new TypeError(`"${format}" is not a format of keys: raw, spki, pkcs8 or jwk`);
    }
    return format;
}

const isBytes = value => ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

function checkKeyData(format, bytes) {
    if (bytes && format === "jwk") {
        throw new TypeError("a key in the format jwk must be an object");
    }
    if (!bytes && format !== "jwk") {
        throw new TypeError(
            `a key in the format ${format} must be an ArrayBuffer or a view of one`
        );
    }
}

const readLength = value => (value === undefined || value === null ? null : value >>> 0);

function exported(format, state) {
    if (!Object.hasOwn(algorithms[state.name], "exportKey")) {
        throw refuse("NotSupportedError", `keys for ${state.name} cannot be exported`);
    }
    if (!state.extractable) throw refuse("InvalidAccessError", "the key is not extractable");
    checkFresh(state);
    return familyOf(state.name).exportKey(format, state);
}

function imported(format, data, algorithm, extractable, usages) {
    const key = familyOf(algorithm.name).importKey(format, data, algorithm, extractable, usages);
    if (key.type !== "public" && usages.length === 0) {
        throw refuse("SyntaxError", `a ${key.type} key needs a usage`);
    }
    return key;
}

// AES-KW wraps multiples of 8 bytes; blanks at the end do not change a JWK.
function jwkBytes(jwk, padded) {
    const text = JSON.stringify(jwk);
    return native.utf8Encode(padded ? text.padEnd(Math.ceil(text.length / 8) * 8) : text);
}

function jwkFromBytes(bytes) {
    const { TextDecoder } = require("snapcell:encoding");
    try {
        return readJwk(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    } catch {
        throw refuse("DataError", "what was unwrapped is not a JWK");
    }
}

let check;

class SubtleCrypto {
    #brand;

    constructor(token = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
    }

    static {
        check = (value, count, given, name) => {
            if (!(#brand in value)) throw new TypeError("Illegal invocation");
            need(count, given, `crypto.subtle.${name}`);
        };
    }

    async encrypt(algorithm, key, data) {
        check(this, 3, arguments.length, "encrypt");
        return crypt("encrypt", algorithm, key, data);
    }

    async decrypt(algorithm, key, data) {
        check(this, 3, arguments.length, "decrypt");
        return crypt("decrypt", algorithm, key, data);
    }

    async sign(algorithm, key, data) {
        check(this, 3, arguments.length, "sign");
        return crypt("sign", algorithm, key, data);
    }

    async verify(algorithm, key, signature, data) {
        check(this, 4, arguments.length, "verify");
        const wanted = identifier(algorithm);
        const state = stateOf(key, "key");
        const given = readBytes(signature, "signature");
        const bytes = readBytes(data, "data");
        const normal = normalize(wanted, "verify");
        checkUse(normal, state, "verify");
        return familyOf(normal.name).verify(normal, state, given, bytes);
    }

    async digest(algorithm, data) {
        check(this, 2, arguments.length, "digest");
        const wanted = identifier(algorithm);
        const bytes = readBytes(data, "data");
        const { name } = normalize(wanted, "digest");
        const result = native.cryptoDigest(hashes.indexOf(name), bytes);
        if (!result) throw refuse("OperationError", `${name} is not available`);
        return result;
    }

    async generateKey(algorithm, extractable, keyUsages) {
        check(this, 3, arguments.length, "generateKey");
        const wanted = identifier(algorithm);
        const usages = readUsages(keyUsages, "keyUsages");
        const normal = normalize(wanted, "generateKey");
        return familyOf(normal.name).generateKey(normal, Boolean(extractable), usages);
    }

    async deriveBits(algorithm, baseKey, length = null) {
        check(this, 2, arguments.length, "deriveBits");
        const wanted = identifier(algorithm);
        const state = stateOf(baseKey, "baseKey");
        const bits = readLength(length);
        const normal = normalize(wanted, "deriveBits");
        checkUse(normal, state, "deriveBits");
        return familyOf(normal.name).deriveBits(normal, state, bits);
    }

    async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
        check(this, 5, arguments.length, "deriveKey");
        const derivation = identifier(algorithm);
        const state = stateOf(baseKey, "baseKey");
        const derived = identifier(derivedKeyType);
        const usages = readUsages(keyUsages, "keyUsages");
        const normal = normalize(derivation, "deriveBits");
        const wanted = normalize(derived, "importKey");
        const sized = normalize(derived, "keyLength");
        checkUse(normal, state, "deriveKey");
        const bits = familyOf(sized.name).keyLength(sized);
        const bytes = familyOf(normal.name).deriveBits(normal, state, bits);
        return imported("raw", bytes, wanted, Boolean(extractable), usages);
    }

    async importKey(format, keyData, algorithm, extractable, keyUsages) {
        check(this, 5, arguments.length, "importKey");
        const kind = readFormat(format);
        const bytes = isBytes(keyData);
        const data = bytes ? readBytes(keyData, "keyData") : readJwk(keyData);
        const wanted = identifier(algorithm);
        const usages = readUsages(keyUsages, "keyUsages");
        const normal = normalize(wanted, "importKey");
        checkKeyData(kind, bytes);
        return imported(kind, data, normal, Boolean(extractable), usages);
    }

    async exportKey(format, key) {
        check(this, 2, arguments.length, "exportKey");
        return exported(readFormat(format), stateOf(key, "key"));
    }

    async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
        check(this, 4, arguments.length, "wrapKey");
        const kind = readFormat(format);
        const state = stateOf(key, "key");
        const wrapping = stateOf(wrappingKey, "wrappingKey");
        const wanted = identifier(wrapAlgorithm);
        const wraps = normalize(wanted, "wrapKey", true);
        const normal = wraps ?? normalize(wanted, "encrypt");
        checkUse(normal, wrapping, "wrapKey");
        const plain = exported(kind, state);
        const bytes = kind === "jwk" ? jwkBytes(plain, Boolean(wraps)) : new Uint8Array(plain);
        return familyOf(normal.name)[wraps ? "wrapKey" : "encrypt"](normal, wrapping, bytes);
    }

    async unwrapKey(
        format,
        wrappedKey,
        unwrappingKey,
        unwrapAlgorithm,
        unwrappedKeyAlgorithm,
        extractable,
        keyUsages
    ) {
        check(this, 7, arguments.length, "unwrapKey");
        const kind = readFormat(format);
        const wrapped = readBytes(wrappedKey, "wrappedKey");
        const state = stateOf(unwrappingKey, "unwrappingKey");
        const unwrapping = identifier(unwrapAlgorithm);
        const unwrapped = identifier(unwrappedKeyAlgorithm);
        const usages = readUsages(keyUsages, "keyUsages");
        const unwraps = normalize(unwrapping, "unwrapKey", true);
        const normal = unwraps ?? normalize(unwrapping, "decrypt");
        const wanted = normalize(unwrapped, "importKey");
        checkUse(normal, state, "unwrapKey");
        const family = familyOf(normal.name);
        const bytes = family[unwraps ? "unwrapKey" : "decrypt"](normal, state, wrapped);
        const data = kind === "jwk" ? jwkFromBytes(bytes) : bytes;
        return imported(kind, data, wanted, Boolean(extractable), usages);
    }
}
expose(SubtleCrypto);

// encrypt(), decrypt() and sign() differ in their names alone.
function crypt(operation, algorithm, key, data) {
    const wanted = identifier(algorithm);
    const state = stateOf(key, "key");
    const bytes = readBytes(data, "data");
    const normal = normalize(wanted, operation);
    checkUse(normal, state, operation);
    return familyOf(normal.name)[operation](normal, state, bytes);
}

exports.SubtleCrypto = SubtleCrypto;
exports.subtle = new SubtleCrypto(illegalConstructor);
