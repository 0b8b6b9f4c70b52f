import assert from "node:assert";
import {
    channel,
    hasSubscribers,
    subscribe,
    tracingChannel,
    unsubscribe,
} from "node:diagnostics_channel";
import http, { METHODS, STATUS_CODES } from "node:http";
import { createRequire, isBuiltin } from "node:module";
import os from "node:os";
import { performance } from "node:perf_hooks";
import tty from "node:tty";
import { isMainThread } from "node:worker_threads";
import { AsyncLocalStorage } from "node:async_hooks";
import { behaviours } from "./behaviours.js";

function traced(call) {
    const trace = tracingChannel(`traced ${Math.random()}`);
    const seen = [];
    const names = ["start", "end", "asyncStart", "asyncEnd", "error"];
    trace.subscribe(
        Object.fromEntries(
            names.map(name => [
                name,
                ({ result, error }) => seen.push([name, result ?? error?.message ?? null]),
            ])
        )
    );
    return [trace, seen, call];
}

export const handler = () =>
    behaviours({
        "channel, alone": () => [
            typeof channel("x"),
            channel("x").hasSubscribers,
            channel("x") === channel("x"),
        ],
        "channel, heard": () => {
            const heard = [];
            const listener = (message, name) => heard.push([message, name]);
            subscribe("y", listener);
            channel("y").publish(1);
            const told = [
                hasSubscribers("y"),
                unsubscribe("y", listener),
                unsubscribe("y", listener),
            ];
            channel("y").publish(2);
            return [heard, ...told, hasSubscribers("y")];
        },
        "channel, bad": () => channel(1),
        "channel, bad subscriber": () => subscribe("y", 1),
        "channel with a store": () => {
            const storage = new AsyncLocalStorage();
            channel("z").bindStore(storage, data => data.value);
            return channel("z").runStores(
                { value: 5 },
                (a, b) => [storage.getStore(), a, b],
                null,
                1,
                2
            );
        },
        "trace of a call": () => {
            const [trace, seen] = traced();
            return [trace.traceSync((a, b) => a + b, {}, null, 1, 2), seen];
        },
        "trace of a promise": async () => {
            const [trace, seen] = traced();
            return [await trace.tracePromise(async a => a * 2, {}, null, 4), seen];
        },
        "trace of a failure": () => {
            const [trace, seen] = traced();
            try {
                trace.traceSync(() => {
                    throw new Error("bad");
                });
            } catch (error) {
                return [error.message, seen];
            }
            return "did not throw";
        },
        "trace of a callback": () => {
            const [trace, seen] = traced();
            return new Promise(resolve =>
                trace.traceCallback(
                    done => done(null, 3),
                    0,
                    {},
                    null,
                    (error, value) => resolve([value, seen])
                )
            );
        },
        STATUS_CODES: () => [
            STATUS_CODES[404],
            STATUS_CODES[418],
            Object.keys(STATUS_CODES).length,
        ],
        METHODS: () => [METHODS.includes("QUERY"), METHODS.length],
        "header name": () => http.validateHeaderName("a b"),
        "header value": () => http.validateHeaderValue("a", "b\n"),
        "header, missing": () => http.validateHeaderValue("a", undefined),
        "header, good": () =>
            [http.validateHeaderName("a"), http.validateHeaderValue("a", "b")].length,
        os: () => [
            os.EOL,
            os.platform(),
            os.type(),
            os.endianness(),
            os.constants.signals.SIGTERM,
            os.constants.errno.ENOENT,
            os.devNull,
        ],
        "os, texts": () => [
            typeof os.hostname(),
            `${os.arch}` === os.arch(),
            typeof os.tmpdir(),
            Array.isArray(os.cpus()),
        ],
        performance: () => [
            typeof performance.now(),
            performance.timeOrigin > 0,
            performance === globalThis.performance,
        ],
        isBuiltin: () => [isBuiltin("node:buffer"), isBuiltin("zlib"), isBuiltin("nothing")],
        createRequire: () => {
            const require = createRequire(import.meta.url ?? "file:///function.js");
            return [
                require("node:path").join("a", "b"),
                typeof require("buffer").Buffer,
                require.resolve("util"),
            ];
        },
        "createRequire, missing": () => {
            try {
                createRequire("/x/y.js")("no-such-package");
            } catch (error) {
                return [error.code, error.message.split("\n")[0].slice(0, 36)];
            }
            return "found";
        },
        "createRequire, bad": () => createRequire("relative"),
        isatty: () => tty.isatty(1000),
        isMainThread: () => isMainThread,
        "assert, ok": () => assert.ok(1),
        "assert, equal": () => assert.strictEqual(1, 2),
        "assert, deep": () =>
            assert.deepStrictEqual({ a: [1, new Map([[1, 2]])] }, { a: [1, new Map([[1, 2]])] }),
        "assert, throws": () =>
            assert.throws(() => {
                throw new TypeError("x");
            }, TypeError),
        "assert, rejects": async () =>
            assert.rejects(Promise.reject(new RangeError("r")), { name: "RangeError" }),
        "assert, match": () => assert.match("abc", /b/),
    });
