import util, { promisify, types } from "node:util";
import { outcomes } from "./outcome.js";

class Point {
    constructor() {
        this.x = 1;
    }
    [util.inspect.custom](depth, options, inspect) {
        return `<${inspect(this.x, options)}>`;
    }
}
const nested = {
    a: { b: { c: { d: 1 } } },
    list: [1, "two", null],
    map: new Map([["k", new Set([1])]]),
};
nested.self = nested;
const failing = (value, done) => done(value === 1 ? null : new Error("not one"), value);

const settle = promise =>
    promise.then(
        value => ["ok", value],
        error => ["error", error.message]
    );
const called = original =>
    new Promise(done => util.callbackify(original)(5, (...args) => done(args.map(String))));

export const handler = async () => ({
    promised: [await settle(promisify(failing)(1)), await settle(promisify(failing)(2))],
    callbacks: [
        await called(async x => x * 2),
        await called(() => Promise.reject(new Error("no"))),
    ],
    ...outcomes({
        inspect: () => util.inspect(nested),
        deep: () => util.inspect(nested, { depth: 9, compact: false, sorted: true }),
        values: () =>
            [
                1n,
                -0,
                "it's",
                Symbol("s"),
                undefined,
                /x/g,
                new Date(0),
                [1, , 3],
                () => {},
                class A {},
            ].map(v => util.inspect(v)),
        buffers: () => util.inspect(new Uint8Array([1, 2])),
        custom: () => util.inspect([new Point()]),
        format: () =>
            util.format(
                "%s %d %i %f %j %o %O %% %c.",
                "a",
                1.5,
                2.9,
                "3.5",
                { a: 1 },
                [1],
                {},
                "css",
                "more"
            ),
        formatNoText: () => util.format(1, "b", { c: [] }),
        equal: () => [
            util.isDeepStrictEqual(
                { a: [1, new Map([[1, { b: 2 }]])] },
                { a: [1, new Map([[1, { b: 2 }]])] }
            ),
            util.isDeepStrictEqual([1], ["1"]),
            util.isDeepStrictEqual(new Set([NaN]), new Set([NaN])),
        ],
        deprecate: () => util.deprecate(x => x + 1, "do not")(1),
        strip: () => util.stripVTControlCharacters("\u001b[31mred\u001b[0m"),
        usv: () => util.toUSVString("a\ud800b"),
        types: () =>
            [
                new Date(),
                /x/,
                new Map(),
                new Set().values(),
                new Uint8Array(),
                Promise.resolve(),
                Object(1),
                async () => {},
            ].map(value => Object.keys(checks).filter(name => types[name](value))),
        inherits: () => {
            function Base() {}
            Base.prototype.hi = () => "hi";
            function Derived() {}
            util.inherits(Derived, Base);
            return [new Derived().hi(), Derived.super_ === Base];
        },
        "inherits, later": () => {
            function Base() {}
            Base.prototype.hi = () => "hi";
            function Derived() {}
            Derived.prototype.own = () => "own";
            const early = new Derived();
            util.inherits(Derived, Base);
            return [early.own(), early.hi(), early instanceof Base, Object.keys(Derived)];
        },
        "inherits, no constructor": () => util.inherits(undefined, Map),
        "inherits of nothing": () => util.inherits(function () {}, null),
        "inherits of an arrow": () =>
            util.inherits(
                function () {},
                () => 1
            ),
        notAFunction: () => promisify(1),
        encoders: () => [
            new util.TextEncoder().encode("ü").length,
            new util.TextDecoder().encoding,
        ],
        debuglog: () => util.debuglog("x").enabled,
    }),
});

const checks = {
    isDate: 1,
    isRegExp: 1,
    isMap: 1,
    isSetIterator: 1,
    isUint8Array: 1,
    isTypedArray: 1,
};
Object.assign(checks, { isPromise: 1, isNumberObject: 1, isBoxedPrimitive: 1, isAsyncFunction: 1 });
Object.assign(checks, { isArrayBufferView: 1, isAnyArrayBuffer: 1 });
