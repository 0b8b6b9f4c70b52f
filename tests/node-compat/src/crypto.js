import crypto, { createHash, createHmac } from "node:crypto";
import { outcomes } from "./outcome.js";

const names = [
    "md5",
    "sha1",
    "ripemd160",
    "sha224",
    "sha256",
    "SHA384",
    "RSA-SHA512",
    "sha512-256",
    "sha3-256",
];
const later = (compute, ...args) =>
    new Promise(resolve => compute(...args, (error, value) => resolve(error ? error.name : value)));

function randomness() {
    const values = Array.from({ length: 200 }, () => crypto.randomInt(3, 6));
    const filled = crypto.randomFillSync(new Uint32Array(4), 1, 2);
    return [
        new Set(values).size,
        Math.min(...values),
        Math.max(...values),
        crypto.randomBytes(100000).length,
        crypto.randomBytes(16).equals(crypto.randomBytes(16)),
        [filled[0], filled[3], filled[1] !== filled[2]],
        /^[0-9a-f]{8}-[0-9a-f]{4}-4/.test(crypto.randomUUID()),
    ];
}

export const handler = async () => ({
    hashes: [...names, "blake2b512", "blake2s256"].map(name =>
        createHash(name).update("zwölf").digest("hex")
    ),
    hmacs: names.map(name =>
        createHmac(name, "key").update("a").update(Buffer.from("b")).digest("base64")
    ),
    random: randomness(),
    later: [
        (await later(crypto.randomBytes, 5)).length,
        await later(crypto.randomInt, 1),
        (await later(crypto.pbkdf2, "p", "s", 3, 20, "sha256")).toString("hex"),
    ],
    subtle: await crypto.subtle
        .digest("SHA-256", Buffer.from("x"))
        .then(bytes => Buffer.from(bytes).toString("hex")),
    ...outcomes({
        pieces: () =>
            createHash("sha256")
                .update("Yg==", "base64")
                .update(new Uint16Array([1]))
                .digest()
                .toString("base64url"),
        copy: () => {
            const hash = createHash("sha1").update("a");
            return [hash.copy().update("b").digest("hex"), hash.digest("hex")];
        },
        pbkdf2: () => crypto.pbkdf2Sync("password", "salt", 10, 40, "sha512").toString("hex"),
        scrypt: () => crypto.scryptSync("password", "salt", 32, { N: 16 }).toString("hex"),
        hkdf: () =>
            Buffer.from(crypto.hkdfSync("sha256", "key", "salt", "info", 42)).toString("hex"),
        once: () => crypto.hash("sha1", "text"),
        equal: () => [
            crypto.timingSafeEqual(Buffer.from("ab"), Buffer.from("ab")),
            crypto.timingSafeEqual(Buffer.from("ab"), Buffer.from("ac")),
        ],
        unequalLengths: () => crypto.timingSafeEqual(Buffer.from("ab"), Buffer.from("abc")),
        unknown: () => createHash("none"),
        unknownHmac: () => createHmac("none", "k"),
        twice: () => {
            const hash = createHash("md5");
            hash.digest();
            return hash.digest();
        },
        notData: () => createHash("md5").update(5),
        range: () => crypto.randomInt(5, 5),
        webcrypto: () => typeof crypto.webcrypto.subtle,
    }),
});
