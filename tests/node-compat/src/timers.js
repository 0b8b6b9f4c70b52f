import timers from "node:timers";
import {
    scheduler,
    setImmediate as immediate,
    setInterval as each,
    setTimeout as wait,
} from "node:timers/promises";
import { promisify } from "node:util";
import { behaviours } from "./behaviours.js";

export const handler = () =>
    behaviours({
        object: () => {
            const timer = setTimeout(() => {}, 1000);
            const told = [
                typeof timer.unref,
                timer.unref() === timer,
                timer.hasRef(),
                timer.ref().hasRef(),
            ];
            clearTimeout(timer);
            return [...told, typeof timer[Symbol.toPrimitive](), timer.constructor.name];
        },
        "cleared by number": () =>
            new Promise(resolve => {
                const timer = setTimeout(() => resolve("ran"), 1);
                clearTimeout(+timer);
                setTimeout(() => resolve("cleared"), 5);
            }),
        refresh: () =>
            new Promise(resolve => {
                let count = 0;
                const timer = setTimeout(() => (++count < 2 ? timer.refresh() : resolve(count)), 1);
            }),
        this: () =>
            new Promise(resolve => {
                const timer = setTimeout(function () {
                    resolve(this === timer);
                }, 1);
            }),
        values: () => new Promise(resolve => setTimeout((a, b) => resolve([a, b]), 1, 1, 2)),
        interval: () =>
            new Promise(resolve => {
                let count = 0;
                const timer = setInterval(() => {
                    if (++count === 3) resolve(clearInterval(timer) ?? count);
                }, 1);
            }),
        immediate: () =>
            new Promise(resolve => {
                const cleared = setImmediate(() => resolve("wrong"));
                clearImmediate(cleared);
                setImmediate(value => resolve(value), "right");
            }),
        disposed: () =>
            new Promise(resolve => {
                setTimeout(() => resolve("ran"), 1)[Symbol.dispose]();
                setTimeout(() => resolve("disposed"), 5);
            }),
        "bad callback": () => setTimeout("text", 1),
        promisified: async () => [
            await promisify(setTimeout)(1, "v"),
            await promisify(setImmediate)("i"),
            typeof setTimeout[promisify.custom],
        ],
        promises: async () => [await wait(1, "a"), await immediate("b"), await scheduler.wait(1)],
        "promises, aborted": () => wait(1000, "a", { signal: AbortSignal.abort() }),
        "promises, aborted later": () => {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), 1);
            return wait(1000, "a", { signal: controller.signal });
        },
        each: async () => {
            const got = [];
            for await (const value of each(1, "x")) if (got.push(value) === 2) break;
            return got;
        },
        module: () => [timers.setTimeout === setTimeout, typeof timers.promises.setTimeout],
    });
