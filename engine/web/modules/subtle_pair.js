"use strict";
// Keys in pairs: RSA, elliptic curves, Ed25519, X25519, Ed448 and X448.
const {
    checkJwk,
    checkUsages,
    firstBits,
    fromBase64Url,
    hashes,
    jwkOf,
    makeKey,
    readBytes,
    readJwk,
    refuse,
    stateOf,
    toBase64Url,
} = require("snapcell:subtle_key");
const { joinParts, splitParts } = require("snapcell:key_parts");

// Kinds of keys, in the order of their numbers in C++, with the length of a coordinate.
const kinds = ["RSA", "P-256", "P-384", "P-521", "Ed25519", "X25519", "Ed448", "X448"];
const fieldSizes = [0, 32, 48, 66, 32, 32, 57, 56];
const rsaMembers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
const noSalt = 0xffffffff; // PKCS #1 v1.5

const signing = { public: ["verify"], private: ["sign"], use: "sig" };
const agreement = { public: [], private: ["deriveKey", "deriveBits"], use: "enc" };
const roles = {
    "RSASSA-PKCS1-v1_5": signing,
    "RSA-PSS": signing,
    "RSA-OAEP": {
        public: ["encrypt", "wrapKey"],
        private: ["decrypt", "unwrapKey"],
        use: "enc",
    },
    ECDSA: signing,
    ECDH: agreement,
    Ed25519: signing,
    X25519: agreement,
    Ed448: signing,
    X448: agreement,
};

const isRsa = name => name.startsWith("RSA");

function kindOf({ name, namedCurve }) {
    if (isRsa(name)) return 0;
    if (namedCurve === undefined) return kinds.indexOf(name);
    const kind = kinds.indexOf(namedCurve, 1);
    if (kind < 1 || kind > 3) {
        throw refuse(
            "NotSupportedError",
            `the curve "${namedCurve}"; P-256, P-384 and P-521 are known`
        );
    }
    return kind;
}

// --- The bytes of a key: parts, each a length of two bytes and as many bytes ---

function stateFor(algorithm, kind, type, extractable, usages, bytes) {
    const state = {
        __proto__: null,
        type,
        extractable,
        usages,
        name: algorithm.name,
        hash: kind === 0 ? algorithm.hash : undefined,
        curve: algorithm.namedCurve,
        kind,
        bytes,
        building: false,
    };
    if (kind === 0) {
        const [n, e] = splitParts(bytes);
        state.modulusLength = n.length * 8 - Math.clz32(n[0]) + 24;
        state.exponent = e;
    }
    return state;
}

// --- Making keys ---

// What RSA keys can be made of. OpenSSL would say so, too, but only while it makes one, and usages
// that are missing are reported later than this and sooner than that.
function checkRsa({ modulusLength, publicExponent }) {
    if (modulusLength < 512 || modulusLength > 16384) {
        throw refuse("OperationError", `RSA keys have 512 to 16384 bits, not ${modulusLength}`);
    }
    const last = publicExponent.length - 1;
    const first = publicExponent.findIndex(byte => byte !== 0);
    const isOne = first === last && publicExponent[last] === 1;
    if (first < 0 || publicExponent[last] % 2 === 0 || isOne || last - first >= 8) {
        throw refuse(
            "OperationError",
            "the public exponent must be odd, above 1, of 64 bits at most"
        );
    }
}

exports.generateKey = (algorithm, extractable, usages) => {
    const { name } = algorithm;
    const role = roles[name];
    checkUsages(usages, [...role.public, ...role.private], `a pair of keys for ${name}`);
    const kind = kindOf(algorithm);
    if (kind === 0) checkRsa(algorithm);
    const own = usages.filter(usage => role.private.includes(usage));
    if (own.length === 0) {
        throw refuse("SyntaxError", `the private key needs a usage: ${role.private.join(", ")}`);
    }
    const { modulusLength = 0, publicExponent } = algorithm;
    const made = native.pairGenerate(kind, modulusLength, publicExponent);
    if (!made)
        throw refuse(
            "OperationError",
            `a key pair for ${name} cannot be made with these parameters`
        );
    const bytes = new Uint8Array(made);
    const publicBytes = joinParts(splitParts(bytes).slice(0, kind === 0 ? 2 : 1));
    const others = usages.filter(usage => role.public.includes(usage));
    const states = [
        stateFor(algorithm, kind, "public", true, others, publicBytes),
        stateFor(algorithm, kind, "private", extractable, own, bytes),
    ];
    for (const state of states) {
        state.building = native.building();
        if (kind === 0) state.exponent = publicExponent;
    }
    return { publicKey: makeKey(states[0]), privateKey: makeKey(states[1]) };
};

// What a JWK may say in "alg".
function jwkNames({ name, hash, namedCurve }) {
    const bits = hash === undefined ? "" : hashes[hash].slice(4);
    switch (name) {
        case "RSASSA-PKCS1-v1_5":
            return [`RS${bits}`];
        case "RSA-PSS":
            return [`PS${bits}`];
        case "RSA-OAEP":
            return [hash === 0 ? "RSA-OAEP" : `RSA-OAEP-${bits}`];
        case "ECDSA":
            return [{ "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" }[namedCurve]];
        case "Ed25519":
        case "Ed448":
            return [name, "EdDSA"];
        default:
            return undefined;
    }
}

function member(jwk, name) {
    if (jwk[name] === undefined) throw refuse("DataError", `the JWK must have "${name}"`);
    return fromBase64Url(jwk[name], name);
}

function rsaParts(jwk) {
    if (jwk.oth !== undefined) {
        throw refuse("NotSupportedError", "RSA keys with more than two primes");
    }
    const names = jwk.d === undefined ? rsaMembers.slice(0, 2) : rsaMembers;
    return names.map(name => member(jwk, name));
}

function curveParts(jwk, kind) {
    const size = fieldSizes[kind];
    const [x, y, d] = ["x", "y", "d"].map(name =>
        name === "d" && jwk.d === undefined ? undefined : member(jwk, name)
    );
    if (x.length !== size || y.length !== size || (d && d.length !== size)) {
        throw refuse("DataError", `"x", "y" and "d" of ${kinds[kind]} have ${size} bytes`);
    }
    const point = Uint8Array.from([4, ...x, ...y]);
    return d ? [point, d] : [point];
}

function okpParts(jwk) {
    const x = member(jwk, "x");
    return jwk.d === undefined ? [x] : [x, member(jwk, "d")];
}

const jwkTypes = kind => (kind === 0 ? "RSA" : kind < 4 ? "EC" : "OKP");

function fromJwk(jwk, algorithm, kind, extractable, usages) {
    const kty = jwkTypes(kind);
    const { use } = roles[algorithm.name];
    checkJwk(jwk, { kty, use, alg: jwkNames(algorithm) }, extractable, usages);
    if (kind > 0 && jwk.crv !== kinds[kind]) {
        throw refuse("DataError", `the JWK must have "crv": "${kinds[kind]}"`);
    }
    const parts = kind === 0 ? rsaParts(jwk) : kind < 4 ? curveParts(jwk, kind) : okpParts(jwk);
    if (parts.some(part => part.length > 0xffff)) throw refuse("DataError", "the JWK is too large");
    return native.pairCheck(kind, jwk.d !== undefined, joinParts(parts));
}

function fromBytes(format, bytes, kind) {
    if (format !== "raw") return native.pairRead(kind, format === "pkcs8", bytes);
    if (bytes.length > 0xffff) return undefined;
    return native.pairCheck(kind, false, joinParts([bytes]));
}

exports.importKey = (format, data, algorithm, extractable, usages) => {
    const { name } = algorithm;
    const kind = kindOf(algorithm);
    if (format === "raw" && kind === 0) {
        throw refuse("NotSupportedError", `keys for ${name} cannot have the format raw`);
    }
    const jwk = format === "jwk" ? readJwk(data) : undefined;
    const isPrivate = format === "pkcs8" || jwk?.d !== undefined;
    const type = isPrivate ? "private" : "public";
    checkUsages(usages, roles[name][type], `a ${type} key for ${name}`);
    const bytes = jwk
        ? fromJwk(jwk, algorithm, kind, extractable, usages)
        : fromBytes(format, readBytes(data, `a key in the format ${format}`), kind);
    if (!bytes) throw refuse("DataError", `not a ${type} key for ${name} in the format ${format}`);
    return makeKey(stateFor(algorithm, kind, type, extractable, usages, new Uint8Array(bytes)));
};

function toJwk(state) {
    const { kind, name } = state;
    const parts = splitParts(state.bytes);
    const members = {};
    if (kind === 0) {
        parts.forEach((part, index) => (members[rsaMembers[index]] = toBase64Url(part)));
    } else {
        const size = fieldSizes[kind];
        members.crv = kinds[kind];
        members.x = toBase64Url(kind < 4 ? parts[0].subarray(1, 1 + size) : parts[0]);
        if (kind < 4) members.y = toBase64Url(parts[0].subarray(1 + size));
        if (parts[1]) members.d = toBase64Url(parts[1]);
    }
    if (kind === 0 || name.startsWith("Ed")) [members.alg] = jwkNames({ name, hash: state.hash });
    return jwkOf(jwkTypes(kind), state, members);
}

exports.exportKey = (format, state) => {
    const { bytes, kind, name, type } = state;
    if (format === "jwk") return toJwk(state);
    if (format === "raw" && kind === 0) {
        throw refuse("NotSupportedError", `keys for ${name} have no format raw`);
    }
    if (type !== (format === "pkcs8" ? "private" : "public")) {
        throw refuse("InvalidAccessError", `a ${type} key has no format ${format}`);
    }
    if (format === "raw") return splitParts(bytes)[0].slice().buffer;
    const result = native.pairWrite(kind, type === "private", bytes);
    if (!result) throw refuse("OperationError", `the key could not be written as ${format}`);
    return result;
};

// --- Using keys ---

function checkType(state, type) {
    if (state.type !== type) {
        throw refuse("InvalidAccessError", `a ${type} key is needed, not a ${state.type} one`);
    }
}

// [hash, salt length], as the natives take them; undefined for a length that cannot be.
function scheme(algorithm, state) {
    if (state.name === "RSA-PSS") {
        const { saltLength } = algorithm;
        return saltLength > 0x7fffffff ? undefined : [state.hash, saltLength];
    }
    return [state.hash ?? algorithm.hash ?? 0, noSalt];
}

// Ed448's context: OpenSSL 3.0 knows the empty one alone.
function checkContext({ context }) {
    if (context === undefined || context.length === 0) return;
    if (context.length > 255) throw refuse("OperationError", "a context has at most 255 bytes");
    throw refuse("NotSupportedError", "Ed448 with a context is not supported");
}

exports.sign = (algorithm, state, data) => {
    checkType(state, "private");
    checkContext(algorithm);
    const how = scheme(algorithm, state);
    const result = how && native.pairSign(state.kind, ...how, state.bytes, data);
    if (!result) throw refuse("OperationError", `${state.name} could not sign`);
    return result;
};

exports.verify = (algorithm, state, signature, data) => {
    checkType(state, "public");
    checkContext(algorithm);
    const how = scheme(algorithm, state);
    if (!how) return false;
    return native.pairVerify(state.kind, ...how, state.bytes, data, signature);
};

function crypt(encrypt, { label }, { hash, bytes }, data) {
    const result = native.pairCrypt(encrypt, hash, bytes, label, data);
    if (!result) {
        throw refuse("OperationError", `RSA-OAEP could not ${encrypt ? "encrypt" : "decrypt"}`);
    }
    return result;
}

exports.encrypt = (algorithm, state, data) => {
    checkType(state, "public");
    native.refuseRandom("crypto.subtle.encrypt() with RSA-OAEP");
    return crypt(true, algorithm, state, data);
};

exports.decrypt = (algorithm, state, data) => {
    checkType(state, "private");
    return crypt(false, algorithm, state, data);
};

exports.deriveBits = (algorithm, state, length) => {
    checkType(state, "private");
    const peer = stateOf(algorithm.public, "public");
    checkType(peer, "public");
    if (peer.name !== state.name || peer.kind !== state.kind) {
        throw refuse("InvalidAccessError", "both keys must be for the same algorithm and curve");
    }
    const result = native.pairDerive(state.kind, state.bytes, peer.bytes);
    if (!result) throw refuse("OperationError", `${state.name} could not agree on a secret`);
    return firstBits(result, length);
};
