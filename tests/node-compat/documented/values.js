// What Node's documentation says of buffers, texts, paths, and what else has no state.
import assert from "node:assert";
import buffer, {
    Blob,
    Buffer,
    File,
    SlowBuffer,
    atob,
    btoa,
    isAscii,
    isUtf8,
    transcode,
} from "node:buffer";
import path from "node:path";
import punycode from "node:punycode";
import querystring from "node:querystring";
import url from "node:url";
import util, { inspect } from "node:util";
import { behaviours } from "../src/behaviours.js";

export const handler = () =>
    behaviours({
        "assert: equal and notEqual": () => [assert.equal(1, "1"), assert.notEqual(1, 2)],
        "assert: strictEqual": () => assert.strictEqual("a", "b"),
        "assert: deepStrictEqual": () =>
            assert.deepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }])),
        "assert: deepStrictEqual tells what differs": () =>
            assert.deepStrictEqual({ a: 1 }, { a: 2 }),
        "assert: throws": () => assert.throws(() => JSON.parse("{"), SyntaxError),
        "assert: rejects": () => assert.rejects(async () => 5),
        "assert: match": () => assert.match("abc", /x/),
        "assert: AssertionError": () => {
            try {
                assert(false, "told");
            } catch ({ name, code, actual, expected, operator, generatedMessage }) {
                return [name, code, actual, expected, operator, generatedMessage];
            }
        },
        "assert: ifError and fail": () => assert.fail("on purpose"),
        "assert: partialDeepStrictEqual": () =>
            assert.partialDeepStrictEqual({ a: 1, b: 2 }, { a: 1 }),
        "buffer: from and toString in each encoding": () =>
            ["utf8", "hex", "base64", "base64url", "latin1", "ascii", "utf16le", "binary"].map(
                name => [
                    Buffer.from("4a4b", name).toString("hex"),
                    Buffer.from("zß水").toString(name),
                ]
            ),
        "buffer: numbers": () => {
            const bytes = Buffer.alloc(16);
            bytes.writeUInt32BE(0xfeedface, 0);
            bytes.writeInt16LE(-2, 4);
            bytes.writeDoubleBE(1.5, 8);
            return [
                bytes.toString("hex"),
                bytes.readUInt32LE(0),
                bytes.readIntBE(0, 6),
                bytes.readDoubleBE(8),
            ];
        },
        "buffer: a number out of range": () => Buffer.alloc(1).writeUInt8(256),
        "buffer: read beyond the end": () => Buffer.alloc(2).readUInt32LE(0),
        "buffer: compare, equals, indexOf": () => {
            const a = Buffer.from("abcabc");
            return [
                a.compare(Buffer.from("abd")),
                a.equals(Buffer.from("abcabc")),
                a.indexOf("ca"),
                a.lastIndexOf("abc"),
                a.includes(99),
                Buffer.compare(a, a),
            ];
        },
        "buffer: concat, fill, copy, swap16": () => {
            const all = Buffer.concat([Buffer.from("a"), new Uint8Array([98])], 3);
            const copy = Buffer.alloc(2);
            return [
                [...all],
                all.copy(copy, 0, 1),
                Buffer.alloc(5).fill("xy").toString(),
                Buffer.from("abcd").swap16().toString(),
            ];
        },
        "buffer: slice shares memory": () => {
            const bytes = Buffer.from("abc");
            bytes.subarray(1)[0] = 120;
            return [bytes.toString(), bytes.slice(-1).toString()];
        },
        "buffer: toJSON": () => JSON.stringify({ b: Buffer.from("hi") }),
        "buffer: inspect": () => inspect(Buffer.from("hello")),
        "buffer: byteLength, isBuffer, isEncoding": () => [
            Buffer.byteLength("½"),
            Buffer.byteLength("YQ==", "base64"),
            Buffer.isBuffer(new Uint8Array()),
            Buffer.isEncoding("UTF-8"),
        ],
        "buffer: copyBytesFrom": () => [
            ...Buffer.copyBytesFrom(new Uint16Array([0, 0xffff]), 1, 1),
        ],
        "buffer: a bad argument": () => Buffer.from(5),
        "buffer: a bad size": () => Buffer.alloc(-1),
        "buffer: an unknown encoding": () => Buffer.from("a", "latin9"),
        "buffer: write in parts": () => {
            const bytes = Buffer.alloc(4);
            return [bytes.write("€€"), bytes.write("zz", 3), bytes.toString("latin1")];
        },
        "buffer: isUtf8 and isAscii": () => [
            isUtf8(Buffer.from([0xc3])),
            isAscii(Buffer.from("a")),
        ],
        "buffer: transcode": () => transcode(Buffer.from("€"), "utf8", "latin1").toString("hex"),
        "buffer: Blob, File, atob, btoa": () => [
            new Blob(["a"]).size,
            new File(["a"], "n").name,
            atob("YQ=="),
            btoa("a"),
        ],
        "buffer: constants": () => [
            buffer.constants.MAX_LENGTH > 2 ** 31,
            buffer.kMaxLength === buffer.constants.MAX_LENGTH,
        ],
        "buffer: SlowBuffer": () => typeof SlowBuffer,
        "path: join, resolve, relative": () => [
            path.join("/a", "..", "b", "./c/"),
            path.resolve("/a", "b", "../c"),
            path.relative("/a/b/c", "/a/d"),
        ],
        "path: parse and format": () => [
            path.parse("/home/a.tar.gz"),
            path.format({ dir: "/x", name: "y", ext: "z" }),
        ],
        "path: basename, dirname, extname": () => [
            path.basename("/a/b.js", ".js"),
            path.dirname("/a/b/"),
            path.extname(".x.y"),
            path.isAbsolute("a"),
        ],
        "path: normalize": () => [
            path.normalize("/a//b/../c/."),
            path.normalize(""),
            path.sep,
            path.delimiter,
        ],
        "path: win32": () => path.win32.join("C:\\a", "..", "b"),
        "path: matchesGlob": () => path.matchesGlob("/a/b.js", "/a/*.js"),
        "path: a bad argument": () => path.join("a", 5),
        "punycode: both ways": () => [
            punycode.encode("mañana"),
            punycode.decode("maana-pta"),
            punycode.toASCII("mañana.com"),
        ],
        "querystring: parse and stringify": () => [
            querystring.parse("a=1&a=2&b=%20c&d"),
            querystring.stringify({ a: [1, 2], b: "ü", c: "" }),
        ],
        "querystring: escape, unescape, other separators": () => [
            querystring.escape("a b&"),
            querystring.unescape("%zz%20"),
            querystring.parse("a:1;b:2", ";", ":"),
        ],
        "url: fileURLToPath and pathToFileURL": () => [
            url.fileURLToPath("file:///a%20b"),
            url.pathToFileURL("/a b#").href,
        ],
        "url: fileURLToPath of http": () => url.fileURLToPath("http://a/b"),
        "url: parse and format": () => {
            const { host, pathname, query, hash, auth } = url.parse(
                "http://u:p@a.b:80/c?d=e#f",
                true
            );
            return [
                host,
                pathname,
                query,
                hash,
                auth,
                url.format({ protocol: "http", host: "a", pathname: "b", query: { c: 1 } }),
            ];
        },
        "url: resolve": () => [
            url.resolve("/one/two/three", "four"),
            url.resolve("http://a/b/", "../c"),
        ],
        "url: domainToASCII": () => [
            url.domainToASCII("español.com"),
            url.domainToUnicode("xn--espaol-zwa.com"),
        ],
        "url: urlToHttpOptions": () => url.urlToHttpOptions(new URL("https://a:b@c.d/?e#f")).auth,
        "util: format": () =>
            util.format(
                "%s %d %i %f %j %o %O %c %%",
                "a",
                "1",
                2.5,
                "3.5",
                { a: 1 },
                [1],
                { b: 2 },
                "css"
            ),
        "util: inspect of many kinds": () =>
            inspect({
                a: [1, [2, [3, [4]]]],
                m: new Map([["k", new Set([1])]]),
                d: new Date(0),
                r: /x/g,
                s: Symbol("s"),
                f() {},
                n: null,
                u: undefined,
                big: 1n,
                e: new (class Foo {})(),
            }),
        "util: inspect of a circle": () => {
            const a = { b: {} };
            a.b.a = a;
            return inspect(a);
        },
        "util: inspect with options": () => [
            inspect({ a: { b: {} } }, { depth: 0 }),
            inspect("a'b"),
            inspect([1, 2, 3], { maxArrayLength: 1 }),
            inspect({ a: 1 }, { compact: false }),
        ],
        "util: inspect.custom": () =>
            inspect({ [inspect.custom]: (depth, options) => `<${depth} ${options.depth}>` }),
        "util: inspect of a proxy": () => inspect(new Proxy({ a: 1 }, {}), { showProxy: true }),
        "util: promisify and callbackify": async () => [
            await util.promisify((a, done) => done(null, a + 1))(1),
            await new Promise(resolve =>
                util.callbackify(async a => a + 1)(2, (error, value) => resolve(value))
            ),
        ],
        "util: promisify.custom": () => {
            const custom = () => {};
            return (
                util.promisify(Object.assign(() => {}, { [util.promisify.custom]: custom })) ===
                custom
            );
        },
        "util: inherits and deprecate": () => {
            function A() {}
            function B() {}
            util.inherits(B, A);
            return [new B() instanceof A, util.deprecate(() => 5, "old", "DEP")()];
        },
        "util: isDeepStrictEqual": () => [
            util.isDeepStrictEqual({ a: [1] }, { a: [1] }),
            util.isDeepStrictEqual([1], ["1"]),
        ],
        "util: parseArgs": () =>
            util.parseArgs({
                args: ["-f", "--bar", "b", "x"],
                options: { foo: { type: "boolean", short: "f" }, bar: { type: "string" } },
                allowPositionals: true,
            }),
        "util: parseArgs, an unknown option": () => util.parseArgs({ args: ["--none"] }),
        "util: styleText and stripVTControlCharacters": () => [
            util.styleText("red", "a", { validateStream: false }),
            util.stripVTControlCharacters("\u001b[31ma\u001b[39m"),
        ],
        "util: toUSVString and TextEncoder": () => [
            util.toUSVString("a\ud800"),
            new util.TextEncoder().encode("ü").length,
        ],
        "util: types": () => [
            util.types.isDate(new Date()),
            util.types.isRegExp({}),
            util.types.isPromise(Promise.resolve()),
            util.types.isUint8Array(Buffer.alloc(1)),
            util.types.isProxy(new Proxy({}, {})),
        ],
        "util: MIMEType": () => String(new util.MIMEType("text/html; charset=utf-8")),
        "util: aborted": async () => {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), 1);
            return (await util.aborted(controller.signal, {})).type;
        },
        "util: debuglog": () => [util.debuglog("none").enabled, typeof util.debuglog("none")],
        "util: getSystemErrorName": () => [
            util.getSystemErrorName(-2),
            util.getSystemErrorMap().get(-13),
        ],
        "util: parseEnv": () => util.parseEnv("A=1\n# no\nB='x y'\nexport C=\"d\\ne\""),
        "util: diff": () => util.diff("abc", "abd").length > 0,
        "util: getCallSites": () => Array.isArray(util.getCallSites()),
    });
