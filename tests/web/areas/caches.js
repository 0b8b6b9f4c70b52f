import { area, bytes, equal, ok, rejects, same, test, throws } from "../harness.js";

const url = "https://shop.example/a?q=1#f";
const put = (cache, init, request = url) => cache.put(request, new Response("body", init));
// At build time nothing is kept.
const keeps = async () => {
    const cache = await caches.open("probe");
    await put(cache, {});
    return (await cache.match(url)) !== undefined;
};

test("a request that misses, and then hits", async request => {
    const cache = await caches.open("pages");
    equal(await cache.match(request), undefined);
    await cache.put(request, new Response("answer", { status: 203, headers: { "x-a": "b" } }));
    if (!(await keeps())) return;
    for (let i = 0; i < 2; i++) {
        const hit = await cache.match(request);
        same([hit.status, hit.headers.get("x-a"), await hit.text()], [203, "b", "answer"]);
        throws(TypeError, () => hit.headers.set("x-a", "c"));
    }
    equal(await (await caches.match(request)).text(), "answer");
    equal(await caches.match(request, { cacheName: "others" }), undefined);
    ok(await cache.delete(request));
    equal(await cache.delete(request), false);
    equal(await cache.match(request), undefined);
});

test("what is put", async () => {
    const cache = await caches.open("put");
    const response = new Response("x");
    await cache.put(url, response);
    ok(response.bodyUsed);
    await rejects(TypeError, cache.put(url, response));
    await rejects(TypeError, cache.put(url));
    await rejects(TypeError, cache.put(url, {}));
    await rejects(TypeError, cache.put("ftp://a/", new Response("")));
    await rejects(TypeError, cache.put("not a url", new Response("")));
    await rejects(TypeError, cache.put(new Request(url, { method: "POST" }), new Response("")));
    await rejects(TypeError, cache.put(url, new Response("", { status: 206 })));
    await rejects(TypeError, cache.put(url, new Response("", { headers: { vary: "a, *" } })));
    await rejects(TypeError, cache.put(url, Response.error()));
    const locked = new Response(new ReadableStream());
    locked.body.getReader();
    await rejects(TypeError, cache.put(url, locked));
    const failing = new ReadableStream({
        pull(controller) {
            controller.error(new RangeError(""));
        },
    });
    await rejects(RangeError, cache.put("https://a/failing", new Response(failing)));
    equal(await cache.match("https://a/failing"), undefined);
    await rejects(TypeError, cache.match());
    await rejects(TypeError, caches.open());
});

test("bodies", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("bodies");
    await cache.put("https://a/1", new Response(bytes(1, 2, 255)));
    same([...(await (await cache.match("https://a/1")).bytes())], [1, 2, 255]);
    await cache.put("https://a/2", new Response(null, { status: 204 }));
    equal((await cache.match("https://a/2")).body, null);
    await cache.put("https://a/3", new Response(new Response("streamed").body));
    equal(await (await cache.match("https://a/3")).text(), "streamed");
    const hit = await cache.match("https://a/1");
    (await hit.bytes())[0] = 9;
    same([...(await (await cache.match("https://a/1")).bytes())], [1, 2, 255]);
    await cache.put("https://a/4", Response.json({ a: 1 }));
    const json = await cache.match("https://a/4");
    equal(json.headers.get("content-type"), "application/json");
    same(await json.json(), { a: 1 });
});

test("which request matches", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("match");
    await put(cache, {});
    const has = async (request, options) => (await cache.match(request, options)) !== undefined;
    ok(await has("https://shop.example/a?q=1#other"));
    ok(await has(new URL(url)));
    equal(await has("https://shop.example/a"), false);
    ok(await has("https://shop.example/a", { ignoreSearch: true }));
    equal(await has(new Request(url, { method: "HEAD" })), false);
    ok(await has(new Request(url, { method: "HEAD" }), { ignoreMethod: true }));
    await put(cache, { headers: { "x-new": "1" } });
    equal((await cache.match(url)).headers.get("x-new"), "1");
    equal((await cache.keys()).length, 1);
});

test("Vary", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("vary");
    const asks = language => new Request(url, { headers: { "accept-language": language } });
    for (const language of ["de", "fr"])
        await cache.put(
            asks(language),
            new Response(language, { headers: { vary: "Accept-Language" } })
        );
    equal(await (await cache.match(asks("de"))).text(), "de");
    equal(await (await cache.match(asks("fr"))).text(), "fr");
    equal(await cache.match(asks("en")), undefined);
    equal(await cache.match(url), undefined);
    equal((await cache.matchAll(url, { ignoreVary: true })).length, 2);
    same(
        (await cache.keys()).map(request => request.headers.get("accept-language")),
        ["de", "fr"]
    );
});

test("what a response says of caching", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("fresh");
    const kept = async headers => {
        await put(cache, { headers });
        const hit = await cache.match(url);
        await cache.delete(url);
        return hit;
    };
    ok(await kept({ "cache-control": "public, max-age=60" }));
    ok(await kept({ "cache-control": "max-age=0, s-maxage=60" }));
    equal(await kept({ "cache-control": "max-age=0" }), undefined);
    equal(await kept({ "cache-control": "no-store" }), undefined);
    equal(await kept({ "cache-control": "private" }), undefined);
    equal(await kept({ expires: "Thu, 01 Jan 1970 00:00:00 GMT" }), undefined);
    equal(await kept({ "set-cookie": "a=b" }), undefined);
    const hit = await kept({ "set-cookie": "a=b", "cache-control": "private=Set-Cookie" });
    equal(hit.headers.get("set-cookie"), null);
    await put(cache, {});
    await put(cache, { headers: { "set-cookie": "a=b" } });
    equal(await cache.match(url), undefined, "what was there before");
});

test("a storage's caches", async () => {
    const first = await caches.open("first");
    ok(first instanceof Cache && caches instanceof CacheStorage);
    ok(await caches.has("first"));
    ok((await caches.keys()).includes("first"));
    ok(await caches.delete("first"));
    equal(await caches.delete("first"), false);
    equal(await caches.has("first"), false);
    ok(caches.default instanceof Cache);
    equal(caches.default, caches.default);
    throws(TypeError, () => new Cache());
    throws(TypeError, () => new CacheStorage());
    await rejects(TypeError, Cache.prototype.match.call({}, url));
    equal(String(first), "[object Cache]");
    if (!(await keeps())) return;
    await caches.default.put(url, new Response("d"));
    equal(await (await caches.default.match(url)).text(), "d");
});

test("keys and matchAll, in order", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("order");
    for (const name of ["c", "a", "b"]) await put(cache, {}, `https://a/${name}`);
    same(
        (await cache.keys()).map(request => request.url),
        ["https://a/c", "https://a/a", "https://a/b"]
    );
    equal((await cache.matchAll()).length, 3);
    equal((await cache.keys("https://a/a")).length, 1);
});

test("the bound", async () => {
    if (!(await keeps())) return;
    const cache = await caches.open("bound");
    await rejects(
        "QuotaExceededError",
        cache.put(url, new Response(new Uint8Array(17 * 1024 * 1024)))
    );
    const megabytes = count => new Response(new Uint8Array(count * 1024 * 1024));
    for (let i = 0; i < 5; i++) {
        await cache.put(`https://a/${i}`, megabytes(4));
        ok(await cache.match("https://a/0"), "what was requested");
    }
    same(
        (await cache.keys()).map(request => request.url),
        ["https://a/0", "https://a/3", "https://a/4"]
    );
    for (const request of await cache.keys()) await cache.delete(request);
});

test("add without a network", async () => {
    const cache = await caches.open("add");
    await rejects(TypeError, cache.add("https://shop.example/"));
    await rejects(TypeError, cache.addAll([new Request(url, { method: "POST" })]));
    await rejects(TypeError, cache.addAll("abc"));
    equal(await cache.addAll([]), undefined);
});

export default area;
