// crypto.subtle: Ed448 and X448, and what signatures of Ed25519 and Ed448 are refused for.
import { area, equal, ok, rejects, same, test } from "../harness.js";

const { subtle } = crypto;

const fromHex = text => Uint8Array.from(text.match(/../g) ?? [], byte => parseInt(byte, 16));
const hex = bytes =>
    Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, "0")).join("");
const signing = { private: ["sign"], public: ["verify"], made: ["sign", "verify"] };
const agreeing = {
    private: ["deriveBits"],
    public: [],
    made: ["deriveKey", "deriveBits"],
};
const heads = {
    Ed448: { pkcs8: "3047020100300506032b6571043b0439", spki: "3043300506032b6571033a00" },
    X448: { pkcs8: "3046020100300506032b656f043a0438", spki: "3042300506032b656f033900" },
};

// The empty message of RFC 8032, 7.4, and Alice of RFC 7748, 6.2.
const known = {
    Ed448: {
        secret:
            "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3" +
            "fc5b94492f8f032e7549a20098f95b",
        open:
            "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6" +
            "783df1e50f6cd1fa1abeafe8256180",
        usages: signing,
    },
    X448: {
        secret:
            "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127" +
            "ab1d9ac2d8c0a598726b",
        open:
            "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da8812" +
            "0d53177f80e532c41fa0",
        usages: agreeing,
    },
};

const signature =
    "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d" +
    "7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0" +
    "f4dbb61149f05a7363268c71d95808ff2e652600";

for (const [name, { secret, open, usages }] of Object.entries(known)) {
    test(`${name} in every format`, async () => {
        const pkcs8 = fromHex(heads[name].pkcs8 + secret);
        const key = await subtle.importKey("pkcs8", pkcs8, name, true, usages.private);
        equal(key.type, "private");
        same(key.algorithm, { name });
        equal(hex(await subtle.exportKey("pkcs8", key)), hex(pkcs8));
        const jwk = await subtle.exportKey("jwk", key);
        equal(jwk.kty, "OKP");
        equal(jwk.crv, name);
        equal(jwk.alg, name === "Ed448" ? "Ed448" : undefined);
        const again = await subtle.importKey("jwk", jwk, { name }, true, usages.private);
        equal(hex(await subtle.exportKey("pkcs8", again)), hex(pkcs8));
        const { d, ...publicJwk } = { ...jwk, key_ops: usages.public };
        const publicKey = await subtle.importKey("jwk", publicJwk, name, false, usages.public);
        equal(publicKey.type, "public");
        const raw = fromHex(open);
        equal(d.length, name === "Ed448" ? 76 : 75);
        const rawKey = await subtle.importKey("raw", raw, name.toLowerCase(), true, usages.public);
        equal((await subtle.exportKey("jwk", rawKey)).x, jwk.x);
        const spki = heads[name].spki + hex(raw);
        equal(hex(await subtle.exportKey("spki", rawKey)), spki);
        const spkiKey = await subtle.importKey("spki", fromHex(spki), name, true, usages.public);
        equal(hex(await subtle.exportKey("raw", spkiKey)), hex(raw));
    });

    test(`${name}: keys that are none`, async () => {
        const pkcs8 = fromHex(heads[name].pkcs8 + secret);
        const load = (format, data, list) => subtle.importKey(format, data, name, true, list);
        await rejects("DataError", load("pkcs8", pkcs8.slice(0, -1), usages.private));
        await rejects("DataError", load("raw", pkcs8.slice(0, 55), usages.public));
        await rejects("SyntaxError", load("pkcs8", pkcs8, []));
        await rejects("SyntaxError", load("pkcs8", pkcs8, ["encrypt"]));
        await rejects("SyntaxError", load("raw", pkcs8.slice(0, 57), ["wrapKey"]));
        const key = await load("pkcs8", pkcs8, usages.private);
        const jwk = await subtle.exportKey("jwk", key);
        await rejects("DataError", load("jwk", { ...jwk, x: jwk.d }, usages.private));
        await rejects("DataError", load("jwk", { ...jwk, crv: "Ed25519" }, usages.private));
        await rejects("DataError", load("jwk", { ...jwk, kty: "EC" }, usages.private));
        await rejects("DataError", load("jwk", { ...jwk, x: undefined }, usages.private));
        await rejects("InvalidAccessError", subtle.exportKey("spki", key));
    });

    test(`${name}: new keys`, async () => {
        const pair = await subtle.generateKey({ name }, false, usages.made);
        same(pair.publicKey.usages, usages.public);
        same(
            pair.privateKey.usages,
            usages.made.filter(usage => usage !== "verify")
        );
        equal(pair.publicKey.extractable, true);
        equal(pair.privateKey.extractable, false);
        await rejects("SyntaxError", subtle.generateKey(name, true, []));
        await rejects("SyntaxError", subtle.generateKey(name, true, ["encrypt"]));
    });
}

test("Ed448 signs and verifies", async () => {
    const { secret, open } = known.Ed448;
    const pkcs8 = fromHex(heads.Ed448.pkcs8 + secret);
    const key = await subtle.importKey("pkcs8", pkcs8, "Ed448", false, ["sign"]);
    const publicKey = await subtle.importKey("raw", fromHex(open), "Ed448", true, ["verify"]);
    const none = new Uint8Array(0);
    equal(hex(await subtle.sign("Ed448", key, none)), signature);
    equal(hex(await subtle.sign({ name: "Ed448", context: none }, key, none)), signature);
    ok(await subtle.verify("Ed448", publicKey, fromHex(signature), none));
    equal(await subtle.verify("Ed448", publicKey, fromHex(signature), fromHex("00")), false);
    equal(await subtle.verify("Ed448", publicKey, fromHex(signature).slice(1), none), false);
    await rejects("InvalidAccessError", subtle.sign("Ed448", publicKey, none));
    await rejects("InvalidAccessError", subtle.verify("Ed448", key, none, none));
    const long = { name: "Ed448", context: new Uint8Array(256) };
    await rejects("OperationError", subtle.sign(long, key, none));
    await rejects("TypeError", subtle.sign({ name: "Ed448", context: "c" }, key, none));
});

test("X448 (RFC 7748)", async () => {
    const scalar =
        "3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368" +
        "f54b29259a4f1c600ad3";
    const point =
        "06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94" +
        "ada18aa7a7fb4ef8a086";
    const secret =
        "ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d9822396111" +
        "1e21766282f73dd96b6f";
    const pkcs8 = fromHex(heads.X448.pkcs8 + scalar);
    const key = await subtle.importKey("pkcs8", pkcs8, "X448", false, ["deriveBits", "deriveKey"]);
    const derive = async (peer, length) =>
        hex(await subtle.deriveBits({ name: "X448", public: peer }, key, length));
    const peer = await subtle.importKey("raw", fromHex(point), "X448", true, []);
    equal(await derive(peer, 448), secret);
    equal(await derive(peer, null), secret);
    const last = parseInt(secret.slice(108, 110), 16) & 0xf8;
    equal(await derive(peer, 437), secret.slice(0, 108) + last.toString(16).padStart(2, "0"));
    await rejects("OperationError", derive(peer, 456));
    await rejects("InvalidAccessError", derive(key, 448));
    const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
    const algorithm = { name: "X448", public: peer };
    const derived = await subtle.deriveKey(algorithm, key, hmac, true, ["sign"]);
    equal(hex(await subtle.exportKey("raw", derived)), secret.slice(0, 64));
    const other = await subtle.generateKey("X25519", true, ["deriveBits"]);
    await rejects("InvalidAccessError", derive(other.publicKey, 256));
});

test("points of small order", async () => {
    const { privateKey } = await subtle.generateKey("X448", true, ["deriveBits"]);
    const p = `${"ff".repeat(28)}fe${"ff".repeat(27)}`;
    for (const bytes of ["00".repeat(56), `01${"00".repeat(55)}`, `fe${p.slice(2)}`, p]) {
        const peer = await subtle.importKey("raw", fromHex(bytes), "X448", true, []);
        const algorithm = { name: "X448", public: peer };
        await rejects("OperationError", subtle.deriveBits(algorithm, privateKey, 448), bytes);
    }
    // With such a key the zero signature of a point of small order fits every message.
    const points = {
        Ed25519: [
            `01${"00".repeat(31)}`,
            "00".repeat(32),
            `${"00".repeat(31)}80`,
            `ec${"ff".repeat(30)}7f`,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        ],
        Ed448: [`01${"00".repeat(56)}`, "00".repeat(57), `fe${p.slice(2)}00`],
    };
    for (const [name, list] of Object.entries(points)) {
        for (const point of list) {
            const key = await subtle.importKey("raw", fromHex(point), name, true, ["verify"]);
            const zero = fromHex(point + "00".repeat(point.length / 2));
            for (let i = 0; i < 8; i++) {
                equal(await subtle.verify(name, key, zero, Uint8Array.of(i)), false, point);
            }
        }
    }
});

export default area;
