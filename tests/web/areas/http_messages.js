// The Fetch standard: Headers, Request and Response.
import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const url = "http://localhost/a?b=c";
const encode = text => new TextEncoder().encode(text);

function streamOf(...texts) {
    return new ReadableStream({
        start(controller) {
            for (const text of texts) controller.enqueue(encode(text));
            controller.close();
        },
    });
}

// --- Headers ---

test("values are trimmed and combined", () => {
    const headers = new Headers([
        ["A", " \t\r\n1 \n"],
        ["a", "2"],
        ["b", ""],
    ]);
    equal(headers.get("A"), "1, 2");
    equal(headers.get("b"), "");
    equal(headers.get("c"), null);
    headers.set("a", "3");
    equal(headers.get("a"), "3");
    headers.append("a", "");
    equal(headers.get("a"), "3, ");
    headers.delete("A");
    equal(headers.has("a"), false);
    headers.delete("a");
});

test("iteration is sorted, combined, and live", () => {
    const headers = new Headers([
        ["x-b", "1"],
        ["Set-Cookie", "z=1"],
        ["X-A", "2"],
        ["set-cookie", "a=2"],
        ["x-b", "3"],
    ]);
    same(
        [...headers],
        [
            ["set-cookie", "z=1"],
            ["set-cookie", "a=2"],
            ["x-a", "2"],
            ["x-b", "1, 3"],
        ]
    );
    same([...headers.keys()], ["set-cookie", "set-cookie", "x-a", "x-b"]);
    same([...headers.values()], ["z=1", "a=2", "2", "1, 3"]);
    same(headers.getSetCookie(), ["z=1", "a=2"]);
    equal(headers.get("set-cookie"), "z=1, a=2");
    headers.set("Set-Cookie", "only");
    same(headers.getSetCookie(), ["only"]);
    same(new Headers().getSetCookie(), []);
    const seen = [];
    for (const [name] of headers) {
        seen.push(name);
        if (name === "set-cookie") headers.append("x-aa", "new");
    }
    same(seen, ["set-cookie", "x-a", "x-aa", "x-b"]);
    const calls = [];
    headers.forEach(
        function (value, name, all) {
            calls.push([this.x, value, name, all === headers]);
        },
        { x: 1 }
    );
    same(calls[0], [1, "only", "set-cookie", true]);
});

test("iterators are iterators of their kind", () => {
    const iterator = new Headers({ a: "b" }).entries();
    equal(Object.prototype.toString.call(iterator), "[object Headers Iterator]");
    equal(iterator[Symbol.iterator](), iterator);
    equal(iterator.return, undefined);
    const iterators = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
    equal(Object.getPrototypeOf(Object.getPrototypeOf(iterator)), iterators);
    throws(TypeError, () => iterator.next.call({}));
    equal(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
    equal(Object.prototype.toString.call(new FormData().keys()), "[object FormData Iterator]");
    equal(
        Object.prototype.toString.call(new URLSearchParams("a").values()),
        "[object URLSearchParams Iterator]"
    );
});

test("what headers are made of", () => {
    same([...new Headers({ a: 1, b: null })], [["a", "1"], ["b", "null"]]); // prettier-ignore
    same([...new Headers(new Map([["a", "1"]]))], [["a", "1"]]);
    same([...new Headers(new Headers({ a: "1" }))], [["a", "1"]]);
    same([...new Headers([["a", undefined]])], [["a", "undefined"]]);
    same([...new Headers(undefined)], []);
    for (const init of [
        null,
        1,
        "ab",
        true,
        [["a"]],
        [["a", "b", "c"]],
        ["ab"],
        [1],
        { "a b": "c" },
    ]) {
        throws(TypeError, () => new Headers(init), JSON.stringify(init));
    }
    throws(TypeError, () => new Headers({ [Symbol("x")]: "y" }));
    const seen = [];
    const watched = new Proxy({ b: "1", a: "2" }, {
        ownKeys: target => (seen.push("keys"), Reflect.ownKeys(target)),
        get: (target, key) => (seen.push(key), target[key]),
    }); // prettier-ignore
    new Headers(watched);
    same(seen.slice(1), ["keys", "b", "a"]);
});

test("no header can be injected", () => {
    const headers = new Headers();
    for (const value of ["a\r\nb", "a\nb", "a\rb", "a\0b", "\u0100", "\ud800"]) {
        throws(TypeError, () => headers.set("x", value), JSON.stringify(value));
        throws(TypeError, () => headers.append("x", value));
        throws(TypeError, () => new Headers({ x: value }));
        throws(TypeError, () => new Response("", { headers: { x: value } }));
        throws(TypeError, () => new Request(url, { headers: [["x", value]] }));
    }
    for (const name of ["", " a", "a ", "a:", "a\r\nb", "\u00e9", "a\0", "(", "a,b"]) {
        throws(TypeError, () => headers.set(name, "x"), JSON.stringify(name));
        throws(TypeError, () => headers.get(name));
        throws(TypeError, () => headers.has(name));
        throws(TypeError, () => headers.delete(name));
    }
    headers.set("x", "\x01\x7f\xff\t");
    equal(headers.get("x"), "\x01\x7f\xff");
});

test("headers that cannot be changed", () => {
    for (const response of [Response.error(), Response.redirect(url)]) {
        throws(TypeError, () => response.headers.set("a", "b"));
        throws(TypeError, () => response.headers.append("a", "b"));
        throws(TypeError, () => response.headers.delete("a"));
        throws(TypeError, () => response.clone().headers.set("a", "b"));
    }
    new Response(null, { headers: Response.redirect(url).headers }).headers.set("a", "b");
});

// --- Request ---

test("members of a request", () => {
    const request = new Request(url);
    const members = {
        method: "GET",
        url,
        destination: "",
        referrer: "about:client",
        referrerPolicy: "",
        mode: "cors",
        credentials: "same-origin",
        cache: "default",
        redirect: "follow",
        integrity: "",
        keepalive: false,
        duplex: "half",
        body: null,
        bodyUsed: false,
    };
    for (const [name, value] of Object.entries(members)) equal(request[name], value, name);
    equal(request.headers, request.headers);
    equal(request.signal, request.signal);
    equal(request.signal.aborted, false);
    equal(new Request("http://a/b#c").url, "http://a/b#c");
    equal(new Request(new URL("http://a/b")).url, "http://a/b");
});

test("methods", () => {
    for (const name of ["get", "Post", "pUT", "delete", "head", "options"]) {
        equal(new Request(url, { method: name }).method, name.toUpperCase());
    }
    for (const name of ["patch", "Query", "x"]) {
        equal(new Request(url, { method: name }).method, name);
    }
    for (const method of ["", "a b", "TRACE", "connect", "Track", "\u00e9"]) {
        throws(TypeError, () => new Request(url, { method }), method);
    }
    for (const method of ["GET", "HEAD", "get"]) {
        throws(TypeError, () => new Request(url, { method, body: "x" }), method);
        throws(TypeError, () => new Request(url, { method, body: "" }), method);
        equal(new Request(url, { method, body: null }).body, null);
    }
});

test("a request refuses", () => {
    throws(TypeError, () => new Request());
    throws(TypeError, () => new Request("http://user@localhost/"));
    throws(TypeError, () => new Request("http://:pass@localhost/"));
    throws(TypeError, () => new Request("//"));
    const bad = {
        mode: ["navigate", "x", ""],
        credentials: ["x"],
        cache: ["x"],
        redirect: ["x"],
        referrerPolicy: ["x"],
        duplex: ["full"],
        priority: ["x"],
        window: [1],
        signal: [1, {}],
    };
    for (const [name, values] of Object.entries(bad)) {
        for (const value of values) {
            throws(TypeError, () => new Request(url, { [name]: value }), `${name}: ${value}`);
        }
    }
    throws(TypeError, () => new Request(url, { cache: "only-if-cached" }));
    throws(TypeError, () => new Request(url, { method: "POST", body: streamOf("a") }));
    throws(TypeError, () => new Request(url, 1));
    new Request(url, { window: null, signal: null, priority: "high" });
    new Request(url, { mode: "same-origin", cache: "only-if-cached" });
});

test("a request from a request", async () => {
    const from = new Request(url, {
        method: "POST",
        body: "text",
        headers: { a: "b" },
        redirect: "manual",
    });
    const request = new Request(from);
    equal(from.bodyUsed, true);
    equal(request.method, "POST");
    equal(request.redirect, "manual");
    equal(request.headers.get("a"), "b");
    equal(request.headers.get("content-type"), "text/plain;charset=UTF-8");
    ok(request.headers !== from.headers);
    equal(await request.text(), "text");
    await rejects(TypeError, from.text());
    throws(TypeError, () => new Request(from));
    equal(new Request(from, { body: "other" }).method, "POST");
    const changed = new Request(
        new Request(url, { method: "POST", body: "x", headers: { a: "b" } }),
        {
            headers: { c: "d" },
            method: "PUT",
            body: null,
        }
    );
    same([...changed.headers.keys()], ["c"]);
    equal(await changed.text(), "x");
    throws(
        TypeError,
        () => new Request(new Request(url, { method: "POST", body: "x" }), { method: "GET" })
    );
});

test("a request's signal follows", () => {
    const controller = new AbortController();
    const request = new Request(url, { signal: controller.signal });
    ok(request.signal !== controller.signal);
    const copies = [request.clone(), new Request(request), new Request(request, { method: "PUT" })];
    const alone = new Request(request, { signal: null });
    const seen = [];
    request.signal.onabort = () => seen.push("aborted");
    controller.abort("why");
    same(seen, ["aborted"]);
    for (const copy of [request, ...copies, request.clone()]) {
        equal(copy.signal.aborted, true);
        equal(copy.signal.reason, "why");
    }
    equal(alone.signal.aborted, false);
    equal(new Request(url, { signal: AbortSignal.abort("early") }).signal.reason, "early");
});

// --- Response ---

test("members of a response", () => {
    const response = new Response();
    equal(response.type, "default");
    equal(response.url, "");
    equal(response.redirected, false);
    equal(response.status, 200);
    equal(response.ok, true);
    equal(response.statusText, "");
    equal(response.body, null);
    equal(new Response("", { status: 299 }).ok, true);
    equal(new Response("", { status: 300 }).ok, false);
    equal(new Response("", { statusText: "\tA\xff" }).statusText, "\tA\xff");
    for (const status of [0, 199, 600, 1000, NaN, "x", -1]) {
        throws(RangeError, () => new Response("", { status }), String(status));
    }
    for (const statusText of ["\n", "\x7f", "\u0100", "a\r\nb"]) {
        throws(TypeError, () => new Response("", { statusText }));
    }
    for (const status of [204, 205, 304]) {
        throws(TypeError, () => new Response("", { status }));
        throws(TypeError, () => Response.json(1, { status }));
        equal(new Response(null, { status }).body, null);
    }
    equal(new Response(undefined, { status: "201" }).status, 201);
    throws(TypeError, () => new Response("", 1));
});

test("error, redirect and json", async () => {
    const error = Response.error();
    equal(error.type, "error");
    equal(error.status, 0);
    equal(error.body, null);
    const redirect = Response.redirect("http://a/ b#c", 301);
    equal(redirect.status, 301);
    equal(redirect.headers.get("location"), "http://a/%20b#c");
    equal(redirect.body, null);
    for (const status of [200, 300, 304, 400, NaN]) {
        throws(RangeError, () => Response.redirect(url, status));
    }
    throws(TypeError, () => Response.redirect("http://:x"));
    const json = Response.json({ a: [1, "\ud800"] }, { status: 201, headers: { b: "c" } });
    equal(json.headers.get("content-type"), "application/json");
    equal(json.headers.get("b"), "c");
    same(await json.json(), { a: [1, "\ud800"] });
    const typed = Response.json(null, { headers: { "content-type": "x/y" } });
    equal(typed.headers.get("content-type"), "x/y");
    equal(await typed.text(), "null");
    const loop = {};
    loop.loop = loop;
    for (const value of [undefined, () => {}, Symbol("x"), loop, 1n]) {
        throws(TypeError, () => Response.json(value));
    }
});

test("clones", async () => {
    for (const body of ["text", streamOf("te", "xt"), new Blob(["text"])]) {
        const response = new Response(body, { status: 201, statusText: "x", headers: { a: "b" } });
        const clone = response.clone();
        clone.headers.set("a", "c");
        equal(response.headers.get("a"), "b");
        equal(clone.status, 201);
        equal(clone.statusText, "x");
        equal(await clone.text(), "text");
        equal(response.bodyUsed, false);
        equal(await response.text(), "text");
        throws(TypeError, () => response.clone());
    }
    const locked = new Response(streamOf("a"));
    locked.body.getReader();
    throws(TypeError, () => locked.clone());
    const untouched = new Response("a");
    untouched.body; // makes the stream
    equal(await untouched.clone().text(), "a");
    equal(await untouched.text(), "a");
});

test("members are where Web IDL puts them", () => {
    ok(Object.keys(Response).includes("json"), "static members are enumerable");
    ok(Object.keys(Headers.prototype).includes("getSetCookie"));
    equal(Response.length, 0);
    equal(Request.length, 1);
    equal(Response.redirect.length, 1);
    equal(Headers.prototype.set.length, 2);
    for (const Class of [Headers, Request, Response, FormData, Blob]) {
        throws(TypeError, () => Class());
        equal(Object.prototype.toString.call(Class.prototype), `[object ${Class.name}]`);
    }
    throws(TypeError, () => Headers.prototype.get.call({}, "a"));
    throws(TypeError, () => Object.getOwnPropertyDescriptor(Response.prototype, "ok").get.call({}));
});

export default area;
