// crypto.subtle: hashes, secret keys, and what is asked of every call. Values are from the standards
// that are named.
import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const inEngine = typeof process === "undefined";
const { subtle } = crypto;

const fromHex = text => Uint8Array.from(text.match(/../g) ?? [], byte => parseInt(byte, 16));
const hex = bytes =>
    Array.from(new Uint8Array(bytes), byte => byte.toString(16).padStart(2, "0")).join("");
const text = string => new TextEncoder().encode(string);
const raw = (bytes, algorithm, usages, extractable = true) =>
    subtle.importKey("raw", bytes, algorithm, extractable, usages);
const hmac = hash => ({ name: "HMAC", hash });

// These live in the snapshot.
const kept = await raw(text("kept in the snapshot"), hmac("SHA-256"), ["sign", "verify"]);
const keptSignature = await subtle.sign("HMAC", kept, text("kept"));
const keptAes = await raw(new Uint8Array(32).fill(7), "AES-GCM", ["encrypt", "decrypt"]);

test("keys kept from top level", async () => {
    equal(kept.type, "secret");
    same(kept.algorithm, { name: "HMAC", hash: { name: "SHA-256" }, length: 160 });
    ok(kept instanceof CryptoKey);
    ok(await subtle.verify("HMAC", kept, keptSignature, text("kept")));
    equal(hex(await subtle.sign("HMAC", kept, text("kept"))), hex(keptSignature));
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    const sealed = await subtle.encrypt(algorithm, keptAes, text("secret"));
    equal(new TextDecoder().decode(await subtle.decrypt(algorithm, keptAes, sealed)), "secret");
});

test("digest (FIPS 180-4)", async () => {
    const abc = text("abc");
    equal(hex(await subtle.digest("SHA-1", abc)), "a9993e364706816aba3e25717850c26c9cd0d89d");
    equal(
        hex(await subtle.digest({ name: "sha-256" }, abc.buffer)),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    equal(
        hex(await subtle.digest("Sha-384", abc)),
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
    );
    equal(
        hex(await subtle.digest("SHA-512", new DataView(abc.buffer))),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    );
    equal(
        hex(await subtle.digest("SHA-256", new Uint8Array())),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    await rejects("NotSupportedError", subtle.digest("MD5", abc));
    await rejects("NotSupportedError", subtle.digest("HMAC", abc));
    await rejects(TypeError, subtle.digest("SHA-1", "abc"));
    await rejects(TypeError, subtle.digest("SHA-1"));
    await rejects(TypeError, subtle.digest({}, abc));
});

test("HMAC (RFC 4231)", async () => {
    const cases = [
        [
            "0b".repeat(20),
            hex(text("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ],
        [
            hex(text("Jefe")),
            hex(text("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ],
        [
            "aa".repeat(20),
            "dd".repeat(50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ],
        [
            "aa".repeat(131),
            hex(text("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ],
    ];
    for (const [keyHex, data, expected] of cases) {
        const key = await raw(fromHex(keyHex), hmac("SHA-256"), ["sign", "verify"]);
        equal(hex(await subtle.sign("hmac", key, fromHex(data))), expected);
        ok(await subtle.verify("HMAC", key, fromHex(expected), fromHex(data)));
        const wrong = fromHex(expected);
        wrong[31] ^= 1;
        equal(await subtle.verify("HMAC", key, wrong, fromHex(data)), false);
        equal(await subtle.verify("HMAC", key, wrong.subarray(1), fromHex(data)), false);
    }
    const key = await raw(fromHex("0b".repeat(20)), hmac({ name: "SHA-512" }), ["sign"]);
    equal(
        hex(await subtle.sign("HMAC", key, text("Hi There"))),
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
    );
});

test("HMAC keys", async () => {
    await rejects("DataError", raw(new Uint8Array(), hmac("SHA-1"), ["sign"]));
    await rejects("DataError", raw(new Uint8Array(4), { ...hmac("SHA-1"), length: 40 }, ["sign"]));
    await rejects(TypeError, raw(new Uint8Array(4), "HMAC", ["sign"]));
    await rejects("SyntaxError", raw(new Uint8Array(4), hmac("SHA-1"), ["encrypt"]));
    await rejects("SyntaxError", raw(new Uint8Array(4), hmac("SHA-1"), []));
    for (const [hash, length, alg] of [
        ["SHA-1", 512, "HS1"],
        ["SHA-256", 512, "HS256"],
        ["SHA-384", 1024, "HS384"],
        ["SHA-512", 1024, "HS512"],
    ]) {
        const key = await subtle.generateKey(hmac(hash), true, ["sign", "verify"]);
        equal(key.algorithm.length, length);
        const jwk = await subtle.exportKey("jwk", key);
        equal(jwk.kty, "oct");
        equal(jwk.alg, alg);
        same(jwk.key_ops, ["sign", "verify"]);
        equal(jwk.ext, true);
        const again = await subtle.importKey("jwk", jwk, hmac(hash), false, ["verify"]);
        equal(again.extractable, false);
        const signature = await subtle.sign("HMAC", key, text("x"));
        ok(await subtle.verify("HMAC", again, signature, text("x")));
        await rejects("InvalidAccessError", subtle.sign("HMAC", again, text("x")));
        await rejects("InvalidAccessError", subtle.exportKey("raw", again));
    }
    const sized = await subtle.generateKey({ ...hmac("SHA-256"), length: 256 }, true, ["sign"]);
    equal((await subtle.exportKey("raw", sized)).byteLength, 32);
    await rejects(
        "OperationError",
        subtle.generateKey({ ...hmac("SHA-256"), length: 0 }, true, ["sign"])
    );
});

test("JWK checks", async () => {
    const jwk = { kty: "oct", k: "AAECAw", alg: "HS256", use: "sig", key_ops: ["sign"], ext: true };
    const load = (changes, usages = ["sign"], extractable = true) =>
        subtle.importKey("jwk", { ...jwk, ...changes }, hmac("SHA-256"), extractable, usages);
    equal(hex(await subtle.exportKey("raw", await load({}))), "00010203");
    await load({ alg: undefined, use: undefined, key_ops: undefined, ext: undefined });
    await rejects("DataError", load({ kty: "RSA" }));
    await rejects("DataError", load({ kty: undefined }));
    await rejects("DataError", load({ k: undefined }));
    await rejects("DataError", load({ alg: "HS512" }));
    await rejects("DataError", load({ use: "enc" }));
    await rejects("DataError", load({}, ["sign", "verify"]));
    await rejects("DataError", load({ ext: false }));
    await load({ ext: false }, ["sign"], false);
    const aes = (changes, usages = ["encrypt"]) =>
        subtle.importKey(
            "jwk",
            { kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA", ...changes },
            "AES-CBC",
            true,
            usages
        );
    equal((await aes({ alg: "A128CBC" })).algorithm.length, 128);
    await rejects("DataError", aes({ alg: "A256CBC" }));
    await rejects("DataError", aes({ k: "AAAA" }));
    await rejects(
        TypeError,
        subtle.importKey("jwk", new Uint8Array(16), "AES-CBC", true, ["encrypt"])
    );
    await rejects(TypeError, subtle.importKey("raw", {}, "AES-CBC", true, ["encrypt"]));
    await rejects(
        TypeError,
        subtle.importKey("der", new Uint8Array(16), "AES-CBC", true, ["encrypt"])
    );
    await rejects(TypeError, subtle.importKey("raw", new Uint8Array(16), "AES-CBC", true, ["eat"]));
    await rejects(
        "NotSupportedError",
        subtle.importKey("spki", new Uint8Array(16), "AES-CBC", true, ["encrypt"])
    );
});

const aesKey = "2b7e151628aed2a6abf7158809cf4f3c";
const aesText =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

test("AES-CBC (SP 800-38A)", async () => {
    const key = await raw(fromHex(aesKey), "AES-CBC", ["encrypt", "decrypt"]);
    const algorithm = { name: "AES-CBC", iv: fromHex("000102030405060708090a0b0c0d0e0f") };
    const sealed = await subtle.encrypt(algorithm, key, fromHex(aesText));
    equal(
        hex(sealed).slice(0, 128),
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" +
            "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
    );
    equal(sealed.byteLength, 80);
    equal(hex(await subtle.decrypt(algorithm, key, sealed)), aesText);
    for (const size of [0, 1, 15, 16, 17, 100000]) {
        const plain = new Uint8Array(size).fill(size);
        const round = await subtle.decrypt(
            algorithm,
            key,
            await subtle.encrypt(algorithm, key, plain)
        );
        equal(round.byteLength, size);
        ok(new Uint8Array(round).every(byte => byte === size % 256));
    }
    await rejects("OperationError", subtle.decrypt(algorithm, key, new Uint8Array()));
    await rejects("OperationError", subtle.decrypt(algorithm, key, sealed.slice(0, 79)));
    await rejects("OperationError", subtle.decrypt(algorithm, key, sealed.slice(0, 64)));
    await rejects(
        "OperationError",
        subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(15) }, key, sealed)
    );
    await rejects(TypeError, subtle.encrypt({ name: "AES-CBC" }, key, sealed));
});

test("AES-CTR (SP 800-38A)", async () => {
    const key = await raw(fromHex(aesKey), "AES-CTR", ["encrypt", "decrypt"]);
    const counter = fromHex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    const algorithm = { name: "AES-CTR", counter, length: 128 };
    const sealed = await subtle.encrypt(algorithm, key, fromHex(aesText));
    equal(
        hex(sealed),
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff" +
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
    );
    equal(hex(await subtle.decrypt(algorithm, key, sealed)), aesText);
    // The counter wraps within its bits: block by block gives the same.
    for (const length of [1, 4, 8, 12, 33, 64, 65, 71, 128]) {
        const high = new Uint8Array(16).fill(0xff);
        high[0] = 0x5a;
        const plain = new Uint8Array(31).fill(3);
        const whole = await subtle.encrypt({ name: "AES-CTR", counter: high, length }, key, plain);
        let number = BigInt(`0x${hex(high)}`);
        const mask = (1n << BigInt(length)) - 1n;
        number = (number & ~mask) | ((number + 1n) & mask);
        const next = fromHex(number.toString(16).padStart(32, "0"));
        const parts = [
            await subtle.encrypt(
                { name: "AES-CTR", counter: high, length: 128 },
                key,
                plain.slice(16)
            ),
            await subtle.encrypt(
                { name: "AES-CTR", counter: next, length: 128 },
                key,
                plain.slice(16)
            ),
        ];
        equal(hex(whole).slice(32), hex(parts[1]), `length ${length}`);
        equal(hex(whole).slice(0, 30), hex(parts[0]), `length ${length}`);
    }
    const short = length => ({ name: "AES-CTR", counter, length });
    await rejects("OperationError", subtle.encrypt(short(1), key, new Uint8Array(33)));
    equal((await subtle.encrypt(short(1), key, new Uint8Array(32))).byteLength, 32);
    await rejects("OperationError", subtle.encrypt(short(0), key, new Uint8Array(1)));
    await rejects("OperationError", subtle.encrypt(short(129), key, new Uint8Array(1)));
    await rejects(TypeError, subtle.encrypt(short(256), key, new Uint8Array(1)));
    await rejects(TypeError, subtle.encrypt(short(-1), key, new Uint8Array(1)));
});

test("AES-GCM (test cases 3 and 4 of its specification)", async () => {
    const key = await raw(fromHex("feffe9928665731c6d6a8f9467308308"), "AES-GCM", [
        "encrypt",
        "decrypt",
    ]);
    const plain = fromHex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
    );
    const algorithm = { name: "AES-GCM", iv: fromHex("cafebabefacedbaddecaf888") };
    const expected =
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985";
    const sealed = await subtle.encrypt(algorithm, key, plain);
    equal(hex(sealed), `${expected}4d5c2af327cd64a62cf35abd2ba6fab4`);
    const tagged = {
        ...algorithm,
        additionalData: fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    };
    const short = await subtle.encrypt({ ...tagged, tagLength: 96 }, key, plain.subarray(0, 60));
    equal(hex(short), `${expected.slice(0, 120)}5bc94fbc3221a5db94fae95a`);
    equal(
        hex(await subtle.decrypt({ ...tagged, tagLength: 96 }, key, short)),
        hex(plain.subarray(0, 60))
    );
    for (let i = 0; i < sealed.byteLength; i += 13) {
        const wrong = new Uint8Array(sealed.slice(0));
        wrong[i] ^= 0x80;
        await rejects("OperationError", subtle.decrypt(algorithm, key, wrong));
    }
    await rejects("OperationError", subtle.decrypt(tagged, key, sealed));
    await rejects("OperationError", subtle.decrypt(algorithm, key, new Uint8Array(15)));
    await rejects("OperationError", subtle.encrypt({ ...algorithm, tagLength: 100 }, key, plain));
    await rejects(
        "OperationError",
        subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array() }, key, plain)
    );
    const empty = await subtle.encrypt(algorithm, key, new Uint8Array());
    equal(empty.byteLength, 16);
    equal((await subtle.decrypt(algorithm, key, empty)).byteLength, 0);
});

test("AES-KW (RFC 3394)", async () => {
    for (const [kek, data, expected] of [
        [
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
        ],
        [
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ],
    ]) {
        const wrapping = await raw(fromHex(kek), "AES-KW", ["wrapKey", "unwrapKey"]);
        const key = await raw(fromHex(data), "AES-GCM", ["encrypt"]);
        const wrapped = await subtle.wrapKey("raw", key, wrapping, "AES-KW");
        equal(hex(wrapped), expected);
        const unwrap = bytes =>
            subtle.unwrapKey("raw", bytes, wrapping, "aes-kw", "AES-GCM", true, ["encrypt"]);
        equal(hex(await subtle.exportKey("raw", await unwrap(wrapped))), data);
        const wrong = new Uint8Array(wrapped.slice(0));
        wrong[3] ^= 1;
        await rejects("OperationError", unwrap(wrong));
        await rejects("OperationError", unwrap(wrapped.slice(0, 16)));
        await rejects("OperationError", unwrap(wrapped.slice(1)));
        await rejects("NotSupportedError", subtle.encrypt("AES-KW", wrapping, wrong));
        const odd = await raw(new Uint8Array(20), hmac("SHA-1"), ["sign"]);
        await rejects("OperationError", subtle.wrapKey("raw", odd, wrapping, "AES-KW"));
    }
});

test("keys wrapped as JWK", async () => {
    const key = await raw(new Uint8Array(21).fill(9), hmac("SHA-256"), ["sign"]);
    const wrapping = await raw(new Uint8Array(16), "AES-KW", ["wrapKey", "unwrapKey"]);
    const wrapped = await subtle.wrapKey("jwk", key, wrapping, "AES-KW");
    const again = await subtle.unwrapKey(
        "jwk",
        wrapped,
        wrapping,
        "AES-KW",
        hmac("SHA-256"),
        true,
        ["sign"]
    );
    equal(hex(await subtle.exportKey("raw", again)), "09".repeat(21));
    const usages = ["wrapKey", "unwrapKey", "encrypt"];
    const gcm = await raw(new Uint8Array(16), "AES-GCM", usages);
    const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
    const sealed = await subtle.wrapKey("jwk", key, gcm, algorithm);
    const unwrap = (bytes, key = gcm) =>
        subtle.unwrapKey("jwk", bytes, key, algorithm, hmac("SHA-256"), true, ["sign"]);
    equal(hex(await subtle.exportKey("raw", await unwrap(sealed))), "09".repeat(21));
    await rejects("DataError", unwrap(await subtle.encrypt(algorithm, gcm, text("no json"))));
    await rejects("InvalidAccessError", unwrap(sealed, wrapping));
    const secret = await raw(new Uint8Array(16), "AES-GCM", usages, false);
    await rejects("InvalidAccessError", subtle.wrapKey("raw", secret, gcm, algorithm));
});

test("AES keys", async () => {
    for (const name of ["AES-CBC", "AES-CTR", "AES-GCM", "AES-KW"]) {
        const usages = name === "AES-KW" ? ["unwrapKey", "wrapKey"] : ["decrypt", "encrypt"];
        for (const length of [128, 192, 256]) {
            const key = await subtle.generateKey(
                { name: name.toLowerCase(), length },
                true,
                usages
            );
            same(key.algorithm, { name, length });
            const jwk = await subtle.exportKey("jwk", key);
            equal(jwk.alg, `A${length}${name.slice(4)}`);
            const again = await subtle.importKey("jwk", jwk, name, true, usages);
            equal(
                hex(await subtle.exportKey("raw", again)),
                hex(await subtle.exportKey("raw", key))
            );
        }
        await rejects("OperationError", subtle.generateKey({ name, length: 100 }, true, usages));
        await rejects(TypeError, subtle.generateKey({ name }, true, usages));
        await rejects("SyntaxError", subtle.generateKey({ name, length: 128 }, true, ["sign"]));
        await rejects("SyntaxError", subtle.generateKey({ name, length: 128 }, true, []));
        await rejects("DataError", raw(new Uint8Array(15), name, usages));
    }
});

test("HKDF (RFC 5869)", async () => {
    const ikm = await raw(fromHex("0b".repeat(22)), "HKDF", ["deriveBits", "deriveKey"], false);
    same(ikm.algorithm, { name: "HKDF" });
    const first = {
        name: "HKDF",
        hash: "SHA-256",
        salt: fromHex("000102030405060708090a0b0c"),
        info: fromHex("f0f1f2f3f4f5f6f7f8f9"),
    };
    equal(
        hex(await subtle.deriveBits(first, ikm, 336)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
    const third = { ...first, salt: new Uint8Array(), info: new Uint8Array() };
    equal(
        hex(await subtle.deriveBits(third, ikm, 336)),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    );
    equal((await subtle.deriveBits(first, ikm, 255 * 256)).byteLength, 255 * 32);
    await rejects("OperationError", subtle.deriveBits(first, ikm, 255 * 256 + 8));
    await rejects("OperationError", subtle.deriveBits(first, ikm, 7));
    await rejects("OperationError", subtle.deriveBits(first, ikm, null));
    await rejects(TypeError, subtle.deriveBits({ name: "HKDF", hash: "SHA-1" }, ikm, 8));
    const aes = await subtle.deriveKey(first, ikm, { name: "AES-GCM", length: 256 }, true, [
        "encrypt",
    ]);
    equal(
        hex(await subtle.exportKey("raw", aes)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
    );
    const mac = await subtle.deriveKey(first, ikm, hmac("SHA-1"), true, ["sign"]);
    equal(mac.algorithm.length, 512);
    await rejects(
        "SyntaxError",
        subtle.deriveKey(first, ikm, { name: "AES-GCM", length: 256 }, true, [])
    );
    await rejects("SyntaxError", raw(new Uint8Array(1), "HKDF", ["deriveBits"], true));
    await rejects("NotSupportedError", subtle.exportKey("raw", ikm));
    const empty = await raw(new Uint8Array(), "HKDF", ["deriveBits"], false);
    equal(hex(await subtle.deriveBits(third, empty, 64)), "eb70f01dede9afaf");
});

test("PBKDF2 (RFC 6070, RFC 7914)", async () => {
    const derive = async (password, salt, iterations, hash, bits) => {
        const key = await raw(text(password), "PBKDF2", ["deriveBits"], false);
        const algorithm = { name: "PBKDF2", salt: text(salt), iterations, hash };
        return hex(await subtle.deriveBits(algorithm, key, bits));
    };
    equal(
        await derive("password", "salt", 1, "SHA-1", 160),
        "0c60c80f961f0e71f3a9b524af6012062fe037a6"
    );
    equal(
        await derive("password", "salt", 4096, "SHA-1", 160),
        "4b007901b765489abead49d926f721d065a429c1"
    );
    equal(
        await derive(
            "passwordPASSWORDpassword",
            "saltSALTsaltSALTsaltSALTsaltSALTsalt",
            4096,
            "SHA-1",
            200
        ),
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"
    );
    equal(
        await derive("passwd", "salt", 1, "SHA-256", 512),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
    );
    equal((await derive("", "", 2, "SHA-512", 520)).length, 130);
    await rejects("OperationError", derive("a", "b", 0, "SHA-1", 8));
    await rejects("OperationError", derive("a", "b", 1, "SHA-1", 9));
    await rejects("OperationError", derive("a", "b", 1, "SHA-1", null));
    await rejects("NotSupportedError", derive("a", "b", 1, "MD5", 8));
});

test("keys are used for what they are for", async () => {
    const cbc = await raw(new Uint8Array(16), "AES-CBC", ["encrypt"]);
    const gcm = { name: "AES-GCM", iv: new Uint8Array(12) };
    await rejects("InvalidAccessError", subtle.encrypt(gcm, cbc, new Uint8Array()));
    const iv = new Uint8Array(16);
    await rejects("InvalidAccessError", subtle.decrypt({ name: "AES-CBC", iv }, cbc, iv));
    await rejects(TypeError, subtle.encrypt(gcm, {}, new Uint8Array()));
    await rejects("NotSupportedError", subtle.sign("AES-CBC", cbc, iv));
    await rejects("NotSupportedError", subtle.encrypt("nothing", cbc, iv));
    await rejects(TypeError, subtle.encrypt({ name: "AES-CBC", iv }, cbc));
    await rejects(TypeError, subtle.encrypt({ name: "AES-CBC", iv: [1] }, cbc, iv));
});

test("CryptoKey and SubtleCrypto as classes", async () => {
    throws(TypeError, () => new CryptoKey());
    throws(TypeError, () => new SubtleCrypto());
    ok(subtle instanceof SubtleCrypto);
    equal(crypto.subtle, subtle);
    equal(Object.prototype.toString.call(subtle), "[object SubtleCrypto]");
    equal(Object.prototype.toString.call(kept), "[object CryptoKey]");
    equal(SubtleCrypto.prototype.encrypt.length, 3);
    equal(kept.algorithm, kept.algorithm);
    equal(kept.usages, kept.usages);
    // What a script does to them changes nothing.
    const key = await raw(new Uint8Array(16), "AES-CBC", ["encrypt"]);
    const usages = key.usages;
    key.algorithm.name = "AES-GCM";
    usages.push("decrypt");
    const iv = new Uint8Array(16);
    await subtle.encrypt({ name: "AES-CBC", iv }, key, iv);
    await rejects("InvalidAccessError", subtle.decrypt({ name: "AES-CBC", iv }, key, iv));
    throws(TypeError, () =>
        Object.getOwnPropertyDescriptor(CryptoKey.prototype, "type").get.call({})
    );
    if (inEngine) equal(structuredClone(kept).type, kept.type);
});

test("arguments are read before anything is done", async () => {
    const seen = [];
    const watch = new Proxy(
        { name: "AES-GCM", iv: new Uint8Array(12) },
        {
            get(target, key) {
                seen.push(key);
                return target[key];
            },
        }
    );
    await subtle.encrypt(watch, keptAes, new Uint8Array(1));
    ok(seen.includes("name") && seen.includes("iv") && seen.includes("tagLength"));
    const thrown = new Error("getter");
    const bad = {
        name: "AES-GCM",
        get iv() {
            throw thrown;
        },
    };
    equal(await rejects(Error, subtle.encrypt(bad, keptAes, new Uint8Array(1))), thrown);
});

export default area;
