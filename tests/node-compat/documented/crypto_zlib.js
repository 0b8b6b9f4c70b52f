// What Node's documentation says of crypto and zlib.
import crypto, { createHash, createHmac, createSecretKey, webcrypto } from "node:crypto";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { text } from "node:stream/consumers";
import { Readable } from "node:stream";
import { behaviours } from "../src/behaviours.js";

const hex = bytes => Buffer.from(bytes).toString("hex");
const later = call =>
    new Promise((resolve, reject) =>
        call((error, value) => (error ? reject(error) : resolve(value)))
    );
const attempt = call => {
    try {
        return call();
    } catch ({ name, code, errno, message }) {
        return [name, code, errno, message];
    }
};
const longText = "some text, some other text; ".repeat(20_000);
const brotliFast = { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 };
// What comes out of a coder by its first flush, and after it.
async function flushed(coder, bytes = Buffer.from(longText.slice(0, 10_000))) {
    const chunks = [];
    coder.on("data", chunk => chunks.push(chunk));
    coder.write(bytes.subarray(0, bytes.length / 2));
    await new Promise(done => coder.flush(done));
    const first = createHash("sha1").update(Buffer.concat(chunks)).digest("hex");
    chunks.length = 0;
    coder.write(bytes.subarray(bytes.length / 2));
    await new Promise(done => coder.flush(done));
    await new Promise(done => coder.on("end", done).end());
    return [first, createHash("sha1").update(Buffer.concat(chunks)).digest("hex")];
}
// By the names of zlib.constants.
const zstd = params => ({
    params: Object.fromEntries(
        Object.entries(params).map(([name, value]) => [zlib.constants[name], value])
    ),
});
const pem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`;
const hashes = [
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512-256",
    "sha3-256",
    "ripemd160",
    "blake2b512",
];

export const handler = () =>
    behaviours({
        "crypto: createHash": () =>
            hashes.map(name =>
                createHash(name).update("a").update(Buffer.from("b")).digest("hex").slice(0, 16)
            ),
        "crypto: an unknown hash": () => createHash("sha7"),
        "crypto: shake with a length": () =>
            createHash("shake128", { outputLength: 5 }).update("a").digest("hex"),
        "crypto: hash.copy": () => {
            const hash = createHash("sha256").update("a");
            const copy = hash.copy();
            return [hash.update("b").digest("base64url"), copy.digest("base64url")];
        },
        "crypto: a hash is used once": () => {
            const hash = createHash("sha1");
            hash.digest();
            return hash.update("x");
        },
        "crypto: a hash as a stream": async () =>
            hex((await Readable.from(["a", "b"]).pipe(createHash("sha1")).toArray())[0]),
        "crypto: hash() at once": () => [
            crypto.hash("sha1", "abc"),
            crypto.hash("md5", Buffer.from("abc"), "base64"),
        ],
        "crypto: createHmac": () =>
            ["sha256", "sha512", "md5"].map(name =>
                createHmac(name, "key").update("text").digest("hex").slice(0, 20)
            ),
        "crypto: hmac with a KeyObject": () =>
            createHmac("sha256", createSecretKey("key", "utf8")).update("text").digest("base64"),
        "crypto: KeyObject of a secret": () => {
            const key = createSecretKey(Buffer.from("0123"));
            return [
                key.type,
                key.symmetricKeySize,
                key.export().toString(),
                key.export({ format: "jwk" }),
                key.equals(createSecretKey(Buffer.from("0123"))),
            ];
        },
        "crypto: timingSafeEqual": () => [
            crypto.timingSafeEqual(Buffer.from("ab"), Buffer.from("ab")),
            crypto.timingSafeEqual(Buffer.from("ab"), new Uint8Array([97, 99])),
        ],
        "crypto: timingSafeEqual of two lengths": () =>
            crypto.timingSafeEqual(Buffer.from("a"), Buffer.from("ab")),
        "crypto: pbkdf2": async () => [
            hex(crypto.pbkdf2Sync("password", "salt", 1000, 20, "sha256")),
            hex(await later(done => crypto.pbkdf2("password", "salt", 1, 8, "sha1", done))),
        ],
        "crypto: scrypt": () =>
            hex(crypto.scryptSync("password", "NaCl", 32, { N: 1024, r: 8, p: 16 })),
        "crypto: hkdf": () => hex(crypto.hkdfSync("sha512", "key", "salt", "info", 32)),
        "crypto: randomBytes, randomInt, randomUUID": () => [
            crypto.randomBytes(16).length,
            crypto.randomInt(3, 4),
            /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
            crypto.randomFillSync(Buffer.alloc(4)).length,
        ],
        "crypto: randomInt out of order": () => crypto.randomInt(4, 3),
        "crypto: getHashes and getCiphers": () => [
            crypto.getHashes().includes("sha256"),
            crypto.getCiphers().includes("aes-256-gcm"),
            crypto.getCurves().includes("prime256v1"),
        ],
        "crypto: AES-256-GCM": () => {
            const cipher = crypto.createCipheriv(
                "aes-256-gcm",
                Buffer.alloc(32, 1),
                Buffer.alloc(12, 2)
            );
            cipher.setAAD(Buffer.from("more"));
            const bytes = cipher.update("secret", "utf8", "hex") + cipher.final("hex");
            const decipher = crypto.createDecipheriv(
                "aes-256-gcm",
                Buffer.alloc(32, 1),
                Buffer.alloc(12, 2)
            );
            decipher.setAAD(Buffer.from("more")).setAuthTag(cipher.getAuthTag());
            return [
                bytes,
                hex(cipher.getAuthTag()),
                decipher.update(bytes, "hex", "utf8") + decipher.final("utf8"),
            ];
        },
        "crypto: AES-128-CBC in parts": () => {
            const cipher = crypto.createCipheriv(
                "aes-128-cbc",
                Buffer.alloc(16, 1),
                Buffer.alloc(16, 2)
            );
            return [cipher.update("0123456789abcdef0", "utf8", "hex"), cipher.final("hex")];
        },
        "crypto: ChaCha20-Poly1305": () => {
            const cipher = crypto.createCipheriv(
                "chacha20-poly1305",
                Buffer.alloc(32, 1),
                Buffer.alloc(12, 2),
                { authTagLength: 16 }
            );
            return cipher.update("secret", "utf8", "hex") + cipher.final("hex");
        },
        "crypto: ChaCha20-Poly1305 with its tag, in parts": () => {
            const [key, iv] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2)];
            const options = { authTagLength: 16 };
            const cipher = crypto.createCipheriv("chacha20-poly1305", key, iv, options);
            cipher.setAAD(Buffer.from("more"), { plaintextLength: 108 });
            const parts = ["a".repeat(70), "b".repeat(38)].map(part => cipher.update(part));
            const bytes = Buffer.concat([...parts, cipher.final()]);
            const decipher = crypto.createDecipheriv("chacha20-poly1305", key, iv, options);
            decipher.setAAD(Buffer.from("more"), { plaintextLength: 108 });
            decipher.setAuthTag(cipher.getAuthTag());
            const plain = decipher.update(bytes, undefined, "utf8") + decipher.final("utf8");
            return [hex(bytes), hex(cipher.getAuthTag()), plain];
        },
        "crypto: ChaCha20-Poly1305 with a wrong tag": () => {
            const [key, iv] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2)];
            const options = { authTagLength: 16 };
            const decipher = crypto.createDecipheriv("chacha20-poly1305", key, iv, options);
            decipher.setAuthTag(Buffer.alloc(16));
            decipher.update("00", "hex");
            return decipher.final();
        },
        "crypto: ChaCha20": () => {
            const cipher = crypto.createCipheriv(
                "chacha20",
                Buffer.alloc(32, 1),
                Buffer.alloc(16, 2)
            );
            return cipher.update("secret".repeat(20), "utf8", "hex") + cipher.final("hex");
        },
        "crypto: getCipherInfo of ChaCha20": () => crypto.getCipherInfo("chacha20-poly1305"),
        "crypto: every hash, at once and in parts": () =>
            ["md5", "ripemd160", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-224"]
                .concat("sha512-256", "sha3-256", "blake2b512")
                .map(name => {
                    const parts = crypto.createHash(name).update("a".repeat(200)).update("b");
                    const copy = parts.copy().update("c").digest("base64");
                    return [name, crypto.hash(name, "abc"), parts.digest("hex"), copy];
                }),
        "crypto: HMAC of hashes that are short and long": () =>
            ["md5", "sha1", "sha224", "sha512", "sha512-256"].flatMap(name =>
                ["key", "k".repeat(200)].map(key =>
                    crypto.createHmac(name, key).update("ab").update("c").digest("hex")
                )
            ),
        "crypto: PBKDF2 by MD5": () =>
            crypto.pbkdf2Sync("password", "salt", 3, 20, "md5").toString("hex"),
        "crypto: a key of the wrong size": () =>
            crypto.createCipheriv("aes-256-cbc", Buffer.alloc(3), Buffer.alloc(16)),
        "crypto: sign and verify by Ed25519": () => {
            const key = crypto.createPrivateKey(pem);
            const signature = crypto.sign(null, Buffer.from("message"), key);
            return [
                key.asymmetricKeyType,
                hex(signature).slice(0, 32),
                crypto.verify(null, Buffer.from("message"), crypto.createPublicKey(key), signature),
            ];
        },
        "crypto: createSign with RSA": () => {
            const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa", {
                modulusLength: 2048,
            });
            const signature = crypto.createSign("RSA-SHA256").update("text").sign(privateKey);
            return [
                signature.length,
                crypto.createVerify("sha256").update("text").verify(publicKey, signature),
                privateKey.asymmetricKeyDetails.modulusLength,
            ];
        },
        "crypto: generateKeyPair in PEM": async () => {
            const { publicKey, privateKey } = await promisify(crypto.generateKeyPair)("ec", {
                namedCurve: "P-256",
                publicKeyEncoding: { type: "spki", format: "pem" },
                privateKeyEncoding: { type: "pkcs8", format: "pem" },
            });
            return [publicKey.split("\n")[0], privateKey.split("\n")[0]];
        },
        "crypto: a public key as JWK": () => crypto.createPublicKey(pem).export({ format: "jwk" }),
        "crypto: publicEncrypt and privateDecrypt": () => {
            const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa", {
                modulusLength: 2048,
            });
            return crypto
                .privateDecrypt(privateKey, crypto.publicEncrypt(publicKey, Buffer.from("secret")))
                .toString();
        },
        "crypto: diffieHellman of X25519": () => {
            const [a, b] = [0, 1].map(() => crypto.generateKeyPairSync("x25519"));
            const secrets = [
                [a, b],
                [b, a],
            ].map(([x, y]) =>
                hex(crypto.diffieHellman({ privateKey: x.privateKey, publicKey: y.publicKey }))
            );
            return [secrets[0].length, secrets[0] === secrets[1]];
        },
        "crypto: createECDH": () => {
            const [a, b] = [0, 1].map(() => crypto.createECDH("prime256v1"));
            a.generateKeys();
            b.generateKeys();
            return (
                a.computeSecret(b.getPublicKey(), null, "hex") ===
                b.computeSecret(a.getPublicKey(), null, "hex")
            );
        },
        "crypto: webcrypto is the global one": () => [
            webcrypto === globalThis.crypto,
            crypto.subtle === globalThis.crypto.subtle,
        ],
        "crypto: a private key that is no key": () => crypto.createPrivateKey("nothing"),
        "crypto: constants": () => [
            crypto.constants.RSA_PKCS1_PSS_PADDING,
            crypto.constants.RSA_PKCS1_PADDING,
        ],
        "zlib: gzipSync and gunzipSync": () => zlib.gunzipSync(zlib.gzipSync("text ü")).toString(),
        "zlib: deflate with a level": () =>
            zlib.deflateSync("aaaaaaaaaa", { level: 9 }).toString("hex"),
        "zlib: deflateRaw and inflateRaw": () =>
            zlib.inflateRawSync(zlib.deflateRawSync(Buffer.from("abc"))).toString(),
        "zlib: with a callback": () =>
            later(done => zlib.gzip("abc", done)).then(bytes => zlib.unzipSync(bytes).toString()),
        "zlib: promisify": async () =>
            String(await promisify(zlib.inflate)(zlib.deflateSync("abc"))),
        "zlib: as a stream": () =>
            text(Readable.from([zlib.gzipSync("in parts")]).pipe(zlib.createGunzip())),
        "zlib: bytes that are not compressed": () => zlib.gunzipSync(Buffer.from("nothing")),
        "zlib: the end is missing": () => zlib.gunzipSync(zlib.gzipSync("text").subarray(0, 15)),
        "zlib: maxOutputLength": () =>
            zlib.inflateSync(zlib.deflateSync("a".repeat(100)), { maxOutputLength: 10 }),
        "zlib: two members of a file": () =>
            zlib.gunzipSync(Buffer.concat([zlib.gzipSync("a"), zlib.gzipSync("b")])).toString(),
        "zlib: a dictionary": () =>
            zlib
                .inflateSync(zlib.deflateSync("words", { dictionary: Buffer.from("words") }), {
                    dictionary: Buffer.from("words"),
                })
                .toString(),
        "zlib: crc32": () => [
            zlib.crc32("hello"),
            zlib.crc32(Buffer.from("world"), zlib.crc32("hello")),
        ],
        "zlib: a dictionary that is missing": () =>
            zlib.inflateSync(zlib.deflateSync("words", { dictionary: Buffer.from("words") })),
        "zlib: another dictionary": () =>
            zlib.inflateSync(zlib.deflateSync("words", { dictionary: Buffer.from("words") }), {
                dictionary: Buffer.from("other"),
            }),
        "zlib: a dictionary of raw deflate": () =>
            zlib
                .inflateRawSync(
                    zlib.deflateRawSync("words", { dictionary: Buffer.from("words") }),
                    {
                        dictionary: Buffer.from("words"),
                    }
                )
                .toString(),
        "zlib: windowBits, memLevel, strategy": () =>
            zlib
                .deflateSync("abcabcabcabc", { windowBits: 9, memLevel: 9, strategy: 2 })
                .toString("hex"),
        "zlib: a memLevel that is wrong": () => zlib.gzipSync("a", { memLevel: 10 }),
        "zlib: brotli's bytes": () =>
            zlib.brotliCompressSync("hello hello hello hello").toString("hex"),
        "zlib: brotli with a callback": () =>
            later(done => zlib.brotliCompress("abc", done)).then(bytes =>
                zlib.brotliDecompressSync(bytes).toString()
            ),
        "zlib: brotli as a stream": () =>
            text(
                Readable.from([zlib.brotliCompressSync("in parts")]).pipe(
                    zlib.createBrotliDecompress()
                )
            ),
        "zlib: brotli's quality and window": () =>
            zlib
                .brotliCompressSync("a".repeat(1000), {
                    params: {
                        [zlib.constants.BROTLI_PARAM_QUALITY]: 4,
                        [zlib.constants.BROTLI_PARAM_LGWIN]: 16,
                    },
                })
                .toString("hex"),
        "zlib: bytes that are no brotli": () =>
            zlib.brotliDecompressSync(Buffer.from([0xff, 0xff, 0xff, 1, 2, 3])),
        "zlib: brotli's end is missing": () =>
            zlib.brotliDecompressSync(zlib.brotliCompressSync("hello world").subarray(0, 5)),
        "zlib: a parameter that is not brotli's": () =>
            zlib.brotliCompressSync("a", { params: { 99: 1 } }),
        "zlib: brotli's maxOutputLength": () =>
            zlib.brotliDecompressSync(zlib.brotliCompressSync("a".repeat(100)), {
                maxOutputLength: 10,
            }),
        "zlib: brotli": () => zlib.brotliDecompressSync(zlib.brotliCompressSync("text")).toString(),
        "zlib: zstd's bytes": () =>
            ["", "hello hello hello hello", Buffer.from([1, 2])].map(data =>
                hex(zlib.zstdCompressSync(data))
            ),
        "zlib: zstd there and back": () =>
            zlib.zstdDecompressSync(zlib.zstdCompressSync(longText)).toString() === longText,
        "zlib: zstd with a callback": () =>
            later(done => zlib.zstdCompress("hello hello hello", done)).then(async bytes => [
                hex(bytes),
                String(await later(done => zlib.zstdDecompress(bytes, done))),
            ]),
        "zlib: zstd's class": () => [
            zlib.createZstdCompress() instanceof zlib.ZstdCompress,
            zlib.createZstdDecompress().constructor.name,
            attempt(() => zlib.ZstdCompress()),
        ],
        "zlib: zstd as a stream": () =>
            text(
                Readable.from(["in parts, ", longText])
                    .pipe(zlib.createZstdCompress())
                    .pipe(zlib.createZstdDecompress())
            ).then(all => all === `in parts, ${longText}`),
        "zlib: zstd's frames in a stream": () =>
            text(
                Readable.from(["one ", "two"].map(data => zlib.zstdCompressSync(data))).pipe(
                    zlib.createZstdDecompress()
                )
            ),
        "zlib: zstd's parameters": () =>
            [
                { ZSTD_c_compressionLevel: 19 },
                { ZSTD_c_compressionLevel: -5 },
                { ZSTD_c_checksumFlag: true, ZSTD_c_contentSizeFlag: false },
                { ZSTD_c_windowLog: 12, ZSTD_c_strategy: zlib.constants.ZSTD_btultra },
            ].map(params =>
                zlib
                    .zstdDecompressSync(zlib.zstdCompressSync(longText, zstd(params)))
                    .equals(Buffer.from(longText))
            ),
        "zlib: zstd's checksum": () => {
            const bytes = zlib.zstdCompressSync("hello", zstd({ ZSTD_c_checksumFlag: 1 }));
            bytes[bytes.length - 1] ^= 1;
            return zlib.zstdDecompressSync(bytes);
        },
        "zlib: a parameter that is not zstd's": () => [
            attempt(() => zlib.zstdCompressSync("a", { params: { 9999: 1 } })),
            attempt(() => zlib.zstdCompressSync("a", { params: { 99: 1 } })),
            attempt(() => zlib.zstdDecompressSync("a", { params: { level: 1 } })),
        ],
        "zlib: a value that is none of zstd's": () => [
            attempt(() => zlib.zstdCompressSync("a", zstd({ ZSTD_c_windowLog: 5 }))),
            attempt(() => zlib.zstdCompress("a", zstd({ ZSTD_c_windowLog: 5 }), () => {})),
            attempt(() => zlib.zstdCompressSync("a", zstd({ ZSTD_c_strategy: "1" }))),
            attempt(() => zlib.createZstdDecompress(zstd({ ZSTD_d_windowLogMax: 5 }))),
            attempt(() => zlib.zstdCompressSync("a", { flush: 9 })),
            attempt(() => zlib.zstdCompressSync(null)),
        ],
        "zlib: zstd's maxOutputLength": () => [
            attempt(() => zlib.zstdCompressSync("hello", { maxOutputLength: 3 })),
            attempt(() =>
                zlib.zstdDecompressSync(zlib.zstdCompressSync("hello"), { maxOutputLength: 3 })
            ),
        ],
        "zlib: zstd's dictionary": () => {
            const dictionary = Buffer.from("hello world, said the dictionary");
            const bytes = zlib.zstdCompressSync("said hello world", { dictionary });
            return [String(zlib.zstdDecompressSync(bytes, { dictionary })), bytes.length < 30];
        },
        "zlib: bytes that are no zstd": () => [
            attempt(() => zlib.zstdDecompressSync("nothing of it")),
            attempt(() => hex(zlib.zstdDecompressSync(""))),
        ],
        "zlib: no zstd with a callback": () =>
            later(done => zlib.zstdDecompress(Buffer.from("nothing of it"), done)),
        "zlib: zstd's end is missing, or more follows": () => {
            const bytes = zlib.zstdCompressSync("hello");
            return [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from("more")])].map(data =>
                String(zlib.zstdDecompressSync(data))
            );
        },
        "zlib: zstd's finishFlush": () => [
            hex(zlib.zstdCompressSync("hello", { finishFlush: zlib.constants.ZSTD_e_flush })),
            hex(zlib.zstdCompressSync("hello", { finishFlush: zlib.constants.ZSTD_e_continue })),
        ],
        "zlib: zstd's pledgedSrcSize": () => {
            const sized = pledgedSrcSize =>
                later(done => zlib.zstdCompress("one two", { pledgedSrcSize }, done)).then(
                    hex,
                    ({ code, errno, message }) => [code, errno, message]
                );
            return Promise.all([
                sized(7),
                sized(5),
                attempt(() => zlib.zstdCompressSync("a", { pledgedSrcSize: -1 })),
            ]);
        },
        "zlib: flush": () =>
            new Promise(resolve => {
                const gzip = zlib.createDeflateRaw();
                const chunks = [];
                gzip.on("data", chunk => chunks.push(chunk));
                gzip.write("abc");
                gzip.flush(() =>
                    resolve(
                        zlib
                            .inflateRawSync(Buffer.concat(chunks), {
                                finishFlush: zlib.constants.Z_SYNC_FLUSH,
                            })
                            .toString()
                    )
                );
            }),
        "zlib: brotli's flush": async () => [
            await flushed(zlib.createBrotliCompress()),
            await flushed(zlib.createBrotliCompress({ params: brotliFast })),
            await flushed(zlib.createBrotliDecompress(), zlib.brotliCompressSync(longText)),
        ],
        "zlib: zstd's flush": async () => [
            await flushed(zlib.createZstdCompress()),
            await flushed(zlib.createZstdCompress(zstd({ ZSTD_c_compressionLevel: 1 }))),
            await flushed(zlib.createZstdDecompress(), zlib.zstdCompressSync(longText)),
        ],
        "zlib: brotli and zstd after a flush are there and back": async () => {
            const all = [];
            for (const [coder, decoder] of [
                [zlib.createBrotliCompress({ params: brotliFast }), zlib.createBrotliDecompress()],
                [zlib.createZstdCompress(), zlib.createZstdDecompress()],
            ]) {
                const back = text(coder.pipe(decoder));
                for (const part of ["one ", longText, "", "two "]) {
                    coder.write(part);
                    await new Promise(done => coder.flush(done));
                }
                coder.end("three");
                all.push((await back) === `one ${longText}two three`);
            }
            return all;
        },
        "zlib: what is flushed can be read before the end": async () => {
            const all = [];
            for (const [coder, decode, finishFlush] of [
                [zlib.createBrotliCompress(), zlib.brotliDecompressSync, "BROTLI_OPERATION_FLUSH"],
                [zlib.createZstdCompress(), zlib.zstdDecompressSync, "ZSTD_e_flush"],
                [zlib.createGzip(), zlib.gunzipSync, "Z_SYNC_FLUSH"],
            ]) {
                const chunks = [];
                coder.on("data", chunk => chunks.push(chunk));
                coder.write("so far");
                await new Promise(done => coder.flush(done));
                const options = { finishFlush: zlib.constants[finishFlush] };
                all.push(String(decode(Buffer.concat(chunks), options)));
            }
            return all;
        },
        "zlib: the option flush": async () => {
            const all = [];
            for (const [coder, flush] of [
                ["createGzip", "Z_SYNC_FLUSH"],
                ["createBrotliCompress", "BROTLI_OPERATION_FLUSH"],
                ["createZstdCompress", "ZSTD_e_flush"],
            ]) {
                const stream = zlib[coder]({ flush: zlib.constants[flush] });
                let size = 0;
                stream.on("data", chunk => (size += chunk.length));
                await new Promise(done => stream.write("at once", done));
                all.push(size > 7);
            }
            return all;
        },
        "zlib: flush after the end": async () => {
            const all = [];
            for (const coder of [zlib.createGzip(), zlib.createBrotliCompress()]) {
                coder.resume().end("text");
                await new Promise(done => coder.flush(done));
                all.push(coder.writableFinished);
                await new Promise(done => coder.flush(done));
            }
            return all;
        },
        "zlib: params": async () => {
            const deflate = zlib.createDeflate({ level: 0 });
            const back = deflate.pipe(zlib.createInflate()).toArray();
            const sizes = [];
            let size = 0;
            deflate.on("data", chunk => (size += chunk.length));
            for (const level of [9, 0, 9]) {
                deflate.write("text ".repeat(100));
                await new Promise(done => deflate.params(level, 0, done));
                sizes.push(size > 400);
                size = 0;
            }
            deflate.end();
            return [
                sizes,
                String(Buffer.concat(await back)) === "text ".repeat(300),
                attempt(() => deflate.params(10, 0)),
                attempt(() => zlib.createGzip().params(1, "0")),
                typeof zlib.createZstdCompress().params,
            ];
        },
        "zlib: reset": async () => {
            const gzip = zlib.createGzip();
            const chunks = [];
            gzip.on("data", chunk => chunks.push(chunk));
            gzip.write("lost");
            await new Promise(done => gzip.flush(done));
            chunks.length = 0;
            gzip.reset();
            await new Promise(done => gzip.on("end", done).end("kept"));
            return String(zlib.gunzipSync(Buffer.concat(chunks)));
        },
        "zlib: constants": () => [
            zlib.constants.Z_BEST_COMPRESSION,
            zlib.constants.Z_SYNC_FLUSH,
            zlib.codes.Z_DATA_ERROR,
        ],
    });
