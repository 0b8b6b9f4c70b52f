import * as crypto from "node:crypto";
import { behaviours } from "./behaviours.js";

const { createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey } = crypto;
const rsaPem = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDt4gLeTwquYAlV
B1EBe4ik9zZ8lDo3JI0PUxBGW7I7yzc06wY8q9nbzxqtltIH71JM3L2a6+tAulbE
Y8HaT/rTyttCnMFQ9aVLi2ltvA0qb0M1dS6GLG0uP54cvOzYP4oPE6YZ41CNNjzD
m3u4LrsgP7JZS3UB3QknfQXx0PbfRtNQMaKIBeO9OUWtKNEBzo2VIw4Zn6LZ7VVB
7KcB3+MLYDIeqmHVXxZURmHq66aHXIOtNxIZOTGDP80MCatQIj7366RJ0quQ5MT6
erC1Egce2FHPUXKmGgIoMJtuSD6sHmIuezpvcgtLUHvN7vdyCzfjFIyoC5JbW2mV
2IAvfzM5AgMBAAECggEADtni2vUtUgid3IiZ5pFLTR0/8hQg9EtcYR4K8JGN9Yyw
1CVuHMCP19i8riSx1Rv8U98eGTtsUvyvKRCfTB1dJ/bMrIJz0TWczbQU72xjmAgd
NourzWWdpVsEaH/k+3UwDdPotUoLP92oen/NAAku1osTe96pneWqSiRUiC3HE9ZN
zsT56Tk0qdLB3LQxC9S8ZEahDuOTDU6drkUoNgTRalSfmK5oayk0l1W5VYwrTuPC
1NjMphdSRzDAuvc1fr2ZeI7okG72M9+/cWEAKIzWB+qJ10PO8UzRmQE4qoWSpA+n
QCwIqVjR1dQImLQkL/doJyXi2X9FY33cuHVhu4ut+QKBgQD66s6dwz1LJsWlu9DP
nQTcDNdctVjgmixVm+FeDWJmz2a8ghzV7/otFc5VsbbpPgDHgi3SPpkaC7AR5q2G
VfJPw0ea2pj3kiJHhgmlOiwUaprembfbKnz+GfsFU38X2GdafNm95H9z1P56NLNN
scZ/90GqyHxnxMDQULGqE1rIlQKBgQDys5x6CpJbJLTnVgt33b8zBIZMh56T5Jyt
oMxnkklmo4X2S97JJYT2OXmZ9Lls6c/BQr3Sta4thZMtYf4rLLyjZMuCk9OVGLKT
6Lqnlf2oEzcNTBWHBT+LZxl7d2dgudsM1d8givrm4kp4ru31o+M6l7KY1OI7xzxD
V9p1kicDFQKBgBquh2QdU9I/ADt8elrpbo/bybbxDc9sdZRw7AktUS5vlZQsHdbe
GvNaY0OXj0TENB8DB85Ym706SvHMXt1vHEJBGMctwaBp6L1EUphAVFmjcG6FWBi1
Lu9yYdASLeyiNXNY3Wqk9qyhlKH4Iqz7X4lSCKiZgykhsgM04X+daUT1AoGBAJ38
Rz62RQEpis0QGNUFNuIZ7uZAXfy9kzP++S/ubPNwPNLQHoznbH7vePW79Twtkzyl
mnVgKKqfSef/4vjt3TmrckJkwhVLB2v60g4nOABBydNRFK5Yvz2adl8Fofi34xye
1+kSLzM+WOXoUSRWc6L/fpW39jCdh9/6f02LPvPlAoGAKRemgQB/nxMjKuIsUjB+
7wQLenxV7Y7OQLRv2GECfl7Q4ZBx8f7LqLqcO92QSSu6J7gMXXh6Y2IQuVBHvJvn
cCHh6FgE/iUjTNRqB5c9oiXV52ZYjVJ/Z11votx8t2WcKHg1XoVa/19+/7np0xbx
GMlW8uTAaPZSI/5qD9s7uAA=
-----END PRIVATE KEY-----
`;
const ecPem = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJlWBJC6867wWhfEP
sGC79nW2hkv1Xpo5OiooW5i6NAyhRANCAARtABP+nfStFyBTK9MIZN/DPwc9G7V2
B7MmomaRwlgB6bniPPE9O6iG8z7uF0Fe0Npp90Z9vUTFlOuW8u58bXjW
-----END PRIVATE KEY-----
`;
const edPem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIFl13s8i4DGRe8xP4XVmJTr/jyNLxKkB6ysdPhFtvpYe
-----END PRIVATE KEY-----
`;

const secret = createSecretKey(Buffer.from("secret"));
const data = Buffer.from("some data");
const callback = call =>
    new Promise((resolve, reject) =>
        call((error, value) => (error ? reject(error) : resolve(value)))
    );

function signedAndVerified(key, options) {
    const signature = crypto.sign("sha256", data, { key, ...options });
    return [
        signature.length > 0,
        crypto.verify("sha256", data, { key: createPublicKey(key), ...options }, signature),
        crypto.verify(
            "sha256",
            Buffer.from("x"),
            { key: createPublicKey(key), ...options },
            signature
        ),
    ];
}

function ciphered(name, keySize, ivSize) {
    const [key, iv] = [Buffer.alloc(keySize, 1), Buffer.alloc(ivSize, 2)];
    const cipher = crypto.createCipheriv(name, key, iv);
    const text = Buffer.concat([cipher.update("hello "), cipher.update("world"), cipher.final()]);
    const decipher = crypto.createDecipheriv(name, key, iv);
    if (name.endsWith("gcm")) decipher.setAuthTag(cipher.getAuthTag());
    return [text.toString("hex"), decipher.update(text, null, "utf8") + decipher.final("utf8")];
}

export const handler = () =>
    behaviours({
        hash: () => createHash("sha256").update("a").update(data).digest("hex"),
        "hash, copied": () => {
            const hash = createHash("sha1").update("a");
            return [hash.copy().digest("base64url"), hash.update("b").digest("latin1").length];
        },
        "hash at once": () => [crypto.hash("md5", "a"), crypto.hash("sha1", data, "base64")],
        "hash, written": () => {
            const hash = createHash("sha256");
            hash.write("a");
            hash.end("b");
            return hash.read().toString("hex");
        },
        "hash, finished": () =>
            createHash("sha1").update("a").digest() && createHash("sha1").update(1),
        "hash, unknown": () => createHash("nothing"),
        "hash, digested twice": () => {
            const hash = createHash("sha1");
            hash.digest();
            return hash.digest();
        },
        "hash classes": () => [createHash("sha1") instanceof crypto.Hash, typeof crypto.Hmac],
        hmac: () => createHmac("sha512", "key").update(data).digest("base64"),
        "hmac, KeyObject": () => createHmac("sha256", secret).update("a").digest("hex"),
        "hmac, unknown": () => createHmac("nothing", "k"),
        "hmac, bad key": () => createHmac("sha1", 5),
        "hmac, twice": () => {
            const hmac = createHmac("sha1", "k");
            hmac.digest();
            return hmac.digest("hex");
        },
        KeyObject: () => [
            typeof secret,
            secret instanceof crypto.KeyObject,
            secret.type,
            secret.symmetricKeySize,
            secret.asymmetricKeyType === undefined,
        ],
        "KeyObject, exported": () => [secret.export().toString(), secret.export({ format: "jwk" })],
        "KeyObject, equal": () => [
            secret.equals(createSecretKey("secret", "utf8")),
            secret.equals(createSecretKey(Buffer.from("x"))),
        ],
        "KeyObject, not made so": () => new crypto.KeyObject("nothing", {}),
        "secret of nothing": () => createSecretKey(5),
        "RSA key": () => {
            const key = createPrivateKey(rsaPem);
            const { modulusLength, publicExponent } = key.asymmetricKeyDetails;
            return [key.type, key.asymmetricKeyType, modulusLength, `${publicExponent}`];
        },
        "RSA key, exported": () => {
            const key = createPrivateKey(rsaPem);
            return [
                key.export({ format: "pem", type: "pkcs8" }) === rsaPem,
                key.export({ format: "pem", type: "pkcs1" }),
                createPublicKey(key).export({ format: "pem", type: "spki" }),
                createPublicKey(key).export({ format: "jwk" }),
            ];
        },
        "RSA key, PKCS #1 read": () =>
            createPrivateKey(
                createPrivateKey(rsaPem).export({ format: "pem", type: "pkcs1" })
            ).equals(createPrivateKey(rsaPem)),
        "EC key": () => {
            const key = createPrivateKey(ecPem);
            return [key.asymmetricKeyType, key.asymmetricKeyDetails, key.export({ format: "jwk" })];
        },
        "EC key, SEC 1": () => {
            const key = createPrivateKey(ecPem);
            const sec1 = key.export({ format: "pem", type: "sec1" });
            return [sec1, createPrivateKey(sec1).equals(key)];
        },
        "Ed25519 key": () => {
            const key = createPrivateKey(edPem);
            return [key.asymmetricKeyType, createPublicKey(key).export({ format: "jwk" })];
        },
        "key of a JWK": () => {
            const jwk = createPrivateKey(ecPem).export({ format: "jwk" });
            return createPrivateKey({ key: jwk, format: "jwk" }).equals(createPrivateKey(ecPem));
        },
        "no key": () => createPrivateKey("no pem").type,
        "RSA signature": () =>
            crypto.createSign("RSA-SHA256").update(data).sign(rsaPem, "base64").slice(0, 40),
        "RSA, verified": () => signedAndVerified(createPrivateKey(rsaPem)),
        "RSA-PSS": () =>
            signedAndVerified(createPrivateKey(rsaPem), {
                padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
                saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
            }),
        ECDSA: () => signedAndVerified(createPrivateKey(ecPem)),
        "ECDSA, two numbers": () => {
            const key = createPrivateKey(ecPem);
            const signature = crypto.sign("sha256", data, { key, dsaEncoding: "ieee-p1363" });
            return [signature.length, ...signedAndVerified(key, { dsaEncoding: "ieee-p1363" })];
        },
        Ed25519: () => crypto.sign(null, data, edPem).toString("hex"),
        "signature later": async () =>
            (await callback(done => crypto.sign("sha256", data, rsaPem, done))).length,
        "verify, in steps": () => {
            const signature = crypto.createSign("sha256").update(data).sign(ecPem);
            return crypto
                .createVerify("sha256")
                .update(data)
                .verify(createPublicKey(ecPem), signature);
        },
        "sign, unknown": () => crypto.createSign("nothing"),
        "RSA-OAEP": () => {
            const encrypted = crypto.publicEncrypt(createPublicKey(rsaPem), data);
            return crypto.privateDecrypt(rsaPem, encrypted).toString();
        },
        "agreement on a secret": () => {
            const [a, b] = [1, 2].map(() => crypto.generateKeyPairSync("x25519"));
            const secrets = [
                crypto.diffieHellman({ privateKey: a.privateKey, publicKey: b.publicKey }),
                crypto.diffieHellman({ privateKey: b.privateKey, publicKey: a.publicKey }),
            ];
            return secrets[0].equals(secrets[1]);
        },
        "pair of keys": () => {
            const pair = crypto.generateKeyPairSync("ec", {
                namedCurve: "P-256",
                publicKeyEncoding: { type: "spki", format: "pem" },
                privateKeyEncoding: { type: "pkcs8", format: "der" },
            });
            return [pair.publicKey.split("\n")[0], Buffer.isBuffer(pair.privateKey)];
        },
        "pair of keys, later": () =>
            new Promise(resolve =>
                crypto.generateKeyPair("ed25519", (error, publicKey, privateKey) =>
                    resolve([publicKey.type, privateKey.type])
                )
            ),
        "secret key": () => crypto.generateKeySync("hmac", { length: 256 }).symmetricKeySize,
        "AES-GCM": () => ciphered("aes-256-gcm", 32, 12),
        "AES-CBC": () => ciphered("aes-128-cbc", 16, 16),
        "AES-CTR": () => ciphered("aes-192-ctr", 24, 16),
        "AES, bad key": () =>
            crypto.createCipheriv("aes-128-cbc", Buffer.alloc(5), Buffer.alloc(16)),
        "AES, unknown": () => crypto.createCipheriv("nothing", Buffer.alloc(5), null),
        pbkdf2: () => crypto.pbkdf2Sync("password", "salt", 1000, 32, "sha512").toString("hex"),
        "pbkdf2, later": async () =>
            (await callback(done => crypto.pbkdf2("p", "s", 1, 16, "sha256", done))).toString(
                "hex"
            ),
        "pbkdf2, unknown": () => crypto.pbkdf2Sync("p", "s", 1, 16, "nothing"),
        "pbkdf2, bad": () => crypto.pbkdf2Sync("p", "s", 0, 16, "sha1"),
        scrypt: () => crypto.scryptSync("password", "salt", 32, { N: 1024 }).toString("hex"),
        "scrypt, bad": () => crypto.scryptSync("p", "s", 32, { N: 1000 }),
        hkdf: () =>
            Buffer.from(crypto.hkdfSync("sha256", "key", "salt", "info", 20)).toString("hex"),
        timingSafeEqual: () => [
            crypto.timingSafeEqual(Buffer.from("a"), new Uint8Array([97])),
            crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("b")),
        ],
        "timingSafeEqual, sizes": () => crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("ab")),
        "timingSafeEqual, types": () => crypto.timingSafeEqual("a", "b"),
        randomBytes: async () => [
            crypto.randomBytes(5).length,
            (await callback(done => crypto.randomBytes(6, done))).length,
        ],
        "randomBytes, bad": () => crypto.randomBytes(-1),
        randomInt: () => {
            const value = crypto.randomInt(3, 5);
            return value === 3 || value === 4;
        },
        "randomInt, bad": () => crypto.randomInt(5, 3),
        randomFill: () => crypto.randomFillSync(new Uint32Array(2)).length,
        randomUUID: () => crypto.randomUUID().length,
        web: () => [crypto.webcrypto === globalThis.crypto, typeof crypto.subtle.digest],
    });
