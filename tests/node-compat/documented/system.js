// What Node's documentation says of processes, time, contexts, and what else is of the system.
import { AsyncLocalStorage, AsyncResource, executionAsyncId } from "node:async_hooks";
import { executionAsyncResource, triggerAsyncId } from "node:async_hooks";
import { exec } from "node:child_process";
import dns from "node:dns";
import fs from "node:fs";
import http from "node:http";
import { createRequire, isBuiltin } from "node:module";
import net from "node:net";
import os from "node:os";
import perf, { PerformanceObserver, performance } from "node:perf_hooks";
import process from "node:process";
import timers from "node:timers";
import {
    setImmediate as immediately,
    setInterval as every,
    setTimeout as pause,
    scheduler,
} from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";
import {
    MessageChannel,
    isMainThread,
    parentPort,
    receiveMessageOnPort,
    threadId,
    workerData,
} from "node:worker_threads";
import { promisify } from "node:util";
import { EventEmitter } from "node:events";
import { behaviours } from "../src/behaviours.js";

const storage = new AsyncLocalStorage();
const inside = body => storage.run("value", body);
const later = call =>
    new Promise(resolve => call((error, ...values) => resolve(error?.code ?? values)));

export const handler = () =>
    behaviours({
        "async_hooks: across await and promises": () =>
            inside(async () => {
                await null;
                return [storage.getStore(), await Promise.resolve().then(() => storage.getStore())];
            }),
        "async_hooks: across timers and microtasks": () =>
            inside(() =>
                Promise.all(
                    [
                        done => setTimeout(done, 1),
                        done => setImmediate(done),
                        queueMicrotask,
                        process.nextTick,
                    ].map(start => new Promise(resolve => start(() => resolve(storage.getStore()))))
                )
            ),
        "async_hooks: events run in the context of emit": () => {
            const emitter = new EventEmitter();
            let seen;
            inside(() => emitter.on("a", () => (seen = storage.getStore())));
            emitter.emit("a");
            return seen;
        },
        "async_hooks: snapshot and bind": () => {
            const [run, bound] = inside(() => [
                AsyncLocalStorage.snapshot(),
                AsyncLocalStorage.bind(() => storage.getStore()),
            ]);
            return [run(() => storage.getStore()), bound(), storage.getStore()];
        },
        "async_hooks: exit and enterWith": () =>
            inside(() => {
                const out = [storage.exit(() => storage.getStore()), storage.getStore()];
                storage.enterWith("other");
                return [...out, storage.getStore()];
            }),
        "async_hooks: AsyncResource": () => {
            const resource = inside(() => new AsyncResource("Documented"));
            return [
                resource.runInAsyncScope((a, b) => [storage.getStore(), a + b], null, 1, 2),
                typeof resource.asyncId(),
            ];
        },
        "async_hooks: defaultValue and name": () => {
            const other = new AsyncLocalStorage({ defaultValue: 5, name: "five" });
            return [other.getStore(), other.name, other.run(6, () => other.getStore())];
        },
        "async_hooks: executionAsyncId": () => typeof executionAsyncId(),
        "async_hooks: executionAsyncId in the scope of a resource": () => {
            const outer = new AsyncResource("outer");
            return outer.runInAsyncScope(() => {
                const inner = new AsyncResource("inner");
                return [
                    executionAsyncId() === outer.asyncId(),
                    inner.triggerAsyncId() === outer.asyncId(),
                    triggerAsyncId() === outer.triggerAsyncId(),
                    executionAsyncResource() === outer,
                    inner.runInAsyncScope(() => executionAsyncId() === inner.asyncId()),
                    executionAsyncId() === outer.asyncId(),
                ];
            });
        },
        "process: env holds strings": () => {
            process.env.DOCUMENTED = 1;
            const told = [
                process.env.DOCUMENTED,
                "DOCUMENTED" in process.env,
                delete process.env.DOCUMENTED,
            ];
            return [...told, process.env.DOCUMENTED];
        },
        "process: nextTick comes before promises": () =>
            new Promise(resolve => {
                const order = [];
                Promise.resolve().then(() => order.push("promise"));
                process.nextTick(value => order.push(value), "tick");
                setTimeout(() => resolve(order), 1);
            }),
        "process: hrtime": () => {
            const [seconds, rest] = process.hrtime(process.hrtime());
            return [seconds, rest < 1e9, typeof process.hrtime.bigint()];
        },
        "process: events": () => {
            let seen;
            process.once("documented", value => (seen = value));
            return [
                process.emit("documented", 5),
                seen,
                process.listenerCount("documented"),
                process.listeners("exit").length >= 0,
            ];
        },
        "process: emitWarning": () =>
            new Promise(resolve => {
                process.once("warning", ({ name, message, code }) =>
                    resolve([name, message, code])
                );
                process.emitWarning("careful", { type: "Documented", code: "D1" });
            }),
        "process: facts": () => [
            process.platform,
            process.argv.length > 0,
            typeof process.pid,
            typeof process.version,
            process.release.name,
            typeof process.versions.node,
            process.execArgv.length >= 0,
            typeof process.title,
            process.exitCode,
        ],
        "process: uptime and memoryUsage": () => [
            process.uptime() >= 0,
            typeof process.memoryUsage().heapUsed,
            typeof process.memoryUsage.rss(),
        ],
        "process: cwd and umask": () => [typeof process.cwd(), typeof process.umask()],
        "process: stdout": () => [typeof process.stdout.write, process.stderr.fd],
        "process: getBuiltinModule": () => [
            process.getBuiltinModule("node:os") === os,
            process.getBuiltinModule("none"),
        ],
        "process: features": () => [
            typeof process.features.inspector,
            process.allowedNodeEnvironmentFlags.size > 0,
        ],
        "timers: objects with ref, unref and refresh": () => {
            const timer = setTimeout(() => {}, 1000);
            const told = [
                timer.hasRef(),
                timer.unref().hasRef(),
                timer.ref() === timer,
                timer.refresh() === timer,
                typeof timer[Symbol.toPrimitive](),
            ];
            clearTimeout(timer);
            return told;
        },
        "timers: setImmediate passes arguments": () =>
            new Promise(resolve => setImmediate((a, b) => resolve([a, b]), 1, 2)),
        "timers: clear by number": async () => {
            let called = false;
            clearTimeout(+setTimeout(() => (called = true), 1));
            await pause(5);
            return called;
        },
        "timers: promisify": () => promisify(setTimeout)(1, "value"),
        "timers/promises: setTimeout, setImmediate, wait": async () => [
            await pause(1, "a"),
            await immediately("b"),
            await scheduler.wait(1),
        ],
        "timers/promises: an aborted timer": () =>
            pause(1000, null, { signal: AbortSignal.timeout(1) }),
        "timers/promises: setInterval": async () => {
            let count = 0;
            for await (const value of every(1, "x")) if (++count === 3) return [count, value];
        },
        "timers: the module has the globals": () => [
            timers.setTimeout === setTimeout,
            timers.clearImmediate === clearImmediate,
        ],
        "timers: a callback that is none": () => setTimeout("text", 1),
        "perf_hooks: marks and measures": () => {
            performance.mark("a");
            performance.mark("b", { detail: 5 });
            const { name, entryType, duration } = performance.measure("m", "a", "b");
            return [name, entryType, duration >= 0, performance.getEntriesByName("b")[0].detail];
        },
        "perf_hooks: an observer": () =>
            new Promise(resolve => {
                new PerformanceObserver((list, observer) => {
                    observer.disconnect();
                    resolve(list.getEntries().map(({ name }) => name));
                }).observe({ entryTypes: ["mark"] });
                performance.mark("observed");
            }),
        "perf_hooks: timerify": () => performance.timerify((a, b) => a + b)(1, 2),
        "perf_hooks: eventLoopUtilization": () => Object.keys(performance.eventLoopUtilization()),
        "perf_hooks: createHistogram": () => {
            const histogram = perf.createHistogram();
            histogram.record(5);
            return [histogram.min, histogram.max, histogram.count];
        },
        "perf_hooks: a histogram's percentiles": () => {
            const histogram = perf.createHistogram();
            for (let i = 1; i <= 1000; i++) histogram.record(i * 7);
            histogram.record(1234567n);
            return [
                [...histogram.percentiles],
                histogram.percentile(99),
                histogram.mean,
                histogram.stddev,
                histogram.max,
            ];
        },
        "perf_hooks: what a histogram does not take": () => perf.createHistogram().record(0),
        "os: facts": () => [
            os.EOL,
            os.platform(),
            os.type(),
            typeof os.arch(),
            typeof os.release(),
            os.endianness(),
            os.devNull,
        ],
        "os: numbers": () => [
            os.totalmem() >= 0,
            os.freemem() >= 0,
            os.uptime() >= 0,
            os.loadavg().length,
            os.availableParallelism() > 0,
        ],
        "os: constants": () => [
            os.constants.signals.SIGKILL,
            os.constants.errno.EACCES,
            os.constants.priority.PRIORITY_LOW,
        ],
        "os: userInfo": () => {
            const { uid, username, homedir } = os.userInfo();
            const inBytes = os.userInfo({ encoding: "buffer" });
            return [
                Object.keys(os.userInfo()),
                [uid === process.getuid(), typeof username, typeof homedir],
                [inBytes.username, inBytes.homedir].map(Buffer.isBuffer),
            ];
        },
        "dns: lookup of an address": () => later(done => dns.lookup("127.0.0.1", done)),
        "dns: lookup of localhost": () => dns.promises.lookup("localhost", { family: 4 }),
        "dns: a bad argument": () => dns.lookup(5, () => {}),
        "net: isIP": () => [
            net.isIP("::1"),
            net.isIP("1.2.3.4"),
            net.isIP("1.2.3"),
            net.isIPv6("fe80::1%lo"),
        ],
        "net: BlockList": () => {
            const list = new net.BlockList();
            list.addRange("10.0.0.1", "10.0.0.10");
            return [list.check("10.0.0.5"), list.check("10.0.1.5")];
        },
        "module: createRequire": () => {
            const require = createRequire("/home/function.js");
            return [
                require("node:os") === os,
                require.resolve("fs"),
                isBuiltin("node:test"),
                isBuiltin("lodash"),
            ];
        },
        "module: a module that is not there": () => createRequire("/home/function.js")("./none.js"),
        "fs: a file that is not there": () => fs.readFileSync("/none/file"),
        "fs: promises": () => fs.promises.stat("/none/file"),
        "fs: existsSync": () => [fs.existsSync("/"), fs.existsSync("/none")],
        "http: STATUS_CODES and METHODS": () => [
            http.STATUS_CODES[418],
            http.METHODS.includes("PATCH"),
            http.maxHeaderSize,
        ],
        "http: headers are checked": () => http.validateHeaderName("a b"),
        "http: a response's headers": () => {
            const response = new http.ServerResponse({
                method: "GET",
                httpVersionMajor: 1,
                httpVersionMinor: 1,
            });
            response.setHeader("X-A", ["1", "2"]);
            response.appendHeader("x-a", "3");
            return [
                response.getHeader("x-a"),
                response.getHeaderNames(),
                response.hasHeader("X-a"),
                response.headersSent,
                response.statusCode,
            ];
        },
        "http: createServer gives a Server": () => {
            const server = http.createServer(() => {});
            return [
                server instanceof http.Server,
                server instanceof EventEmitter,
                server.listening,
                typeof server.close,
            ];
        },
        "http: Agent": () => {
            const agent = new http.Agent({ keepAlive: true });
            return [typeof agent.destroy, agent.keepAlive, agent.maxSockets];
        },
        "vm: runInThisContext": () => [
            vm.runInThisContext("1 + 1"),
            new vm.Script("typeof globalThis").runInThisContext(),
        ],
        "vm: runInNewContext": () => vm.runInNewContext("a + 1", { a: 1 }),
        "vm: a syntax error": () => new vm.Script("1 +"),
        "v8: serialize and deserialize": () =>
            v8.deserialize(v8.serialize({ a: [1, new Map([[1, 2]])] })).a[0],
        "v8: getHeapStatistics": () => typeof v8.getHeapStatistics().used_heap_size,
        "worker_threads: the main thread": () => [isMainThread, parentPort, threadId, workerData],
        "worker_threads: MessageChannel": () =>
            new Promise(resolve => {
                const { port1, port2 } = new MessageChannel();
                port2.on("message", value => (resolve(value), port2.close()));
                port1.postMessage({ a: 1 });
            }),
        "worker_threads: receiveMessageOnPort": () => {
            const { port1, port2 } = new MessageChannel();
            port1.postMessage(5);
            const got = [receiveMessageOnPort(port2), receiveMessageOnPort(port2)];
            port1.close();
            return got;
        },
        "child_process: exec": () => later(done => exec("exit 0", done)),
        "globals: those of Node": () =>
            [
                "Buffer",
                "process",
                "setImmediate",
                "clearImmediate",
                "global",
                "structuredClone",
                "queueMicrotask",
                "fetch",
            ].map(name => typeof globalThis[name]),
    });
