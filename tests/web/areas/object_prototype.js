// What a function adds to Object.prototype is not a member of options, algorithms, keys and descriptors.
import { area, equal, test } from "../harness.js";

const names =
    "get set value writable encrypt octet short string long hash key bytes iv tagLength length public type " +
    "name kty d context saltLength label additionalData alphabet lastChunkHandling omitPadding fatal " +
    "ignoreBOM stream ignoreCase baseURL protocol hostname port pathname search undefined 0";

async function polluted(body) {
    for (const name of names.split(" ")) {
        Object.defineProperty(Object.prototype, name, {
            __proto__: null,
            value() {
                throw new Error(`polluted ${name}`);
            },
            writable: true,
            configurable: true,
            enumerable: true,
        });
    }
    try {
        return await body();
    } finally {
        for (const name of names.split(" ")) delete Object.prototype[name];
    }
}

const { subtle } = crypto;
const bare = members => Object.assign({ __proto__: null }, members);
const bytes = size => new Uint8Array(size);

const operations = {
    async digest() {
        return (await subtle.digest("SHA-256", bytes(1))).byteLength;
    },
    async "an operation that an algorithm does not have"() {
        const key = await subtle.importKey("raw", bytes(16), "HKDF", false, ["deriveBits"]);
        return subtle.encrypt("HKDF", key, bytes(1)).then(String, error => error.name);
    },
    async encrypt() {
        const key = await subtle.importKey("raw", bytes(16), "AES-GCM", false, ["encrypt"]);
        const algorithm = bare({ name: "AES-GCM", iv: bytes(12) });
        return (await subtle.encrypt(algorithm, key, bytes(1))).byteLength;
    },
    async "keys as JWK"() {
        const jwk = bare({ kty: "oct", k: "AAAAAAAAAAAAAAAAAAAAAA" });
        const key = await subtle.importKey("jwk", jwk, "AES-KW", true, ["wrapKey"]);
        return Object.keys(await subtle.exportKey("jwk", key))
            .sort()
            .join();
    },
    async "text decoders"() {
        return new TextDecoder("utf-16le").decode(Uint8Array.of(65, 0));
    },
    async base64() {
        return Uint8Array.fromBase64("AQID").toBase64();
    },
    async patterns() {
        const pattern = new URLPattern(bare({ pathname: "/:a" }));
        const { pathname } = pattern.exec("https://x.org/1");
        return `${pattern.hostname} ${pattern.pathname} ${pathname.groups.a}`;
    },
    async "patterns of a text"() {
        return new URLPattern("https://x.org/:a?").pathname;
    },
    async URLs() {
        return new URL("../x?q#h", "http://b\u00fccher.de/a/b").href;
    },
    async "data: URLs"() {
        const response = await fetch("data:text/plain;charset=x,abc");
        return `${response.headers.get("content-type")} ${await response.text()}`;
    },
    async "classes that are first seen then"() {
        return [MessageChannel, CompressionStream, FormData, File].map(Class => Class.name).join();
    },
};

for (const [name, operation] of Object.entries(operations)) {
    test(name, async () => {
        const result = await polluted(operation);
        equal(result, await operation());
    });
}

export default area;
