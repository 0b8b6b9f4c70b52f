import { area, equal, ok, same, test, throws } from "../harness.js";

if (typeof URLPattern !== "undefined") {
    test("URLPattern", () => {
        const pattern = new URLPattern({ pathname: "/books/:id(\\d+)/:rest*" });
        ok(pattern.test("https://example.com/books/42/a/b"));
        ok(!pattern.test("https://example.com/books/x"));
        const { pathname } = pattern.exec("https://example.com/books/42/a/b");
        same(pathname.groups, { id: "42", rest: "a/b" });
        equal(pathname.input, "/books/42/a/b");
        equal(pattern.exec({ pathname: "/none" }), null);
        equal(pattern.hostname, "*");
        equal(pattern.hasRegExpGroups, true);
    });

    test("constructor strings, bases, options", () => {
        const pattern = new URLPattern("https://*.example.com/:page\\?q=:q");
        same(pattern.exec("https://www.example.com/home?q=1").search.groups, { q: "1" });
        equal(pattern.protocol, "https");
        equal(pattern.test("http://www.example.com/home?q=1"), false);
        ok(new URLPattern("/a/*", "https://x.org").test("https://x.org/a/b"));
        ok(new URLPattern({ pathname: "/ABC" }, { ignoreCase: true }).test("https://x.org/abc"));
        ok(new URLPattern({ pathname: "/{foo-}?bar" }).test({ pathname: "/bar" }));
        throws(TypeError, () => new URLPattern("/relative"));
        throws(TypeError, () => new URLPattern({ pathname: "(" }));
        equal(Object.prototype.toString.call(pattern), "[object URLPattern]");
    });

    test("names of groups", () => {
        const groups = (pathname, url) =>
            new URLPattern({ pathname }).exec(`https://x.org${url}`).pathname.groups;
        same(groups("/:a_1$/:b.:c-d", "/x/y.z-d"), { a_1$: "x", b: "y", c: "z" });
        same(groups("/:\u00fcber\u0301/:\u540d", "/x/y"), {
            "\u00fcber\u0301": "x",
            "\u540d": "y",
        });
        throws(TypeError, () => new URLPattern({ pathname: "/:1" }));
        throws(TypeError, () => new URLPattern({ pathname: "/:\u00d7" }));
        equal(new URLPattern({ pathname: "/{:a}b" }).pathname, "/{:a}b");
        equal(new URLPattern({ pathname: "/{:a}-" }).pathname, "/{:a}-");
    });

    test("hosts are canonical", () => {
        ok(
            new URLPattern({ hostname: "B\u00fccher.example" }).test(
                "https://xn--bcher-kva.example/"
            )
        );
        ok(new URLPattern({ protocol: "https", port: "443" }).test("https://a.example/"));
        equal(new URLPattern({ pathname: "/caf\u00e9" }).pathname, "/caf%C3%A9");
    });
}

export default area;
