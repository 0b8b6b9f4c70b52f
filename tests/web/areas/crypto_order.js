// crypto.subtle: in which order arguments are converted, algorithms read, and errors found.
import { area, equal, rejects, same, test } from "../harness.js";

const { subtle } = crypto;

// An object that notes which of its members are read.
function watched(members, log, prefix = "") {
    const object = {};
    for (const [name, value] of Object.entries(members)) {
        Object.defineProperty(object, name, {
            enumerable: true,
            get() {
                log.push(prefix + name);
                return value;
            },
        });
    }
    return object;
}

test("members are read as Web IDL says", async () => {
    const reads = async (run, members) => {
        const log = [];
        await run(watched(members, log)).catch(() => {});
        return log.join(" ");
    };
    const generate = algorithm => subtle.generateKey(algorithm, true, []);
    const rsa = { name: "RSA-PSS", hash: "SHA-256", modulusLength: 1, publicExponent: null };
    equal(await reads(generate, rsa), "name name modulusLength publicExponent");
    rsa.publicExponent = new Uint8Array(1);
    equal(await reads(generate, rsa), "name name modulusLength publicExponent hash");
    equal(
        await reads(generate, { length: 1, name: "HMAC", hash: "SHA-1" }),
        "name name hash length"
    );
    equal(await reads(generate, { name: "none", length: 1 }), "name");
    const import_ = key => subtle.importKey("jwk", key, "AES-CBC", true, ["encrypt"]);
    const jwk = Object.fromEntries(
        "y x use qi q p oth n kty key_ops k ext e dq dp d crv alg"
            .split(" ")
            .map(name => [name, undefined])
    );
    equal(await reads(import_, jwk), "alg crv d dp dq e ext k key_ops kty n oth p q qi use x y");
});

test("arguments are converted before the algorithm is read", async () => {
    const log = [];
    const algorithm = watched({ name: "none" }, log);
    const key = await subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"]);
    const data = new Uint8Array(4);
    await rejects(TypeError, subtle.encrypt(algorithm, {}, data));
    await rejects(TypeError, subtle.encrypt(algorithm, key, "data"));
    await rejects(TypeError, subtle.sign(algorithm, key, null));
    await rejects(TypeError, subtle.verify(algorithm, key, data, []));
    await rejects(TypeError, subtle.digest(algorithm, {}));
    await rejects(TypeError, subtle.generateKey(algorithm, true, "sign"));
    await rejects(TypeError, subtle.generateKey(algorithm, true, ["fly"]));
    await rejects(TypeError, subtle.deriveBits(algorithm, {}, 8));
    await rejects(TypeError, subtle.deriveKey(algorithm, key, Symbol(), true, []));
    await rejects(TypeError, subtle.importKey("none", data, algorithm, true, []));
    await rejects(TypeError, subtle.importKey("raw", 5, algorithm, true, []));
    await rejects(TypeError, subtle.wrapKey("raw", key, {}, algorithm));
    await rejects(TypeError, subtle.unwrapKey("raw", data, {}, algorithm, "none", true, []));
    same(log, []);
    // Which kind of data goes with a format is found out after that.
    await rejects("NotSupportedError", subtle.importKey("raw", {}, algorithm, true, []));
    await rejects(TypeError, subtle.importKey("raw", {}, "HKDF", false, ["deriveBits"]));
    await rejects(TypeError, subtle.importKey("jwk", data, "AES-CBC", false, ["encrypt"]));
    await rejects("DataError", subtle.importKey("jwk", {}, "AES-CBC", false, ["encrypt"]));
});

test("what a getter does to bytes", async () => {
    const data = Uint8Array.of(9, 2, 3);
    const algorithm = {
        get name() {
            data[0] = 1;
            return "SHA-256";
        },
    };
    const digest = await subtle.digest("SHA-256", Uint8Array.of(1, 2, 3));
    same([...new Uint8Array(await subtle.digest(algorithm, data))], [...new Uint8Array(digest)]);
    const salt = Uint8Array.of(1);
    const key = await subtle.importKey("raw", data, "HKDF", false, ["deriveKey", "deriveBits"]);
    const hkdf = { name: "HKDF", hash: "SHA-256", info: new Uint8Array(0), salt };
    const expected = new Uint8Array(await subtle.deriveBits(hkdf, key, 128));
    const type = {
        name: "AES-GCM",
        get length() {
            salt[0] = 2;
            return 128;
        },
    };
    const derived = await subtle.deriveKey(hkdf, key, type, true, ["encrypt"]);
    same([...new Uint8Array(await subtle.exportKey("raw", derived))], [...expected]);
});

test("errors of RSA", async () => {
    const generate = (changes, usages) =>
        subtle.generateKey(
            {
                name: "RSA-PSS",
                hash: "SHA-256",
                modulusLength: 1024,
                publicExponent: Uint8Array.of(1, 0, 1),
                ...changes,
            },
            true,
            usages
        );
    for (const publicExponent of [
        [1],
        [1, 0, 0],
        [],
        [0, 0],
        [0, 1],
        [1, 0, 0, 0, 0, 0, 0, 0, 1],
    ]) {
        const changes = { publicExponent: Uint8Array.from(publicExponent) };
        await rejects("OperationError", generate(changes, []), publicExponent.join());
        await rejects("OperationError", generate(changes, ["sign"]), publicExponent.join());
        await rejects("SyntaxError", generate(changes, ["encrypt"]), publicExponent.join());
    }
    await rejects("OperationError", generate({ modulusLength: 0 }, []));
    await rejects("OperationError", generate({ modulusLength: 100000 }, ["sign"]));
    await rejects(TypeError, generate({ modulusLength: 1024 + 2 ** 32 }, []));
    await rejects(TypeError, generate({ modulusLength: 1024 - 2 ** 32 }, []));
    await rejects(TypeError, generate({ publicExponent: [1, 0, 1] }, []));
    await rejects("SyntaxError", generate({}, []));
    const { publicKey } = await generate({ publicExponent: Uint8Array.of(0, 1, 0, 1) }, ["sign"]);
    same([...publicKey.algorithm.publicExponent], [0, 1, 0, 1]);
    await rejects("SyntaxError", generate({}, ["verify"]));
    await rejects("NotSupportedError", generate({ hash: "SHA" }, []));
});

test("an HMAC key of no bits", async () => {
    const none = { name: "HMAC", hash: "SHA-256", length: 0 };
    await rejects("OperationError", subtle.generateKey(none, true, ["sign"]));
    await rejects("SyntaxError", subtle.generateKey(none, true, ["encrypt"]));
    const key = await subtle.importKey("raw", new Uint8Array(8), "HKDF", false, ["deriveKey"]);
    const empty = new Uint8Array(0);
    const hkdf = { name: "HKDF", hash: "SHA-256", info: empty, salt: empty };
    await rejects(TypeError, subtle.deriveKey(hkdf, key, none, true, ["sign"]));
});

test("a length is a number of 32 bits", async () => {
    const key = await subtle.importKey("raw", new Uint8Array(8), "HKDF", false, ["deriveBits"]);
    const empty = new Uint8Array(0);
    const hkdf = { name: "HKDF", hash: "SHA-256", info: empty, salt: empty };
    equal((await subtle.deriveBits(hkdf, key, 2 ** 32 + 16)).byteLength, 2);
    equal((await subtle.deriveBits(hkdf, key, 0)).byteLength, 0);
    await rejects("OperationError", subtle.deriveBits(hkdf, key, null));
    await rejects("OperationError", subtle.deriveBits(hkdf, key));
    await rejects("OperationError", subtle.deriveBits(hkdf, key, 12));
});

export default area;
