import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const list = headers => [...headers].map(pair => pair.join(": "));
const streamOf = (...chunks) =>
    new ReadableStream({
        start(controller) {
            for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
            controller.close();
        },
    });

test("Headers", () => {
    const headers = new Headers({ B: "2", a: " 1\t" });
    headers.append("b", "3");
    headers.append("Set-Cookie", "x=1");
    headers.append("set-cookie", "y=2");
    same(list(headers), ["a: 1", "b: 2, 3", "set-cookie: x=1", "set-cookie: y=2"]);
    equal(headers.get("SET-COOKIE"), "x=1, y=2");
    same(headers.getSetCookie(), ["x=1", "y=2"]);
    equal(headers.get("none"), null);
    equal(headers.has("A"), true);
    headers.set("B", "9");
    equal(headers.get("b"), "9");
    headers.delete("set-cookie");
    same([...headers.keys()], ["a", "b"]);
    same([...headers.values()], ["1", "9"]);
    const seen = [];
    headers.forEach((value, name, self) => seen.push(`${name}=${value}${self === headers}`));
    same(seen, ["a=1true", "b=9true"]);
    same(
        list(
            new Headers([
                ["x", "1"],
                ["x", "2"],
            ])
        ),
        ["x: 1, 2"]
    );
    same(list(new Headers(headers)), list(headers));
    same(list(new Headers(new Map([["m", "1"]]))), ["m: 1"]);
    equal(new Headers({ x: "" }).get("x"), "");
    equal(new Headers({ x: "caf\u00e9" }).get("x"), "caf\u00e9");
    equal(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
    equal(String(headers), "[object Headers]");
});

test("Headers refuses what is not a header", () => {
    for (const name of ["", "a b", "a:", "a\n", "é", "a\0", "(x)"]) {
        throws(TypeError, () => new Headers([[name, "x"]]), JSON.stringify(name));
        throws(TypeError, () => new Headers().get(name), JSON.stringify(name));
    }
    for (const value of ["a\nb", "a\rb", "a\r\nSet-Cookie: x", "a\0b", "€"]) {
        throws(TypeError, () => new Headers({ x: value }), JSON.stringify(value));
        throws(TypeError, () => new Headers().set("x", value), JSON.stringify(value));
        throws(TypeError, () => new Response("", { headers: { x: value } }), JSON.stringify(value));
    }
    throws(TypeError, () => new Headers("x"));
    throws(TypeError, () => new Headers(null));
    throws(TypeError, () => new Headers([["a"]]));
    throws(TypeError, () => new Headers([["a", "b", "c"]]));
    throws(TypeError, () => new Headers().append("x"));
    throws(TypeError, () => Headers.prototype.get.call({}, "x"));
    equal(new Headers({ x: "\r\n a \n" }).get("x"), "a");
});

test("Response", async () => {
    const response = new Response("héllo", {
        status: 201,
        statusText: "Made",
        headers: { X: "1" },
    });
    equal(response.status, 201);
    equal(response.statusText, "Made");
    equal(response.ok, true);
    equal(response.type, "default");
    equal(response.url, "");
    equal(response.redirected, false);
    same(list(response.headers), ["content-type: text/plain;charset=UTF-8", "x: 1"]);
    equal(response.bodyUsed, false);
    equal(await response.text(), "héllo");
    equal(response.bodyUsed, true);
    await rejects(TypeError, response.text());
    await rejects(TypeError, response.json());
    throws(TypeError, () => response.clone());
    equal(new Response().body, null);
    equal(await new Response().text(), "");
    equal(await new Response(null).text(), "");
    equal(await new Response(undefined, undefined).text(), "");
    equal(await new Response(12).text(), "12");
    equal(await new Response("\ufeffx").text(), "x");
    equal(await new Response("\ud800").text(), "\ufffd");
    equal(new Response(null).headers.get("content-type"), null);
    equal(
        new Response("x", { headers: { "Content-Type": "text/html" } }).headers.get("content-type"),
        "text/html"
    );
});

test("Response refuses", () => {
    for (const status of [0, 99, 100, 101, 199, 600, 1000, -1, "x", NaN, null]) {
        throws(RangeError, () => new Response(null, { status }), String(status));
    }
    for (const status of [204, 205, 304]) {
        throws(TypeError, () => new Response("x", { status }), String(status));
        throws(TypeError, () => new Response("", { status }), String(status));
        equal(new Response(null, { status }).status, status);
        throws(TypeError, () => Response.json({}, { status }), String(status));
    }
    throws(TypeError, () => new Response("", { statusText: "a\nb" }));
    throws(TypeError, () => new Response("", 1));
    throws(TypeError, () => Response("x"));
    throws(TypeError, () =>
        Object.getOwnPropertyDescriptor(Response.prototype, "status").get.call({})
    );
});

test("Response.json, redirect, error", async () => {
    const json = Response.json({ a: [1, "é"] }, { status: 400, headers: { x: "y" } });
    equal(json.status, 400);
    same(list(json.headers), ["content-type: application/json", "x: y"]);
    same(await json.json(), { a: [1, "é"] });
    equal(
        Response.json(1, { headers: { "content-type": "a/b" } }).headers.get("content-type"),
        "a/b"
    );
    throws(TypeError, () => Response.json(undefined));
    throws(TypeError, () => Response.json(1n));
    const redirect = Response.redirect("http://a/b c?d", 301);
    equal(redirect.status, 301);
    equal(redirect.headers.get("location"), "http://a/b%20c?d");
    equal(Response.redirect("http://a/").status, 302);
    throws(RangeError, () => Response.redirect("http://a/", 200));
    throws(TypeError, () => Response.redirect("nothing"));
    throws(TypeError, () => redirect.headers.set("x", "y"));
    equal(Response.error().type, "error");
    equal(Response.error().status, 0);
    ok(Response.json(1) instanceof Response);
});

test("bodies of every kind", async () => {
    const bytes = new Uint8Array([104, 105, 255]);
    const response = new Response(bytes);
    bytes[0] = 0;
    same([...new Uint8Array(await response.arrayBuffer())], [104, 105, 255]);
    equal(new Response(bytes).headers.get("content-type"), null);
    same([...(await new Response(bytes.buffer).bytes())], [0, 105, 255]);
    equal(await new Response(new DataView(bytes.buffer, 1, 1)).text(), "i");
    const blob = new Blob(["bl", "ob"], { type: "A/B" });
    equal(new Response(blob).headers.get("content-type"), "a/b");
    equal(await new Response(blob).text(), "blob");
    const params = new Response(new URLSearchParams({ a: "1 2" }));
    equal(params.headers.get("content-type"), "application/x-www-form-urlencoded;charset=UTF-8");
    equal(await params.text(), "a=1+2");
    equal(await new Response(streamOf("a", "b", "")).text(), "ab");
    equal((await new Response("x", { headers: { "content-type": "t/x" } }).blob()).type, "t/x");
    equal(await (await new Response("xyz").blob()).text(), "xyz");
    await rejects(SyntaxError, new Response("{").json());
    await rejects(SyntaxError, new Response().json());
});

test("streams as bodies", async () => {
    const response = new Response("streamed");
    ok(response.body instanceof ReadableStream);
    equal(response.body, response.body);
    equal(response.bodyUsed, false);
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true });
    equal(text, "streamed");
    equal(response.bodyUsed, true);
    await rejects(TypeError, response.text());

    const read = new Response("abc");
    await read.text();
    equal(read.bodyUsed, true);
    equal(read.body.locked, true);

    const locked = new Response("abc");
    locked.body.getReader();
    await rejects(TypeError, locked.text());
    throws(TypeError, () => new Response(locked.body));
    throws(TypeError, () => new Response(read.body));

    const failing = new ReadableStream({
        pull(controller) {
            controller.error(new RangeError("broken"));
        },
    });
    await rejects(RangeError, new Response(failing).text());
    const strings = new ReadableStream({
        start(controller) {
            controller.enqueue("text");
            controller.close();
        },
    });
    await rejects(TypeError, new Response(strings).text());
    const piped = new Response(
        streamOf("up").pipeThrough(
            new TransformStream({
                transform(chunk, controller) {
                    controller.enqueue(chunk.map(byte => byte - 32));
                },
            })
        )
    );
    equal(await piped.text(), "UP");
    equal(await new Response(new Response("twice").body).text(), "twice");
});

test("clone", async () => {
    const response = new Response("body", { status: 203, headers: { x: "1" } });
    const clone = response.clone();
    clone.headers.set("x", "2");
    equal(response.headers.get("x"), "1");
    equal(clone.status, 203);
    equal(await clone.text(), "body");
    equal(await response.text(), "body");
    const streamed = new Response(streamOf("a", "b"));
    const other = streamed.clone();
    equal(await streamed.text(), "ab");
    equal(await other.text(), "ab");
    const request = new Request("http://a/", { method: "POST", body: "x", headers: { y: "1" } });
    const copy = request.clone();
    equal(copy.method, "POST");
    equal(copy.headers.get("y"), "1");
    equal(await copy.text(), "x");
    equal(request.bodyUsed, false);
});

test("Request", async () => {
    const request = new Request("http://host/p?q#f", {
        method: "post",
        body: "x",
        headers: { A: "1" },
    });
    equal(request.method, "POST");
    equal(request.url, "http://host/p?q#f");
    same(list(request.headers), ["a: 1", "content-type: text/plain;charset=UTF-8"]);
    equal(request.redirect, "follow");
    equal(request.credentials, "same-origin");
    equal(request.cache, "default");
    equal(request.signal.aborted, false);
    ok(request.signal instanceof AbortSignal);
    equal(new Request("http://a/", { redirect: "manual" }).redirect, "manual");
    equal(new Request(new URL("http://a/b")).url, "http://a/b");
    equal(new Request("http://a/", { method: "patch" }).method, "patch");
    const next = new Request(request, { headers: { b: "2" } });
    equal(next.method, "POST");
    equal(next.headers.get("a"), null);
    equal(request.bodyUsed, true);
    equal(await next.text(), "x");
    throws(TypeError, () => new Request(request));
    const aborted = new Request("http://a/", { signal: AbortSignal.abort() });
    equal(aborted.signal.aborted, true);
});

test("Request refuses", () => {
    for (const url of ["", "/path", "nothing", "http://u:p@host/", "http://"]) {
        throws(TypeError, () => new Request(url), url);
    }
    for (const method of ["CONNECT", "trace", "Track", "a b", ""]) {
        throws(TypeError, () => new Request("http://a/", { method }), method);
    }
    throws(TypeError, () => new Request("http://a/", { body: "x" }));
    throws(TypeError, () => new Request("http://a/", { method: "HEAD", body: "x" }));
    throws(TypeError, () => new Request("http://a/", { method: "POST", body: streamOf("x") }));
    throws(TypeError, () => new Request("http://a/", { signal: {} }));
    throws(TypeError, () => new Request());
});

test("formData", async () => {
    const type = "application/x-www-form-urlencoded;charset=UTF-8";
    const form = await new Response("a=1&b=%C3%A9+x&a=2", {
        headers: { "content-type": type },
    }).formData();
    same(
        [...form],
        [
            ["a", "1"],
            ["b", "é x"],
            ["a", "2"],
        ]
    );
    const sent = new FormData();
    sent.append('na"me', "line\nline");
    sent.append("file", new File(["\x00\r\n--x"], "ü.txt", { type: "a/b" }));
    sent.append("blob", new Blob(["b"]));
    const response = new Response(sent);
    ok(response.headers.get("content-type").startsWith("multipart/form-data; boundary="));
    const got = await response.formData();
    equal(got.get('na"me'), "line\r\nline");
    equal(got.get("file").name, "ü.txt");
    equal(got.get("file").type, "a/b");
    equal(await got.get("file").text(), "\x00\r\n--x");
    equal(got.get("blob").name, "blob");
    await rejects(TypeError, new Response("x").formData());
    await rejects(
        TypeError,
        new Response("x", { headers: { "content-type": "multipart/form-data" } }).formData()
    );
    for (const body of [
        "",
        "--b",
        "--b\r\n",
        "--b\r\nContent-Disposition: form-data; name=x\r\n\r\nno end",
    ]) {
        const headers = { "content-type": "multipart/form-data; boundary=b" };
        await rejects(TypeError, new Response(body, { headers }).formData(), JSON.stringify(body));
    }
});

test("FormData", () => {
    const form = new FormData();
    form.append("a", 1);
    form.append("b", "2");
    form.append("a", "3");
    same(form.getAll("a"), ["1", "3"]);
    form.set("a", "4");
    same(
        [...form.entries()],
        [
            ["a", "4"],
            ["b", "2"],
        ]
    );
    equal(form.has("c"), false);
    equal(form.get("c"), null);
    form.delete("a");
    same([...form.keys()], ["b"]);
    throws(TypeError, () => form.append("a", "text", "name"));
    throws(TypeError, () => form.append("a"));
});

test("Blob and File", async () => {
    const blob = new Blob(["héllo", new Uint8Array([33]), new Blob(["!"])], { type: "Text/Plain" });
    equal(blob.size, 8);
    equal(blob.type, "text/plain");
    equal(await blob.text(), "héllo!!");
    equal(await blob.slice(-2).text(), "!!");
    equal(await blob.slice(0, 1, "x/y").text(), "h");
    equal(blob.slice(3, 1).size, 0);
    equal((await blob.arrayBuffer()).byteLength, 8);
    equal(await new Response(blob.stream()).text(), "héllo!!");
    const file = new File(["x"], "n", { lastModified: 5 });
    equal(file.name, "n");
    equal(file.lastModified, 5);
    ok(file instanceof Blob);
    throws(TypeError, () => new File(["x"]));
    throws(TypeError, () => new Blob("x"));
    equal(String(file), "[object File]");
});

test("what the host hands over", (request, env, context) => {
    ok(request instanceof Request);
    equal(request.method, "GET");
    equal(typeof env, "object");
    equal(typeof context.waitUntil, "function");
    if (typeof process === "undefined") equal(typeof context.passThroughOnException, "function");
    equal(request.body, null);
});

test("fetch is a function that tells why it does nothing", async () => {
    equal(typeof fetch, "function");
    if (typeof process === "undefined") await rejects(TypeError, fetch("http://a/"));
});

export default area;
