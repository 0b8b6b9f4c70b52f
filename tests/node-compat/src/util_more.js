import util from "node:util";
import { behaviours } from "./behaviours.js";

export const handler = () =>
    behaviours({
        promisify: () => util.promisify((a, done) => done(null, a + 1))(1),
        "promisify, failing": () => util.promisify(done => done(new RangeError("r")))(),
        "promisify, bad": () => util.promisify(1),
        callbackify: () =>
            new Promise(resolve =>
                util.callbackify(async a => a * 2)(4, (error, value) => resolve([error, value]))
            ),
        inspect: () =>
            util.inspect({ a: [1, { b: new Map([["k", new Set([1])]]) }], c: "x", d: 1n }),
        "inspect, deep": () => util.inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }),
        format: () => util.format("%s %d %i %j %o %%", "a", 1.5, 2.7, { a: 1 }, [1], "rest"),
        isDeepStrictEqual: () => [
            util.isDeepStrictEqual({ a: [1] }, { a: [1] }),
            util.isDeepStrictEqual([1], ["1"]),
        ],
        inherits: () => {
            function A() {}
            function B() {}
            util.inherits(B, A);
            return [new B() instanceof A, B.super_ === A];
        },
        types: () => [
            util.types.isPromise(Promise.resolve()),
            util.types.isRegExp(/a/),
            util.types.isDate(new Date()),
            util.types.isUint8Array(Buffer.alloc(1)),
            util.types.isNativeError(new TypeError()),
            util.types.isAsyncFunction(async () => {}),
            util.types.isProxy({}),
        ],
        parseArgs: () =>
            util.parseArgs({
                args: ["-f", "--bar", "b", "--no-color", "pos"],
                options: {
                    foo: { type: "boolean", short: "f" },
                    bar: { type: "string" },
                    color: { type: "boolean" },
                },
                allowPositionals: true,
                allowNegative: true,
            }),
        "parseArgs, bad": () => util.parseArgs({ args: ["--x"], options: {} }),
        stripVTControlCharacters: () => util.stripVTControlCharacters("\u001b[31mred\u001b[0m"),
        styleText: () => util.styleText(["red", "bold"], "x", { validateStream: false }),
        toUSVString: () => util.toUSVString("a\ud800"),
        deprecate: () => util.deprecate(() => 5, "old", "D1")(),
        debuglog: () => util.debuglog("nothing").enabled,
        aborted: async () => {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), 1);
            await util.aborted(controller.signal, {});
            return "aborted";
        },
        parseEnv: () => ({ ...util.parseEnv("A=1\n# c\nB='x y'\nexport C=\"l\\nm\"\n") }),
        getSystemErrorName: () => util.getSystemErrorName(-2),
        MIMEType: () => new util.MIMEType("text/html; charset=utf-8").params.get("charset"),
        isArray: () => util.isArray([]),
        TextDecoder: () => util.TextDecoder === TextDecoder,
    });
