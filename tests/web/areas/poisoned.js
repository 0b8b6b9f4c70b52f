// Object.prototype in the hands of a function: nothing that it adds there is read by the APIs.
import { area, bytes, equal, rejects, test } from "../harness.js";

const inEngine = typeof process === "undefined";

const names = [
    ...["start", "pull", "cancel", "type", "size", "highWaterMark", "autoAllocateChunkSize"],
    ...[
        "write",
        "transform",
        "readableType",
        "bubbles",
        "composed",
        "data",
        "source",
        "lastEventId",
    ],
    ...["colno", "filename", "capture", "once", "transfer", "endings", "lastModified", "fatal"],
    ...["stream", "handlers", "kind", "blob", "url", "redirected", "follows", "detail", "buffered"],
];

// What `act` gives while each of the names is an accessor that throws.
async function poisoned(act) {
    for (const name of names) {
        const bad = () => {
            throw new Error(`Object.prototype.${name} was looked up`);
        };
        Object.defineProperty(Object.prototype, name, { get: bad, set: bad, configurable: true });
    }
    try {
        return await act();
    } finally {
        for (const name of names) delete Object.prototype[name];
    }
}

const given = (...chunks) =>
    new ReadableStream({
        __proto__: null,
        start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
        },
    });
const text = "hello";
const hello = () => given(new TextEncoder().encode(text));

const acts = {
    "a text": () => new Response(text).text(),
    "a stream of a text": async () => {
        const { value } = await new Response(text).body.getReader().read();
        return new TextDecoder().decode(value);
    },
    "a stream": () => new Response(hello()).text(),
    "a Blob's stream": () => new Response(new Blob([text]).stream()).text(),
    "a clone": async () => {
        const response = new Response(hello());
        const clone = response.clone();
        await response.text();
        return clone.text();
    },
    "a request of a request": async () => {
        const init = { __proto__: null, method: "POST", body: hello(), duplex: "half" };
        const request = new Request("http://a/", init);
        await request.body;
        return new Request(request).text();
    },
    "a data: URL": async () => (await fetch(`data:,${text}`)).text(),
    "a blob: URL": async () => (await fetch(URL.createObjectURL(new Blob([text])))).text(),
    "a form": async () => {
        const form = new FormData();
        form.append("a", new Blob([text]));
        return (await new Response(form).formData()).get("a").text();
    },
    "a reader": () =>
        new Promise(resolve => {
            const reader = new FileReader();
            reader.onload = () => resolve(reader.result);
            reader.readAsText(new Blob([text]));
        }),
    "an observer": () =>
        new Promise(resolve => {
            const observer = new PerformanceObserver(list => {
                observer.disconnect();
                resolve(list.getEntries()[0].name);
            });
            observer.observe({ __proto__: null, entryTypes: ["mark"] });
            performance.mark(text);
        }),
    "a port": () =>
        new Promise(resolve => {
            const { port1, port2 } = new MessageChannel();
            port2.onmessage = event => resolve(event.data);
            port1.postMessage(text);
        }),
    "a signal": () => {
        const controller = new AbortController();
        let seen;
        controller.signal.onabort = () => (seen = text);
        controller.abort();
        return seen;
    },
    "a socket": () =>
        new Promise(resolve => {
            const socket = new WebSocket("ws://a.example/");
            socket.onclose = () => resolve(text);
        }),
    "a copy": () => structuredClone(text),
    "a measure": () => performance.measure(text, { __proto__: null, start: 1, end: 2 }).name,
};

if (inEngine) {
    for (const [what, act] of Object.entries(acts))
        test(`${what} next to accessors that throw`, async () => equal(await poisoned(act), text));
}

// Puts a `then` onto every object, which would make a promise resolve to `value`.
async function injected(value, act) {
    Object.defineProperty(Object.prototype, "then", {
        value(resolve) {
            delete Object.prototype.then;
            resolve(value);
        },
        configurable: true,
    });
    try {
        return await act();
    } finally {
        delete Object.prototype.then;
    }
}

test("a `then` that was put onto objects gives no other chunk", async () => {
    if (!inEngine) return;
    const values = [{ done: false, value: bytes(0x62) }, { done: true }, undefined, 8.2, null];
    for (const value of values) {
        const response = new Response(hello());
        equal(await injected(value, () => response.text()), text, JSON.stringify(value));
        const request = new Request("http://a/", { method: "POST", body: text });
        equal(await injected(value, () => new Request(request).text()), text);
    }
    const failing = new Response(given("no bytes"));
    await rejects(
        TypeError,
        injected(undefined, () => failing.text())
    );
});

test("a scheme that is the name of a property of all objects", () => {
    equal(new URL("constructor:a/../b").href, "constructor:a/../b");
    equal(new URL("constructor:x").origin, "null");
});

export default area;
