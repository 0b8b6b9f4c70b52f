// The functions that costs.mjs measures, as texts of bundles.

// What stands for an engine without any web API: nothing of it is touched, and a caller gets a text.
export const bare = 'export default function handler() { return "Hello"; }';

const answers = 'export default { fetch() { return new Response("Hello"); } };';
const keeping = names => `globalThis.kept = [${names.join(", ")}];\n${answers}`;
const five = ["URL", "Request", "Response", "Headers", "URLSearchParams"];
const more = ["ReadableStream", "Blob", "FormData", "AbortController", "crypto.subtle"];

export const goals = { hello: answers, five: keeping(five), ten: keeping([...five, ...more]) };

// What a row of the table touches, at top level, in a function that touches nothing else.
export const apis = [
    ["Response, Request", ["Response"]],
    ["Headers", ["Headers"]],
    ["URL, URLSearchParams", ["URL"]],
    ["URLPattern", ["URLPattern"]],
    ["TextEncoder, TextDecoder", ["TextEncoder"]],
    ["ReadableStream, WritableStream, TransformStream", ["ReadableStream"]],
    ["TextEncoderStream, TextDecoderStream", ["TextDecoderStream"]],
    ["CompressionStream, DecompressionStream", ["CompressionStream"]],
    ["Blob, File", ["Blob"]],
    ["FormData", ["FormData"]],
    ["AbortController, AbortSignal", ["AbortController"]],
    ["Event, EventTarget", ["EventTarget"]],
    ["MessageChannel, MessagePort", ["MessageChannel"]],
    ["crypto", ["crypto"]],
    ["crypto.subtle, CryptoKey", ["crypto.subtle"]],
    ["structuredClone", ["structuredClone"]],
    ["DOMException", ["DOMException"]],
    ["console", ["console"]],
    ["setTimeout and the like", ["setTimeout"]],
    ["atob, btoa", ["atob"]],
    ["performance", ["performance"]],
].map(([name, touched]) => ({
    name,
    text: `globalThis.kept = [${touched.join(", ")}];\n${bare}`,
}));

// First uses at run time. The compiler makes ready what a text names; these name nothing.
const firstUse = code => `
const api = name => globalThis[name];
const make = (name, ...args) => new (api(name))(...args);
export default async function handler() { ${code}; return "Hello"; }`;

export const firstUses = [
    ["nothing", ""],
    ["Response", 'make("Response", "x")'],
    ["URL", 'make("URL", "http://localhost/a?b=c").searchParams.get("b")'],
    ["URL with a base", 'make("URL", "../a", "http://localhost/b/c").href'],
    ["Headers", 'make("Headers", { a: "b" }).get("a")'],
    ["TextDecoder", 'make("TextDecoder").decode(new Uint8Array([65]))'],
    [
        "TextDecoder, windows-1251",
        'make("TextDecoder", "windows-1251").decode(new Uint8Array([200]))',
    ],
    ["TextDecoder, big5", 'make("TextDecoder", "big5").decode(new Uint8Array([164, 64]))'],
    [
        "ReadableStream",
        'await make("ReadableStream", { start(c) { c.enqueue(1); c.close(); } }).getReader().read()',
    ],
    ["TransformStream", 'make("TransformStream").writable.getWriter()'],
    [
        "CompressionStream",
        'const stream = make("CompressionStream", "gzip"); const writer = stream.writable.getWriter();' +
            "writer.write(new Uint8Array([1])); writer.close();" +
            "await stream.readable.getReader().read()",
    ],
    ["Blob", 'await make("Blob", ["a"]).text()'],
    ["FormData", 'make("FormData").append("a", "b")'],
    ["AbortController", 'make("AbortController").abort()'],
    ["MessageChannel", 'make("MessageChannel").port1.close()'],
    ["crypto.randomUUID", 'api("crypto").randomUUID()'],
    ["crypto.subtle", 'await api("crypto").subtle.digest("SHA-256", new Uint8Array(1))'],
    ["structuredClone", 'api("structuredClone")({ a: 1 })'],
    ["URLPattern", 'make("URLPattern", { pathname: "/:a" }).test("http://localhost/b")'],
    ["performance.now", 'api("performance").now()'],
].map(([name, code]) => ({ name: `first use of ${name}`, text: firstUse(code) }));

// Bodies of 1 MiB, timed by the function itself, so that the same text runs in Node. The fastest of
// many rounds: what a machine adds now and then is not the engine's.
export const bodies = `
const size = 1 << 20;
const ascii = "0123456789abcdef".repeat(size / 16);
const wide = "zw\\u00f6lf\\ud83c\\udf50 ".repeat(size / 16);
const list = Array.from({ length: size / 64 }, (_, i) => ({ id: i, name: "item " + i, tags: ["a", "b"] }));
const json = JSON.stringify(list);
const bytes = new Uint8Array(size).fill(97);
const jsonBytes = new TextEncoder().encode(json);
const wideBytes = new TextEncoder().encode(wide);
const piece = bytes.subarray(0, 65536);
const stream = () => {
    let left = 16;
    return new ReadableStream({
        pull(controller) {
            if (left-- > 0) controller.enqueue(piece.slice());
            else controller.close();
        },
    });
};
const kinds = {
    "text to text": () => new Response(ascii).text(),
    "wide text to text": () => new Response(wide).text(),
    "text to bytes": () => new Response(ascii).arrayBuffer(),
    "wide text to bytes": () => new Response(wide).arrayBuffer(),
    "bytes to text": () => new Response(bytes).text(),
    "wide bytes to text": () => new Response(wideBytes).text(),
    "bytes to bytes": () => new Response(bytes).arrayBuffer(),
    "value to JSON": () => Response.json(list).text(),
    "JSON text to value": () => new Response(json).json(),
    "JSON bytes to value": () => new Response(jsonBytes).json(),
    "request, text to text": () =>
        new Request("http://localhost/", { method: "POST", body: ascii }).text(),
    "stream to bytes": () => new Response(stream()).arrayBuffer(),
    "stream to text": () => new Response(stream()).text(),
};
export default async function handler({ rounds }) {
    const result = {};
    for (const [name, once] of Object.entries(kinds)) {
        let best = Infinity;
        for (let i = 0; i < rounds; i++) {
            const start = performance.now();
            await once();
            best = Math.min(best, performance.now() - start);
        }
        result[name] = best * 1000;
    }
    return result;
}`;
