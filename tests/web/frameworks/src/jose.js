import * as jose from "jose";

const text = new TextEncoder();
const claims = { sub: "1234", name: "Zoë", admin: true };
const now = new Date("2025-06-01T00:00:00Z");
const later = { currentDate: new Date("2025-06-01T00:30:00Z"), issuer: "snapcell" };

const jwt = (alg, kid) =>
    new jose.SignJWT(claims)
        .setProtectedHeader({ alg, kid })
        .setIssuedAt(now)
        .setIssuer("snapcell")
        .setExpirationTime(new Date(now.getTime() + 3600000));

const failure = promise =>
    promise.then(
        () => "accepted",
        ({ code, name }) => code ?? name
    );
const tampered = token => token.replace(/\.(.)/, (all, first) => `.${first === "e" ? "f" : "e"}`);

async function signed(alg, keys) {
    const token = await jwt(alg).sign(keys.private);
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys.public, later);
    return {
        alg,
        token: /^(HS|RS|Ed)/.test(alg) ? token : token.length, // the others' signatures are random
        payload,
        protectedHeader,
        tampered: await failure(jose.jwtVerify(tampered(token), keys.public, later)),
        expired: await failure(
            jose.jwtVerify(token, keys.public, { currentDate: new Date("2026-01-01") })
        ),
        otherIssuer: await failure(jose.jwtVerify(token, keys.public, { ...later, issuer: "x" })),
        otherAlgorithm: await failure(
            jose.jwtVerify(token, keys.public, { ...later, algorithms: ["none"] })
        ),
    };
}

async function generated(alg) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    const pem = await jose.exportPKCS8(privateKey);
    const jwk = await jose.exportJWK(publicKey);
    const again = await jose.importJWK(jwk, alg);
    const result = await signed(alg, { private: await jose.importPKCS8(pem, alg), public: again });
    delete result.token;
    const thumbprint = await jose.calculateJwkThumbprint(jwk);
    return { ...result, jwk: Object.keys(jwk).sort(), thumbprint: thumbprint.length };
}

async function encrypted(alg, enc, key, decryptionKey = key) {
    const jwe = await new jose.CompactEncrypt(text.encode("secret ü"))
        .setProtectedHeader({ alg, enc })
        .encrypt(key);
    const options = { keyManagementAlgorithms: [alg] };
    const decrypted = await jose.compactDecrypt(jwe, decryptionKey, options);
    const { plaintext, protectedHeader } = decrypted;
    const broken = jwe.slice(0, -6) + (jwe.at(-6) === "A" ? "B" : "A") + jwe.slice(-5);
    return {
        header: { ...protectedHeader, epk: protectedHeader.epk?.crv, iv: 0, tag: 0, p2s: 0 },
        text: new TextDecoder().decode(plaintext),
        parts: jwe.split(".").length,
        broken: await failure(jose.compactDecrypt(broken, decryptionKey, options)),
    };
}

async function keySet() {
    const { privateKey, publicKey } = await jose.generateKeyPair("ES256");
    const set = jose.createLocalJWKSet({
        keys: [{ ...(await jose.exportJWK(publicKey)), kid: "one", alg: "ES256" }],
    });
    const token = kid => jwt("ES256", kid).sign(privateKey);
    return [
        (await jose.jwtVerify(await token("one"), set, later)).payload.sub,
        await failure(jose.jwtVerify(await token("two"), set, later)),
    ];
}

async function fixed({ secret, rsa, ed25519 }) {
    const bytes = text.encode(secret);
    const pair = async (jwk, alg) => {
        const { d, p, q, dp, dq, qi, ...rest } = jwk;
        return { private: await jose.importJWK(jwk, alg), public: await jose.importJWK(rest, alg) };
    };
    return [
        await signed("HS256", { private: bytes, public: bytes }),
        await signed("RS256", await pair(rsa, "RS256")),
        await signed("EdDSA", await pair(ed25519, "EdDSA")),
    ];
}

export default {
    async fetch(request) {
        const keys = await request.json();
        const ecdh = await jose.generateKeyPair("ECDH-ES");
        const rsa = await jose.generateKeyPair("RSA-OAEP-256");
        return Response.json({
            fixed: await fixed(keys),
            generated: [
                await generated("ES256"),
                await generated("ES384"),
                await generated("PS256"),
            ],
            encrypted: [
                await encrypted("dir", "A256GCM", new Uint8Array(32).fill(7)),
                await encrypted("A128KW", "A128CBC-HS256", new Uint8Array(16).fill(8)),
                await encrypted("A256GCMKW", "A256GCM", new Uint8Array(32).fill(9)),
                await encrypted("ECDH-ES+A128KW", "A128GCM", ecdh.publicKey, ecdh.privateKey),
                await encrypted("RSA-OAEP-256", "A256CBC-HS512", rsa.publicKey, rsa.privateKey),
                await encrypted("PBES2-HS256+A128KW", "A128GCM", text.encode("a password")),
            ],
            keySet: await keySet(),
            unsecured: jose.UnsecuredJWT.decode(new jose.UnsecuredJWT(claims).encode()).payload,
        });
    },
};
