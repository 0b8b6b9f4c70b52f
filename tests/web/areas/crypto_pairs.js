// crypto.subtle: keys in pairs. crypto/keys.json holds keys, signatures and secrets that Node's
// crypto and the program openssl made; the other values are from the standards that are named.
import { area, equal, ok, rejects, same, test } from "../harness.js";
import keys from "../crypto/keys.json";

const { subtle } = crypto;

const fromHex = text => Uint8Array.from(text.match(/../g) ?? [], byte => parseInt(byte, 16));
const fromBase64 = text => Uint8Array.from(atob(text), char => char.charCodeAt(0));
const hex = bytes =>
    Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, "0")).join("");
const base64 = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const base64Url = bytes => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const text = string => new TextEncoder().encode(string);
const message = text("signed by another program");

const curves = ["P-256", "P-384", "P-521"];
const rs256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const pss = { name: "RSA-PSS", hash: "SHA-256" };
const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
const load = (format, data, algorithm, usages, extractable = true) =>
    subtle.importKey(
        format,
        typeof data === "string" ? fromBase64(data) : data,
        algorithm,
        extractable,
        usages
    );

// These live in the snapshot.
const kept = {
    rsaPrivate: await load("pkcs8", keys.pkcs8, rs256, ["sign"]),
    rsaPublic: await load("spki", keys.spki, rs256, ["verify"]),
    ecPrivate: await load("jwk", keys["P-256"].jwk, { name: "ECDSA", namedCurve: "P-256" }, [
        "sign",
    ]),
    ecPublic: await load("spki", keys["P-256"].spki, { name: "ECDSA", namedCurve: "P-256" }, [
        "verify",
    ]),
};
const keptSignature = await subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    kept.ecPrivate,
    message
);

test("keys kept from top level", async () => {
    equal(base64(await subtle.sign(rs256.name, kept.rsaPrivate, message)), keys.rs256);
    ok(await subtle.verify(rs256.name, kept.rsaPublic, fromBase64(keys.rs256), message));
    const ecdsa = { name: "ECDSA", hash: "SHA-256" };
    ok(await subtle.verify(ecdsa, kept.ecPublic, keptSignature, message));
    const fresh = await subtle.sign(ecdsa, kept.ecPrivate, message);
    ok(await subtle.verify(ecdsa, kept.ecPublic, fresh, message));
    same(kept.ecPublic.algorithm, { name: "ECDSA", namedCurve: "P-256" });
    equal(kept.rsaPublic.algorithm.modulusLength, 1024);
    equal(kept.rsaPublic.algorithm.hash.name, "SHA-256");
    same([...kept.rsaPublic.algorithm.publicExponent], [1, 0, 1]);
});

test("RSA in every format", async () => {
    const key = await load("pkcs8", keys.pkcs8, rs256, ["sign"]);
    equal(key.type, "private");
    equal(base64(await subtle.exportKey("pkcs8", key)), keys.pkcs8);
    const jwk = await subtle.exportKey("jwk", key);
    for (const [name, value] of Object.entries(keys.jwk)) equal(jwk[name], value, name);
    equal(jwk.alg, "RS256");
    const again = await load("jwk", jwk, rs256, ["sign"]);
    equal(base64(await subtle.exportKey("pkcs8", again)), keys.pkcs8);
    const open = await load("spki", keys.spki, rs256, []);
    equal(base64(await subtle.exportKey("spki", open)), keys.spki);
    const { kty, n, e } = keys.jwk;
    const openAgain = await load("jwk", { kty, n, e }, rs256, ["verify"]);
    equal(base64(await subtle.exportKey("spki", openAgain)), keys.spki);
    await rejects("InvalidAccessError", subtle.exportKey("spki", key));
    await rejects("InvalidAccessError", subtle.exportKey("pkcs8", open));
    await rejects("NotSupportedError", load("raw", keys.spki, rs256, ["verify"]));
});

test("RSA keys that are none", async () => {
    const der = fromBase64(keys.pkcs8);
    await rejects("DataError", load("pkcs8", keys.spki, rs256, ["sign"]));
    await rejects("DataError", load("spki", keys.pkcs8, rs256, ["verify"]));
    await rejects("DataError", load("pkcs8", der.subarray(0, der.length - 1), rs256, ["sign"]));
    await rejects("DataError", load("spki", new Uint8Array(), rs256, ["verify"]));
    await rejects("DataError", load("spki", keys["P-256"].spki, rs256, ["verify"]));
    await rejects("DataError", load("jwk", { ...keys.jwk, p: undefined }, rs256, ["sign"]));
    await rejects("DataError", load("jwk", { ...keys.jwk, n: "A+B" }, rs256, ["sign"]));
    await rejects("DataError", load("jwk", { ...keys.jwk, alg: "PS256" }, rs256, ["sign"]));
    await rejects("DataError", load("jwk", { ...keys.jwk, use: "enc" }, rs256, ["sign"]));
    await rejects("SyntaxError", load("pkcs8", keys.pkcs8, rs256, ["verify"]));
    await rejects("SyntaxError", load("pkcs8", keys.pkcs8, rs256, []));
    await rejects("SyntaxError", load("spki", keys.spki, rs256, ["sign"]));
    await rejects(TypeError, load("spki", keys.spki, "RSA-PSS", ["verify"]));
});

test("DER that is cut or changed never gets through as another key", async () => {
    for (const [format, data, algorithm, usage] of [
        ["spki", keys["P-256"].spki, { name: "ECDSA", namedCurve: "P-256" }, "verify"],
        ["pkcs8", keys["P-256"].pkcs8, { name: "ECDSA", namedCurve: "P-256" }, "sign"],
    ]) {
        const der = fromBase64(data);
        for (let i = 0; i < der.length; i++) {
            await rejects("DataError", load(format, der.slice(0, i), algorithm, [usage]));
            const wrong = der.slice();
            wrong[i] ^= 0xff;
            await rejects("DataError", load(format, wrong, algorithm, [usage]), `byte ${i}`);
        }
    }
});

test("signatures of RSA", async () => {
    const signature = fromBase64(keys.rs384);
    const rs384 = { ...rs256, hash: "SHA-384" };
    const key = await load("pkcs8", keys.pkcs8, rs384, ["sign"]);
    equal(base64(await subtle.sign(rs384, key, message)), keys.rs384);
    const open = await load("spki", keys.spki, rs384, ["verify"]);
    ok(await subtle.verify(rs384, open, signature, message));
    equal(await subtle.verify(rs384, open, signature, text("other")), false);
    equal(await subtle.verify(rs384, open, signature.subarray(1), message), false);
    equal(await subtle.verify(rs384, open, new Uint8Array(), message), false);
    equal(await subtle.verify(rs256.name, kept.rsaPublic, signature, message), false);
    await rejects("InvalidAccessError", subtle.sign(rs384, open, message));
    await rejects("InvalidAccessError", subtle.verify(rs384, key, signature, message));
    await rejects("InvalidAccessError", subtle.sign({ ...pss, saltLength: 0 }, key, message));
});

test("RSA-PSS", async () => {
    const key = await load("pkcs8", keys.pkcs8, pss, ["sign"]);
    const open = await load("spki", keys.spki, pss, ["verify"]);
    const how = saltLength => ({ name: "RSA-PSS", saltLength });
    ok(await subtle.verify(how(20), open, fromBase64(keys.pss), message));
    equal(await subtle.verify(how(32), open, fromBase64(keys.pss), message), false);
    for (const saltLength of [0, 20, 32, 94]) {
        const signature = await subtle.sign(how(saltLength), key, message);
        ok(await subtle.verify(how(saltLength), open, signature, message), `salt ${saltLength}`);
    }
    await rejects("OperationError", subtle.sign(how(95), key, message));
    await rejects(TypeError, subtle.sign("RSA-PSS", key, message));
    const one = await subtle.sign(how(0), key, message);
    equal(hex(await subtle.sign(how(0), key, message)), hex(one));
});

test("a PSS key never signs otherwise", async () => {
    const key = await load("pkcs8", keys.pkcs8, pss, ["sign"]);
    for (const saltLength of [0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]) {
        await rejects("OperationError", subtle.sign({ name: "RSA-PSS", saltLength }, key, message));
    }
});

test("RSA-OAEP", async () => {
    const key = await load("pkcs8", keys.pkcs8, oaep, ["decrypt", "unwrapKey"]);
    const open = await load("spki", keys.spki, oaep, ["encrypt", "wrapKey"]);
    const labelled = { name: "RSA-OAEP", label: text("label") };
    equal(hex(await subtle.decrypt(labelled, key, fromBase64(keys.oaep))), hex(message));
    await rejects("OperationError", subtle.decrypt("RSA-OAEP", key, fromBase64(keys.oaep)));
    const wrong = fromBase64(keys.oaep);
    wrong[64] ^= 1;
    await rejects("OperationError", subtle.decrypt(labelled, key, wrong));
    await rejects("OperationError", subtle.decrypt(labelled, key, wrong.subarray(1)));
    for (const size of [0, 1, 62]) {
        const plain = new Uint8Array(size).fill(size);
        const sealed = await subtle.encrypt("RSA-OAEP", open, plain);
        equal(sealed.byteLength, 128);
        equal(hex(await subtle.decrypt("RSA-OAEP", key, sealed)), hex(plain));
    }
    await rejects("OperationError", subtle.encrypt("RSA-OAEP", open, new Uint8Array(63)));
    const aes = await load("raw", new Uint8Array(16).fill(5), "AES-GCM", ["encrypt"]);
    const wrapped = await subtle.wrapKey("raw", aes, open, labelled);
    const again = await subtle.unwrapKey("raw", wrapped, key, labelled, "AES-GCM", true, [
        "encrypt",
    ]);
    equal(hex(await subtle.exportKey("raw", again)), "05".repeat(16));
    const jwk = await subtle.exportKey("jwk", open);
    equal(jwk.alg, "RSA-OAEP-256");
    const sha1 = await load("spki", keys.spki, { name: "RSA-OAEP", hash: "SHA-1" }, ["encrypt"]);
    equal((await subtle.exportKey("jwk", sha1)).alg, "RSA-OAEP");
});

test("new RSA keys", async () => {
    const wanted = {
        ...rs256,
        modulusLength: 1024,
        publicExponent: new Uint8Array([0, 1, 0, 1]),
    };
    const pair = await subtle.generateKey(wanted, false, ["sign", "verify"]);
    equal(pair.publicKey.extractable, true);
    equal(pair.privateKey.extractable, false);
    same(pair.publicKey.usages, ["verify"]);
    same(pair.privateKey.usages, ["sign"]);
    equal(pair.privateKey.algorithm.modulusLength, 1024);
    const signature = await subtle.sign(rs256.name, pair.privateKey, message);
    ok(await subtle.verify(rs256.name, pair.publicKey, signature, message));
    await rejects("InvalidAccessError", subtle.exportKey("pkcs8", pair.privateKey));
    await rejects("SyntaxError", subtle.generateKey(wanted, true, ["verify"]));
    await rejects("SyntaxError", subtle.generateKey(wanted, true, ["encrypt"]));
    const even = { ...wanted, publicExponent: new Uint8Array([2]) };
    await rejects("OperationError", subtle.generateKey(even, true, ["sign"]));
    await rejects(TypeError, subtle.generateKey({ ...wanted, publicExponent: 3 }, true, ["sign"]));
});

test("curves in every format", async () => {
    for (const namedCurve of curves) {
        const known = keys[namedCurve];
        const ecdsa = { name: "ECDSA", namedCurve };
        const key = await load("pkcs8", known.pkcs8, ecdsa, ["sign"]);
        equal(base64(await subtle.exportKey("pkcs8", key)), known.pkcs8);
        const jwk = await subtle.exportKey("jwk", key);
        for (const [name, value] of Object.entries(known.jwk)) equal(jwk[name], value, name);
        const again = await load("jwk", jwk, ecdsa, ["sign"]);
        equal(base64(await subtle.exportKey("pkcs8", again)), known.pkcs8);
        const open = await load("spki", known.spki, ecdsa, ["verify"]);
        equal(base64(await subtle.exportKey("spki", open)), known.spki);
        const raw = await subtle.exportKey("raw", open);
        const openAgain = await load("raw", raw, ecdsa, ["verify"]);
        equal(base64(await subtle.exportKey("spki", openAgain)), known.spki);
        const compressed = await load("spki", known.compressed, ecdsa, ["verify"]);
        equal(hex(await subtle.exportKey("raw", compressed)), hex(raw));
        await rejects("InvalidAccessError", subtle.exportKey("raw", key));
    }
});

test("curve keys that are none", async () => {
    const p256 = { name: "ECDSA", namedCurve: "P-256" };
    const { jwk, spki } = keys["P-256"];
    await rejects("DataError", load("spki", keys["P-384"].spki, p256, ["verify"]));
    await rejects("DataError", load("pkcs8", keys["P-384"].pkcs8, p256, ["sign"]));
    await rejects("DataError", load("jwk", { ...jwk, crv: "P-384" }, p256, ["sign"]));
    await rejects("DataError", load("jwk", { ...jwk, x: keys["P-384"].jwk.x }, p256, ["sign"]));
    await rejects("DataError", load("jwk", { ...jwk, x: jwk.y }, p256, ["sign"]));
    await rejects("DataError", load("jwk", { ...jwk, y: undefined }, p256, ["sign"]));
    const raw = new Uint8Array(await subtle.exportKey("raw", await load("spki", spki, p256, [])));
    raw[40] ^= 1; // not on the curve
    await rejects("DataError", load("raw", raw, p256, ["verify"]));
    await rejects("DataError", load("raw", new Uint8Array(1), p256, ["verify"]));
    await rejects("DataError", load("raw", new Uint8Array(65), p256, ["verify"]));
    await rejects(
        "NotSupportedError",
        subtle.generateKey({ name: "ECDSA", namedCurve: "P-111" }, true, ["sign"])
    );
    await rejects(TypeError, subtle.generateKey("ECDSA", true, ["sign"]));
    await rejects("SyntaxError", load("spki", spki, { ...p256, name: "ECDH" }, ["deriveBits"]));
});

test("ECDSA", async () => {
    for (const namedCurve of curves) {
        const ecdsa = { name: "ECDSA", namedCurve };
        const how = { name: "ECDSA", hash: "SHA-512" };
        const open = await load("spki", keys[namedCurve].spki, ecdsa, ["verify"]);
        const known = fromBase64(keys[namedCurve].sig);
        ok(await subtle.verify(how, open, known, message), namedCurve);
        equal(await subtle.verify({ ...how, hash: "SHA-256" }, open, known, message), false);
        known[5] ^= 1;
        equal(await subtle.verify(how, open, known, message), false);
        equal(await subtle.verify(how, open, known.subarray(1), message), false);
        equal(await subtle.verify(how, open, new Uint8Array(known.length), message), false);
        const pair = await subtle.generateKey(ecdsa, true, ["sign", "verify"]);
        const signature = await subtle.sign(how, pair.privateKey, message);
        equal(signature.byteLength, known.length);
        ok(await subtle.verify(how, pair.publicKey, signature, message));
        equal(await subtle.verify(how, open, signature, message), false);
    }
});

test("ECDSA (RFC 6979, A.2.5)", async () => {
    const raw = fromHex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" +
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    );
    const key = await load("raw", raw, { name: "ECDSA", namedCurve: "P-256" }, ["verify"]);
    const signature = fromHex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" +
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    );
    ok(await subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, text("sample")));
});

test("ECDH", async () => {
    for (const namedCurve of curves) {
        const known = keys[namedCurve];
        const ecdh = { name: "ECDH", namedCurve };
        const key = await load("pkcs8", known.pkcs8, ecdh, ["deriveBits", "deriveKey"]);
        const peer = await load("spki", known.peer, ecdh, []);
        const how = { name: "ECDH", public: peer };
        const secret = await subtle.deriveBits(how, key, null);
        equal(base64(secret), known.secret);
        equal(hex(await subtle.deriveBits(how, key, 64)), hex(secret).slice(0, 16));
        await rejects("OperationError", subtle.deriveBits(how, key, secret.byteLength * 8 + 8));
        const aes = await subtle.deriveKey(how, key, { name: "AES-CBC", length: 128 }, true, [
            "encrypt",
        ]);
        equal(hex(await subtle.exportKey("raw", aes)), hex(secret).slice(0, 32));
        await rejects("InvalidAccessError", subtle.deriveBits({ ...how, public: key }, key, 8));
        const pair = await subtle.generateKey(ecdh, true, ["deriveBits"]);
        same(pair.publicKey.usages, []);
        equal(
            hex(await subtle.deriveBits(how, pair.privateKey, null)).length,
            secret.byteLength * 2
        );
    }
    const other = await subtle.generateKey({ name: "ECDH", namedCurve: "P-384" }, true, [
        "deriveBits",
    ]);
    const key = await load("jwk", keys["P-256"].jwk, { name: "ECDH", namedCurve: "P-256" }, [
        "deriveBits",
    ]);
    const how = { name: "ECDH", public: other.publicKey };
    await rejects("InvalidAccessError", subtle.deriveBits(how, key, 8));
    await rejects(TypeError, subtle.deriveBits({ name: "ECDH", public: 1 }, key, 8));
    await rejects(TypeError, subtle.deriveBits({ name: "ECDH" }, key, 8));
});

const pkcs8Head = {
    Ed25519: "302e020100300506032b657004220420",
    X25519: "302e020100300506032b656e04220420",
};
const okp = (name, seed, usages) =>
    load("pkcs8", fromHex(pkcs8Head[name] + seed), { name }, usages);

test("Ed25519 (RFC 8032)", async () => {
    for (const [seed, open, data, expected] of [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
    ]) {
        const key = await okp("Ed25519", seed, ["sign"]);
        equal(hex(await subtle.sign("Ed25519", key, fromHex(data))), expected);
        const publicKey = await load("raw", fromHex(open), "Ed25519", ["verify"]);
        ok(await subtle.verify("Ed25519", publicKey, fromHex(expected), fromHex(data)));
        equal(await subtle.verify("Ed25519", publicKey, fromHex(expected), text("no")), false);
        equal(await subtle.verify("Ed25519", publicKey, new Uint8Array(3), text("no")), false);
        const jwk = await subtle.exportKey("jwk", key);
        equal(jwk.kty, "OKP");
        equal(jwk.crv, "Ed25519");
        equal(jwk.x, base64Url(fromHex(open)));
        equal(jwk.d, base64Url(fromHex(seed)));
        const again = await load("jwk", jwk, "Ed25519", ["sign"]);
        equal(hex(await subtle.exportKey("pkcs8", again)), pkcs8Head.Ed25519 + seed);
        await rejects("DataError", load("jwk", { ...jwk, x: jwk.d }, "Ed25519", ["sign"]));
        await rejects("DataError", load("jwk", { ...jwk, crv: "X25519" }, "Ed25519", ["sign"]));
        equal(hex(await subtle.exportKey("spki", publicKey)), `302a300506032b6570032100${open}`);
    }
    await rejects("DataError", load("raw", new Uint8Array(31), "Ed25519", ["verify"]));
    const pair = await subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const signature = await subtle.sign("Ed25519", pair.privateKey, message);
    ok(await subtle.verify("Ed25519", pair.publicKey, signature, message));
});

test("X25519 (RFC 7748)", async () => {
    const key = await okp(
        "X25519",
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        ["deriveBits"]
    );
    const peer = await load(
        "raw",
        fromHex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
        "X25519",
        []
    );
    equal(
        hex(await subtle.deriveBits({ name: "X25519", public: peer }, key, 256)),
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    );
    const zero = await load("raw", new Uint8Array(32), "X25519", []);
    await rejects("OperationError", subtle.deriveBits({ name: "X25519", public: zero }, key, 256));
    const one = await subtle.generateKey("X25519", true, ["deriveBits"]);
    const two = await subtle.generateKey("X25519", true, ["deriveBits", "deriveKey"]);
    equal(
        hex(
            await subtle.deriveBits({ name: "X25519", public: two.publicKey }, one.privateKey, 256)
        ),
        hex(await subtle.deriveBits({ name: "X25519", public: one.publicKey }, two.privateKey, 256))
    );
    const jwk = await subtle.exportKey("jwk", one.privateKey);
    const again = await load("jwk", jwk, "X25519", ["deriveBits"]);
    equal(
        hex(await subtle.exportKey("pkcs8", again)),
        hex(await subtle.exportKey("pkcs8", one.privateKey))
    );
});

export default area;
