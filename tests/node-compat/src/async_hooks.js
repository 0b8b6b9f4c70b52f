import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import EventEmitter from "node:events";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { behaviours } from "./behaviours.js";

const storage = new AsyncLocalStorage();
const seen = () => storage.getStore();
const inRun = call => storage.run("x", () => new Promise(call));

export const handler = () =>
    behaviours({
        await: () =>
            storage.run("x", async () => {
                await null;
                return seen();
            }),
        timeout: () => inRun(resolve => setTimeout(() => resolve(seen()), 1)),
        immediate: () => inRun(resolve => setImmediate(() => resolve(seen()))),
        nextTick: () => inRun(resolve => process.nextTick(() => resolve(seen()))),
        microtask: () => inRun(resolve => queueMicrotask(() => resolve(seen()))),
        "promisified timer": () => storage.run("x", () => promisify(setTimeout)(1).then(seen)),
        emitter: () => {
            const emitter = new EventEmitter();
            const got = [];
            storage.run("on", () => emitter.on("e", () => got.push(seen())));
            storage.run("emit", () => emitter.emit("e"));
            return got;
        },
        "for await of a stream": () =>
            storage.run("x", async () => {
                const got = [];
                for await (const chunk of Readable.from(["a", "b"])) got.push(chunk + seen());
                return got;
            }),
        outside: () => String(seen()),
        exit: () => storage.run("x", () => String(storage.exit(seen))),
        snapshot: () => {
            const inside = storage.run("s", () => AsyncLocalStorage.snapshot());
            return storage.run("x", () => inside(seen));
        },
        bind: () => storage.run("b", () => AsyncLocalStorage.bind((a, b) => seen() + a + b))(1, 2),
        resource: () => {
            const resource = storage.run("r", () => new AsyncResource("R"));
            const object = { name: "o" };
            return resource.runInAsyncScope(
                function (a) {
                    return [this.name, a, seen()];
                },
                object,
                1
            );
        },
        "resource, bound": () => {
            class Own extends AsyncResource {}
            const own = storage.run("r", () => new Own("OWN"));
            const bound = own.bind((a, b) => [a, b, seen()]);
            return [bound(1, 2), bound.length, own.emitDestroy() === own];
        },
        "bad callback": () => AsyncLocalStorage.bind(1),
        "bad type": () => new AsyncResource(),
        "default value": () => {
            const named = new AsyncLocalStorage({ defaultValue: 1, name: "n" });
            return [named.getStore(), named.run(2, () => named.getStore()), named.name];
        },
    });
