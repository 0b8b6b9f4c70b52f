import { all, area, bytes, equal, ok, rejects, same, test, throws } from "../harness.js";

// An object that notes which members are read, in which order; `values` are those that it has.
function noting(seen, values = {}) {
    return new Proxy(values, {
        get(target, key) {
            if (typeof key === "string") seen.push(key);
            return target[key];
        },
    });
}

test("options of requests and responses are read in the order of Web IDL", () => {
    const seen = [];
    new Request("http://a/", noting(seen));
    equal(
        seen.join(" "),
        "body cache credentials duplex headers integrity keepalive method mode priority redirect " +
            "referrer referrerPolicy signal window"
    );
    seen.length = 0;
    new Response("", noting(seen));
    Response.json(1, noting(seen));
    same(seen, ["headers", "status", "statusText", "headers", "status", "statusText"]);
});

test("the body is converted before the options", () => {
    const seen = [];
    const body = { toString: () => (seen.push("body"), "text") };
    new Response(body, noting(seen));
    same(seen, ["body", "headers", "status", "statusText"]);
    seen.length = 0;
    new Request({ toString: () => (seen.push("url"), "http://a/") }, noting(seen, { body: null }));
    same(seen.slice(0, 2), ["url", "body"]);
});

test("a status is an unsigned short", () => {
    for (const [status, expected] of [
        [65736, 200],
        [200.9, 200],
        ["404", 404],
        [[201], 201],
        [-65536 + 299, 299],
    ])
        equal(new Response(null, { status }).status, expected, String(status));
    for (const status of [0, 199, 600, -1, NaN, "x", null, 65536])
        throws(RangeError, () => new Response(null, { status }), String(status));
    throws(TypeError, () => new Response(null, { status: 200n }));
    throws(RangeError, () => new Response(null, { status: 0, headers: { "a b": "" } }));
    equal(Response.redirect("http://a/", 65536 + 301).status, 301);
    throws(RangeError, () => Response.redirect("http://a/", 200));
    throws(TypeError, () => Response.redirect("http://[", 200));
    throws(TypeError, () => Response.redirect());
    throws(TypeError, () => Response.json());
});

test("referrers and other options", () => {
    const make = init => new Request("http://a/", init);
    for (const referrer of ["http://[", "/path"])
        throws(TypeError, () => make({ referrer }), referrer);
    equal(make({ referrer: "HTTP://B.example/x" }).referrer, "http://b.example/x");
    equal(make({ referrer: "" }).referrer, "");
    equal(make({ referrer: "about:client" }).referrer, "about:client");
    const before = make({ referrer: "http://b/", referrerPolicy: "origin", cache: "no-store" });
    equal(new Request(before).referrer, "http://b/");
    const after = new Request(before, { method: "POST" });
    same([after.referrer, after.referrerPolicy, after.cache], ["about:client", "", "no-store"]);
    for (const wrong of [
        { mode: "navigate" },
        { mode: "x" },
        { mode: "no-cors", method: "PUT" },
        { mode: "no-cors", method: "POST", body: new ReadableStream(), duplex: "half" },
        { method: "POST", body: new ReadableStream() },
        { method: "a b" },
        { method: "é" },
        { method: "connect" },
        { window: 1 },
        { signal: {} },
        { headers: null },
        { cache: "only-if-cached" },
        { duplex: "full" },
        { priority: "x" },
    ])
        throws(TypeError, () => make(wrong), Object.entries(wrong).join());
    const request = make({ signal: null, body: null, window: null, keepalive: "x" });
    same(
        [request.keepalive, request.isReloadNavigation, request.signal.aborted],
        [true, false, false]
    );
});

test("headers are converted first, and checked afterwards", () => {
    const seen = [];
    const trapped = new Proxy(
        { a: "1", "\u0100": "2", c: "3" },
        {
            get: (target, key) => (seen.push(`get ${String(key)}`), target[key]),
            ownKeys: target => (seen.push("keys"), Reflect.ownKeys(target)),
            getOwnPropertyDescriptor: (target, key) => (
                seen.push(`own ${String(key)}`),
                Reflect.getOwnPropertyDescriptor(target, key)
            ),
        }
    );
    throws(TypeError, () => new Headers(trapped));
    same(seen, ["get Symbol(Symbol.iterator)", "keys", "own a", "get a", "own \u0100"]);
    for (const wrong of [
        null,
        1,
        "text",
        [["a"]],
        [["a", "b", "c"]],
        ["ab"],
        [{}],
        { a: "\u0100" },
    ])
        throws(TypeError, () => new Headers(wrong), JSON.stringify(wrong));
    throws(TypeError, () => new Headers({ [Symbol("x")]: "1" }));
    same([...new Headers([new Set(["a", "b"])])], [["a", "b"]]);
    const record = Object.defineProperty({ a: "1" }, Symbol.iterator, { value: null });
    same([...new Headers(record)], [["a", "1"]]);
});

test("a request that another is made of keeps its body, which counts as read", async () => {
    const make = body => new Request("http://a/", { method: "POST", body, duplex: "half" });
    const stream = () =>
        new ReadableStream({
            start(controller) {
                controller.enqueue(bytes(120));
                controller.close();
            },
        });
    for (const one of ["x", bytes(120), new Blob(["x"]), stream()]) {
        const request = make(one);
        const { body } = request;
        const next = new Request(request);
        ok(request.body === body && request.bodyUsed && body.locked);
        equal(await next.text(), "x");
        await rejects(TypeError, request.text());
        throws(TypeError, () => new Request(request));
    }
    const cancelled = [];
    const source = new ReadableStream({ cancel: reason => void cancelled.push(reason) });
    await new Request(make(source)).body.cancel("enough");
    same(cancelled, ["enough"]);
});

test("the chunks of a cloned body are copies", async () => {
    for (const chunk of [bytes(1, 2), new DataView(new ArrayBuffer(2)), new ArrayBuffer(2)]) {
        const start = controller => {
            controller.enqueue(chunk);
            controller.close();
        };
        const response = new Response(new ReadableStream({ start }));
        const copy = response.clone();
        const [[first], [second]] = await Promise.all([all(response.body), all(copy.body)]);
        equal(first, chunk);
        ok(second !== chunk && second.constructor === chunk.constructor);
        ok((second.buffer ?? second) !== (first.buffer ?? first));
        equal(second.byteLength, 2);
    }
});

test("cloned bodies that fail, or are cancelled", async () => {
    const failure = new Error("no");
    const failing = new Response(new ReadableStream({ pull: c => c.error(failure) }));
    const two = failing.clone();
    equal(await rejects(Error, failing.text()), failure);
    equal(await rejects(Error, two.text()), failure);

    const odd = new Response(new ReadableStream({ pull: c => c.enqueue(() => 1) }));
    const other = odd.clone();
    await rejects("DataCloneError", odd.body.getReader().read());
    await rejects("DataCloneError", other.body.getReader().read());

    const cancelled = [];
    const source = new ReadableStream({ cancel: reason => void cancelled.push(reason) });
    const response = new Response(source);
    const clone = response.clone();
    const first = response.body.cancel("a");
    same(cancelled, []);
    await Promise.all([first, clone.body.cancel("b")]);
    same(cancelled, [["a", "b"]]);
});

export default area;
