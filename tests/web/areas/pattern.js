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

    test("names beyond the BMP", () => {
        const groups = new URLPattern({ pathname: "/:\u{20000}b/:a\u{1d7d8}" });
        const { pathname } = groups.exec("https://x.org/1/2");
        same(pathname.groups, { "\u{20000}b": "1", "a\u{1d7d8}": "2" });
        throws(TypeError, () => new URLPattern({ pathname: "/:\u{1f600}" }));
    });

    test("regular expressions have the flag v", () => {
        const tests = (pathname, path) => new URLPattern({ pathname }).test({ pathname: path });
        ok(tests("/([[a-z]--a])", "/z"));
        ok(!tests("/([[a-z]--a])", "/a"));
        ok(!tests("/([\\d&&[0-1]])", "/3"));
        for (const pathname of [
            "/([)",
            "/(a(b))",
            "/(?:a)",
            "/(\u00e9)",
            "/(",
            "/()",
            "/\\",
            "/)",
        ]) {
            if (pathname === "/)") throws(TypeError, () => new URLPattern({ pathname: "/{a" }));
            else throws(TypeError, () => new URLPattern({ pathname }), pathname);
        }
        ok(tests("/(a(?:b|c)\\))", "/ac)"));
        equal(new URLPattern({ pathname: "/(a)" }).hasRegExpGroups, true);
        equal(new URLPattern({ pathname: "/:a*" }).hasRegExpGroups, false);
    });

    test("ports", () => {
        const port = (port, protocol) => new URLPattern({ protocol, port }).port;
        ok(new URLPattern({ port: "80" }).test({ port: "8\t0" }));
        ok(new URLPattern({ port: "80" }).test({ port: "80x" }));
        ok(!new URLPattern({ port: "80" }).test({ port: "x80" }));
        equal(port("80 ", "http"), "80");
        equal(port("80", "http"), "");
        equal(port("443", "https"), "");
        equal(port("443", "http{s}?"), "443");
        equal(port("080"), "80");
        equal(port("(80|443)"), "(80|443)");
        for (const bad of ["x80", "65536", " 80"]) throws(TypeError, () => port(bad), bad);
        ok(new URLPattern({ protocol: "http", port: "80" }).test("http://a/"));
        ok(!new URLPattern({ port: "80" }).test({ protocol: "http", port: "80" }));
    });

    test("hostnames end where a URL's do", () => {
        const hostname = hostname => new URLPattern({ hostname }).hostname;
        equal(hostname("bad/hostname"), "bad");
        equal(hostname("bad#hostname"), "bad");
        equal(hostname("example.com\\?x"), "example.com");
        equal(hostname("b\na\td"), "bad");
        equal(hostname("EXAMPLE.com"), "example.com");
        equal(hostname("*.b\u00fccher.de"), "*.xn--bcher-kva.de");
        equal(hostname("[\\:\\:AB\\::num]"), "[\\:\\:ab\\::num]");
        for (const bad of ["a b", "a%", "a<b", "a@b", "a\\:b", "xn--a", "[\\:\\:x]"]) {
            throws(TypeError, () => hostname(bad), bad);
        }
        const pattern = new URLPattern("https://{sub.}?example{.com/}foo");
        equal(pattern.hostname, "{sub.}?example.com");
        equal(pattern.pathname, "*");
    });

    test("constructor strings", () => {
        const parts = (...args) => {
            const { protocol, username, password, hostname, port, pathname, search, hash } =
                new URLPattern(...args);
            return [protocol, username, password, hostname, port, pathname, search, hash].join(" ");
        };
        equal(parts("https://a.b:8080/c?d#e"), "https * * a.b 8080 /c d e");
        equal(parts("https://a.b"), "https * * a.b  * * *");
        equal(parts("https://a.b?d"), "https * * a.b  / d *");
        equal(parts("https://a.b#e"), "https * * a.b  /  e");
        equal(parts("http{s}?://*.b/:id"), "http{s}? * * *.b  /:id * *");
        equal(parts("data\\:foo"), "data * *   foo * *");
        equal(parts("data\\:foo?d"), "data * *   foo d *");
        equal(parts("https://u\\:p@a.b"), "https u p a.b  * * *");
        equal(parts("https://a.b/:id?d"), "https * * a.b  /:id?d * *");
        equal(parts("https://a.b/:id\\?d"), "https * * a.b  /:id d *");
        equal(parts("https://[\\:\\:1]:80/"), "https * * [\\:\\:1] 80 / * *");
        equal(parts("?d", "https://a.b/c#e"), "https * * a.b  /c d *");
        equal(parts("../x", "https://u:p@a.b/c/d"), "https * * a.b  /x * *");
        throws(TypeError, () => new URLPattern("a:b"));
    });

    test("patterns are written as short as they can be", () => {
        const written = {
            "/:a:b": "/:a:b",
            "/{:a}b": "/{:a}b",
            "/{:a}:b": "/{:a}:b",
            "/:a(.*)": "/:a(.*)",
            "/(.*)": "/*",
            "/x(.*)y": "/x*y",
            "/{x}?": "/{x}?",
            "/([^\\/]+?)": "/([^\\/]+?)",
            "/:a([^\\/]+?)": "/:a",
            "{/:a}+": "/:a+",
            "{x:a.}*": "{x:a.}*",
            "(foo)(.*)": "(foo)(.*)",
            "/\\:a\\(\\)": "/\\:a\\(\\)",
            "{:a\\b}": "{:a\\b}",
            "/caf\u00e9 /": "/caf%C3%A9%20/",
            "/a/../b/./c": "/b/c",
        };
        for (const [given, pathname] of Object.entries(written)) {
            equal(new URLPattern({ pathname: given }).pathname, pathname, given);
        }
    });

    test("what is matched", () => {
        const pattern = new URLPattern({ pathname: "/a/*", search: ":x" }, { ignoreCase: true });
        const result = pattern.exec("?Q", "https://a.b/A/c?d");
        same(result.inputs, ["?Q", "https://a.b/A/c?d"]);
        same(result.search, { input: "Q", groups: { x: "Q" } });
        equal(pattern.test("/relative"), false);
        equal(pattern.test({ baseURL: "bad" }), false);
        equal(pattern.test({ port: "x" }), false);
        ok(pattern.test({ pathname: "a/c", search: "?x", baseURL: "https://a.b/" }));
        throws(TypeError, () => pattern.test({}, "https://a.b/"));
        const { pathname } = new URLPattern({ pathname: "/:a?/:b*" }).exec("https://a.b/x");
        same(Object.entries(pathname.groups), [
            ["a", "x"],
            ["b", undefined],
        ]);
        ok(new URLPattern({ protocol: "data" }).test("data:x"));
        ok(
            new URLPattern({ protocol: "javascript", pathname: "var x = 1;" }).test(
                "javascript:var x = 1;"
            )
        );
    });

    test("arguments", () => {
        equal(URLPattern.length, 0);
        equal(new URLPattern().pathname, "*");
        equal(new URLPattern(null, undefined).pathname, "*");
        equal(new URLPattern("https://a.b/", {}).hostname, "a.b");
        equal(new URLPattern("/x", "https://a.b", { ignoreCase: true }).hostname, "a.b");
        throws(TypeError, () => new URLPattern("/x", undefined));
        throws(TypeError, () => new URLPattern({}, "https://a.b"));
        throws(TypeError, () => new URLPattern("/x", "https://a.b", 5));
        throws(TypeError, () => new URLPattern({ baseURL: "x" }));
        throws(TypeError, () => new URLPattern({ pathname: "/:a/:a" }));
        const log = [];
        new URLPattern(new Proxy({}, { get: (target, name) => void log.push(name) }));
        equal(
            log.join(" "),
            "baseURL hash hostname password pathname port protocol search username"
        );
    });
}

export default area;
