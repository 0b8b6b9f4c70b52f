"use strict";
// The few forms of keys in DER and PEM that Node reads and writes besides PKCS #8 and SPKI.
const { Buffer } = require("./buffer.cjs");
const { failure } = require("./errors.cjs");

const bytes = (...values) => Uint8Array.from(values);

function sized(tag, ...parts) {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
    return Buffer.concat([bytes(tag, ...length), ...parts]);
}

// One element: {tag, content, whole, end}, or undefined.
function element(der, at) {
    let size = der[at + 1];
    let start = at + 2;
    if (size > 0x84) return undefined;
    if (size >= 0x80) {
        const count = size - 0x80;
        size = 0;
        for (let i = 0; i < count; i++) size = size * 256 + der[start++];
    }
    const end = start + size;
    if (!(end <= der.length)) return undefined;
    return { tag: der[at], content: der.subarray(start, end), whole: der.subarray(at, end), end };
}

function children(content) {
    const found = [];
    for (let at = 0; at < content.length;) {
        const next = element(content, at);
        if (!next) return [];
        found.push(next);
        at = next.end;
    }
    return found;
}

const childrenOf = der => {
    const outer = element(der, 0);
    return outer ? children(outer.content) : [];
};

const zero = bytes(2, 1, 0);
const rsaAlgorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
const ecOid = Buffer.from("06072a8648ce3d0201", "hex");

const pkcs8OfRsa = der => sized(0x30, zero, rsaAlgorithm, sized(0x04, der));
const spkiOfRsa = der => sized(0x30, rsaAlgorithm, sized(0x03, bytes(0), der));

// SEC 1 names its curve in an element [0].
function pkcs8OfEc(der) {
    const curve = childrenOf(der).find(({ tag }) => tag === 0xa0);
    return curve && sized(0x30, zero, sized(0x30, ecOid, curve.content), sized(0x04, der));
}

// What PKCS #8 wraps: PKCS #1 of RSA, SEC 1 of curves, which then names its curve.
function innerOf(pkcs8, isEc) {
    const [, algorithm, key] = childrenOf(pkcs8);
    if (!isEc) return Buffer.from(key.content);
    const [version, number, ...rest] = childrenOf(key.content);
    const curve = sized(0xa0, children(algorithm.content)[1].whole);
    return sized(
        0x30,
        version.whole,
        number.whole,
        curve,
        ...rest.filter(({ tag }) => tag === 0xa1).map(({ whole }) => whole)
    );
}

const innerOfSpki = spki => Buffer.from(childrenOf(spki)[1].content.subarray(1));

// The public key of a certificate: the last of the first six elements of its inside.
function spkiOfCertificate(der) {
    const [inside] = childrenOf(der);
    if (!inside) return undefined;
    const parts = children(inside.content);
    return parts[parts[0]?.tag === 0xa0 ? 6 : 5]?.whole;
}

// --- PEM ---

const lines = text => text.match(/.{1,64}/g).join("\n");
const toPem = (label, der) =>
    `-----BEGIN ${label}-----\n${lines(Buffer.from(der).toString("base64"))}\n-----END ${label}-----\n`;

// [label, DER]
function fromPem(text) {
    const found = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/.exec(text);
    if (!found)
        throw failure(
            Error,
            "ERR_OSSL_UNSUPPORTED",
            "error:1E08010C:DECODER routines::unsupported"
        );
    if (/ENCRYPTED/.test(found[0]))
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "encrypted keys are not in presets/node-compat"
        );
    return [found[1], Buffer.from(found[2].replace(/[^A-Za-z0-9+/=]/g, ""), "base64")];
}

// --- ECDSA: two numbers of fixed length, or a list of two integers ---

function integer(number) {
    let at = 0;
    while (at < number.length - 1 && number[at] === 0) at++;
    const rest = number.subarray(at);
    return sized(0x02, rest[0] > 0x7f ? Buffer.concat([bytes(0), rest]) : rest);
}

const derOfPair = pair =>
    sized(
        0x30,
        integer(pair.subarray(0, pair.length / 2)),
        integer(pair.subarray(pair.length / 2))
    );

// undefined for what is not a signature of such a size.
function pairOfDer(der, size) {
    const parts = childrenOf(der);
    if (parts.length !== 2) return undefined;
    const pair = new Uint8Array(size * 2);
    for (const [i, { tag, content }] of parts.entries()) {
        const rest = content.subarray(content.findIndex(byte => byte !== 0));
        if (tag !== 0x02 || rest.length > size) return undefined;
        pair.set(rest, size * (i + 1) - rest.length);
    }
    return pair;
}

module.exports = {
    derOfPair,
    fromPem,
    innerOf,
    innerOfSpki,
    pairOfDer,
    pkcs8OfEc,
    pkcs8OfRsa,
    spkiOfCertificate,
    spkiOfRsa,
    toPem,
};
