// What loader_fuzz.c calls: the path names an API, the body is what it gets.
const subtle = crypto.subtle;
const importAll = (format, bytes) =>
    Promise.allSettled([
        subtle.importKey(format, bytes, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]),
        subtle.importKey(format, bytes, { name: "ECDH", namedCurve: "P-521" }, true, []),
        subtle.importKey(format, bytes, { name: "RSA-PSS", hash: "SHA-256" }, true, ["verify"]),
        subtle.importKey(format, bytes, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" }, true, [
            "sign",
        ]),
        subtle.importKey(format, bytes, "Ed25519", true, ["sign"]),
        subtle.importKey(format, bytes, "X25519", true, ["deriveBits"]),
        subtle.importKey(format, bytes, "AES-GCM", true, ["encrypt"]),
    ]).then(all =>
        Promise.all(all.filter(one => one.value).map(one => subtle.exportKey(format, one.value)))
    );
const stream = (bytes, transform) =>
    new Response(new Response(bytes).body.pipeThrough(transform)).text();

const apis = {
    url(text) {
        const url = new URL(text, "http://a.example/b?c#d");
        url.host = url.search = url.pathname = text;
        return url.href + url.searchParams.get("c") + URL.canParse(text);
    },
    decode: (text, bytes) =>
        [
            "utf-8",
            "utf-16be",
            "gb18030",
            "shift_jis",
            "big5",
            "euc-kr",
            "iso-2022-jp",
            text.slice(0, 9),
        ].map(label =>
            new TextDecoder(label, { ignoreBOM: bytes[0] > 9 }).decode(bytes.slice(1), {
                stream: bytes[1] > 9,
            })
        ),
    encode: text => new TextEncoder().encodeInto(text, new Uint8Array(text.length)).read,
    base64: text => btoa(unescape(encodeURIComponent(text))) + atob(text),
    inflate: (text, bytes) =>
        stream(
            bytes.slice(1),
            new DecompressionStream(["gzip", "deflate", "deflate-raw"][bytes[0] % 3])
        ),
    deflate: (text, bytes) =>
        stream(
            bytes.slice(1),
            new CompressionStream(["gzip", "deflate", "deflate-raw"][bytes[0] % 3])
        ),
    clone: text =>
        structuredClone({ value: JSON.parse(text), map: new Map([[text, new Error(text)]]) }).value,
    spki: (text, bytes) => importAll("spki", bytes),
    pkcs8: (text, bytes) => importAll("pkcs8", bytes),
    raw: (text, bytes) => importAll("raw", bytes),
    jwk: text => importAll("jwk", JSON.parse(text)),
    headers: text => [...new Headers([[text.slice(0, 5), text.slice(5)]])],
    request: text => new Request(text, { method: text.slice(0, 4), headers: { a: text } }).url,
    form: text =>
        new Response(text, {
            headers: { "content-type": "multipart/form-data; boundary=x" },
        }).formData(),
    query: text => new URLSearchParams(text).toString(),
    pattern: text => new URLPattern(text, "http://a.example/").test(text),
    log: text => console.log(text, { text }),
    answer: text => new Response(text, { status: 200 + (text.length % 399), headers: { text } }),
    fail(text) {
        throw new Error(text, { cause: text });
    },
    echo: (text, bytes) => new Response(bytes),
};

export default {
    async fetch(request) {
        const bytes = new Uint8Array(await request.arrayBuffer());
        const api = apis[new URL(request.url).pathname.slice(1)] ?? apis.echo;
        const result = await api(new TextDecoder().decode(bytes), bytes);
        return result instanceof Response ? result : new Response(String(result).slice(0, 1000));
    },
};
