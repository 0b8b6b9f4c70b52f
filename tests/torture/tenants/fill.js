// A tenant with a secret, which comes with the request: it ends up in as many kinds of memory as there are.
const kept = [];

function fillStrings(secret) {
    const wide = secret + "\u{1F511}";
    const joined = Array.from({ length: 200 }, (_, i) => `${i}:${secret}`).join("");
    kept.push(joined, joined.slice(5), wide.repeat(50), Symbol(secret), new Map([[secret, wide]]));
    kept.push({ [secret]: secret }, new RegExp(secret), JSON.parse(`{"${secret}":["${secret}"]}`));
    kept.push(
        secret.replace(/[a-z]/g, c => c),
        encodeURIComponent(wide),
        new Error(secret)
    );
    secret.match(new RegExp(`(${secret})|(.*)x`, "i"));
}

function fillBytes(secret) {
    const bytes = new TextEncoder().encode(secret);
    for (const size of [16, 40, 500, 4096, 40_000, 300_000, 3_000_000]) {
        const buffer = new Uint8Array(size);
        for (let at = 0; at + bytes.length <= size; at += bytes.length) buffer.set(bytes, at);
        kept.push(buffer, buffer.slice(1), buffer.buffer.transfer?.(size + 8));
    }
    const memory = new WebAssembly.Memory({ initial: 2 });
    new Uint8Array(memory.buffer).set(bytes, 70_000);
    memory.grow(1);
    kept.push(memory, new Float64Array(100).fill(1), new BigUint64Array(bytes.buffer.slice(0, 16)));
}

async function fillApis(secret) {
    const bytes = new TextEncoder().encode(secret.repeat(300));
    kept.push(new URL(`https://${secret}.example/${secret}?${secret}`).href, btoa(secret));
    kept.push(new TextDecoder().decode(bytes), new TextDecoder("utf-16le").decode(bytes));
    kept.push(structuredClone({ secret, bytes }), new Headers({ secret }), new Blob([secret]));
    for (const format of ["gzip", "deflate", "deflate-raw"]) {
        const packed = new Response(bytes).body.pipeThrough(new CompressionStream(format));
        const plain = packed.pipeThrough(new DecompressionStream(format));
        kept.push(await new Response(plain).text());
    }
    kept.push(await crypto.subtle.digest("SHA-256", bytes));
    const raw = bytes.slice(0, 32);
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, true, [
        "sign",
    ]);
    kept.push(
        key,
        await crypto.subtle.sign("HMAC", key, bytes),
        await crypto.subtle.exportKey("jwk", key)
    );
    const aes = await crypto.subtle.importKey("raw", raw, "AES-GCM", true, ["encrypt", "decrypt"]);
    const iv = new Uint8Array(12);
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, bytes);
    kept.push(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, sealed));
}

// Compiled code with the secret among its constants, hot enough for the optimizing compilers.
function fillCode(secret) {
    const tagged = text => text + secret;
    let size = 0;
    for (let i = 0; i < 3000; i++) size += tagged(`${i}`).length;
    kept.push(size);
}

export default {
    async fetch(request, env) {
        const secret = await request.text();
        fillStrings(secret + env.SECRET);
        fillStrings(secret);
        fillBytes(secret);
        fillCode(secret);
        await fillApis(secret);
        console.log(secret);
        if (request.url.endsWith("/throw")) throw new Error(secret);
        return new Response(secret.repeat(100), { headers: { secret } });
    },
};
