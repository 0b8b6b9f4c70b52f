// Operations whose size a client or a server elsewhere decides. handler({operation, size}) does one;
// handler({}) gives their names. What is made for it is part of it, and must not grow faster either.
const repeat = (size, make) => Array.from({ length: size }, (_, i) => make(i));
const names = size => repeat(size, i => `x${i}`);
const bytes = size => new Uint8Array(size).fill(97);
const form = size => {
    const made = new FormData();
    for (const name of names(size)) made.append(name, "v");
    return made;
};
const multipart = async size => {
    const response = new Response(form(size));
    return new Response(await response.bytes(), { headers: response.headers });
};
const headers = size => new Headers(names(size).map(name => [name, "v"]));
const drain = async stream => {
    let count = 0;
    for await (const chunk of stream) count += chunk.length;
    return count;
};
const source = (size, chunk) => {
    let left = size;
    return new ReadableStream({
        pull(controller) {
            if (left-- > 0) controller.enqueue(chunk);
            else controller.close();
        },
    });
};
const full = (size, chunk) =>
    new ReadableStream({
        start(controller) {
            for (let i = 0; i < size; i++) controller.enqueue(chunk);
            controller.close();
        },
    });

const operations = {
    "headers: iterate": size => [...headers(size)].length,
    "headers: get each": size => {
        const all = headers(size);
        for (const name of all.keys()) all.get(name);
    },
    "headers: set each": size => {
        const all = headers(size);
        for (const name of names(size)) all.set(name, "w");
    },
    "headers: delete each": size => {
        const all = headers(size);
        for (const name of names(size)) all.delete(name);
    },
    "headers: one name": size => {
        const all = new Headers();
        for (let i = 0; i < size; i++) all.append("a", "v");
        return all.get("a").length;
    },
    "headers: cookies": size => {
        const all = new Headers();
        for (let i = 0; i < size; i++) all.append("set-cookie", "a=b");
        return [...all].length + all.getSetCookie().length;
    },
    "headers: long value": size => new Headers({ a: " ".repeat(size * 50) + "b" }).get("a"),
    "headers: copy": size => new Headers(headers(size)),
    "request: copy": size => new Request(new Request("http://a/", { headers: headers(size) })),
    "response: clone": size => new Response(null, { headers: headers(size) }).clone(),
    "mime: parameters": size =>
        new Response("", {
            headers: {
                "content-type": `text/plain${names(size)
                    .map(n => `;${n}="a\\"b"`)
                    .join("")}`,
            },
        }).blob(),
    "params: parse": size => new URLSearchParams(names(size).join("&")).size,
    "params: get each": size => {
        const all = new URLSearchParams(names(size).join("&"));
        return all.get(`x${size - 1}`);
    },
    "params: append": size => {
        const all = new URLSearchParams();
        for (const name of names(size)) all.append(name, "v");
        return all.toString().length;
    },
    "params: append to a URL": size => {
        const url = new URL("http://a/");
        for (const name of names(size)) url.searchParams.append(name, "v");
        return url.href.length;
    },
    "params: sort": size => {
        const all = new URLSearchParams(names(size).join("&"));
        all.sort();
    },
    "params: iterate": size => [...new URLSearchParams(names(size).join("&"))].length,
    "params: plus signs": size =>
        new URLSearchParams(`a=${"+%20".repeat(size * 20)}`).get("a").length,
    "url: long path": size => new URL(`http://a/${"b/../".repeat(size * 4)}`).href.length,
    "url: deep path": size =>
        new URL(`http://a/${"b/".repeat(size * 10)}${"../".repeat(size)}`).href.length,
    "url: percent": size => new URL(`http://a/${"\u00e9".repeat(size * 20)}`).href.length,
    "url: query": size => new URL(`http://a/?${"a b'".repeat(size * 20)}`).href.length,
    "url: host": size => URL.canParse(`http://${"a.".repeat(size * 10)}b/`),
    "url: international host": size => URL.canParse(`http://${"\u00fc.".repeat(size)}b/`),
    "url: user": size => new URL(`http://${"@".repeat(size * 10)}a/`).href.length,
    "url: blanks": size =>
        new URL(`${" ".repeat(size * 50)}http://a/\t\n${" ".repeat(size * 50)}`).href,
    "url: data": size => new URL(`data:text/plain,${" ".repeat(size * 20)}x`).href.length,
    "form: append": size => form(size),
    "form: get each": size => form(size).get(`x${size - 1}`),
    "form: encode": async size => (await new Response(form(size)).bytes()).length,
    "form: multipart": async size => [...(await (await multipart(size)).formData())].length,
    "form: dashes": async size => {
        const type = "multipart/form-data; boundary=-";
        const text = `---\r\ncontent-disposition: form-data; name="a"\r\n\r\n${"\r\n--".repeat(size * 20)}\r\n-----\r\n`;
        const response = new Response(text, { headers: { "content-type": type } });
        return response.formData().then(String, String);
    },
    "form: disposition": async size => {
        const type = "multipart/form-data; boundary=b";
        const text = `--b\r\ncontent-disposition: form-data; name="${'\\"'.repeat(size * 20)}\r\n\r\nv\r\n--b--\r\n`;
        const response = new Response(text, { headers: { "content-type": type } });
        return response.formData().then(String, String);
    },
    "form: urlencoded": async size =>
        (await new Response(new URLSearchParams(names(size).join("&"))).formData()).has("x"),
    "body: text": size => new Response(bytes(size * 100)).text(),
    "body: json": size => new Response(JSON.stringify(names(size))).json(),
    "body: of a stream": async size => (await new Response(source(size, bytes(10))).bytes()).length,
    "body: tee": async size => {
        const response = new Response(source(size, bytes(10)));
        const copy = response.clone();
        return (await response.bytes()).length + (await copy.bytes()).length;
    },
    "stream: read": size => drain(source(size, "a")),
    "stream: queue": size => drain(full(size, "a")),
    "stream: bytes": size =>
        drain(
            new ReadableStream({
                type: "bytes",
                start(controller) {
                    for (let i = 0; i < size; i++) controller.enqueue(new Uint8Array(1));
                    controller.close();
                },
            })
        ),
    "stream: large reads of small chunks": async size => {
        const stream = new ReadableStream({
            type: "bytes",
            start(controller) {
                for (let i = 0; i < size; i++) controller.enqueue(new Uint8Array(1));
            },
        });
        const reader = stream.getReader({ mode: "byob" });
        return (await reader.read(new Uint8Array(size), { min: size })).value.length;
    },
    "stream: writes": async size => {
        const writer = new WritableStream({ write() {} }).getWriter();
        await Promise.all(repeat(size, () => writer.write("a")));
    },
    "stream: requests": async size => {
        let controller;
        const reader = new ReadableStream({
            start: given => void (controller = given),
        }).getReader();
        const reads = repeat(size, () => reader.read());
        for (let i = 0; i < size; i++) controller.enqueue("a");
        await Promise.all(reads);
    },
    "stream: pipe": async size => {
        await source(size, "a").pipeThrough(new TransformStream()).pipeTo(new WritableStream());
    },
    "stream: text": size => drain(source(size, bytes(10)).pipeThrough(new TextDecoderStream())),
    "text: decode in pieces": size => {
        const decoder = new TextDecoder();
        let text = "";
        for (let i = 0; i < size; i++)
            text += decoder.decode(new Uint8Array([0xe2]), { stream: true });
        return text.length;
    },
    "text: decode invalid": size =>
        new TextDecoder().decode(new Uint8Array(size * 50).fill(255)).length,
    "text: decode UTF-16": size => new TextDecoder("utf-16be").decode(bytes(size * 50)).length,
    "text: decode gb18030": size =>
        new TextDecoder("gb18030").decode(new Uint8Array(size * 20).fill(0x81)).length,
    "text: label": size => {
        try {
            return new TextDecoder(`${" ".repeat(size * 50)}x`);
        } catch (error) {
            return error.name;
        }
    },
    "text: encode": size => new TextEncoder().encode("\u20ac".repeat(size * 50)).length,
    "base64: decode": size => atob(" a".repeat(size * 20) + "aaaa".slice((size * 20) % 4)).length,
    "base64: encode": size => btoa("a".repeat(size * 50)).length,
    "blob: parts": size => new Blob(repeat(size, () => "a")).size,
    "blob: of blobs": size => {
        let blob = new Blob(["a"]);
        for (let i = 0; i < Math.ceil(size / 10); i++) blob = new Blob([blob.slice(0, 1)]);
        return blob.size;
    },
    "blob: type": size => new Blob([], { type: "a".repeat(size * 50) }).type.length,
    "clone: deep": size => structuredClone(names(size)).length,
    "clone: errors": size => structuredClone(repeat(size, () => new DOMException("a"))).length,
    "events: listeners": size => {
        const target = new EventTarget();
        for (let i = 0; i < size; i++) target.addEventListener("a", () => {});
        target.dispatchEvent(new Event("a"));
    },
    "events: once": size => {
        const target = new EventTarget();
        for (let i = 0; i < size; i++) target.addEventListener("a", () => {}, { once: true });
        target.dispatchEvent(new Event("a"));
    },
    "events: remove": size => {
        const target = new EventTarget();
        const listeners = repeat(size, () => () => {});
        for (const listener of listeners) target.addEventListener("a", listener);
        for (const listener of listeners) target.removeEventListener("a", listener);
    },
    "abort: any of many": size => AbortSignal.any(repeat(size, () => new AbortController().signal)),
    "abort: many dependents": size => {
        const controller = new AbortController();
        const all = repeat(size, () => AbortSignal.any([controller.signal]));
        controller.abort();
        return all.length;
    },
    "abort: a chain": size => {
        const controller = new AbortController();
        let signal = controller.signal;
        for (let i = 0; i < size; i++) signal = AbortSignal.any([signal]);
        controller.abort();
        return signal.aborted;
    },
    "abort: listeners that go": size => {
        const { signal } = new AbortController();
        const target = new EventTarget();
        for (let i = 0; i < size; i++) target.addEventListener("a", () => {}, { signal });
    },
    "timers: many": async size => {
        await Promise.all(repeat(size, () => new Promise(resolve => setTimeout(resolve, 0))));
    },
    "timers: cleared": size => {
        for (const timer of repeat(size, () => setTimeout(() => {}, 1000))) clearTimeout(timer);
    },
    "messages: queue": async size => {
        const { port1, port2 } = new MessageChannel();
        let left = size;
        const done = new Promise(resolve => {
            port2.onmessage = () => --left || resolve();
        });
        for (let i = 0; i < size; i++) port1.postMessage(i);
        await done;
        port1.close();
    },
    "performance: marks": size => {
        for (let i = 0; i < size; i++) performance.mark(`m${i}`);
        performance.measure("a", "m0");
        const found = performance.getEntries().length;
        performance.clearMarks();
        return found;
    },
    "console: object": size =>
        console.debug(Object.fromEntries(names(size).map(name => [name, 1]))),
    "console: groups": size => {
        for (let i = 0; i < size; i++) console.group();
        for (let i = 0; i < size; i++) console.debug("a");
        for (let i = 0; i < size; i++) console.groupEnd();
    },
    "console: table": size => console.table(names(size).map(name => ({ [name]: 1 }))),
    "gzip: round": size =>
        drain(
            source(size, bytes(10))
                .pipeThrough(new CompressionStream("gzip"))
                .pipeThrough(new DecompressionStream("gzip"))
        ),
    "fetch: data URL": async size =>
        (await fetch(`data:text/plain,${"%41".repeat(size * 20)}`)).text(),
    "crypto: jwk": async size => {
        const k = "a".repeat(size * 48);
        const key = await crypto.subtle.importKey(
            "jwk",
            { kty: "oct", k },
            { name: "HMAC", hash: "SHA-256" },
            true,
            ["sign"]
        );
        return (await crypto.subtle.exportKey("jwk", key)).k.length;
    },
    "pattern: match": size =>
        new URLPattern({ pathname: "/:a/*" }).test(`http://a/${"b/".repeat(size * 10)}`),
    "pattern: parts": size =>
        new URLPattern({
            pathname: "/:a".repeat(Math.ceil(size / 10)).replace(/:a/g, (_, i) => `:a${i}`),
        }),
};

export async function handler({ operation, size }) {
    if (operation === undefined) return Object.keys(operations);
    await operations[operation](size);
    return null;
}
