// Names that are global in Node, as they are and as members of the global object.
import { behaviours } from "./behaviours.js";

export const handler = () =>
    behaviours({
        types: () => [
            typeof globalThis.Buffer,
            typeof globalThis.setImmediate,
            typeof globalThis.process,
        ],
        "by other ways": () => {
            const root = globalThis;
            const name = "Buffer";
            return [
                typeof Buffer,
                typeof root[name],
                typeof global.Buffer.from,
                root.Buffer === Buffer,
            ];
        },
        timers: () => {
            const timers = [globalThis.setTimeout(() => {}, 0), global.setInterval(() => {}, 1000)];
            timers.forEach(clearTimeout);
            return timers.map(timer => typeof timer.unref);
        },
        "not enumerable": () => Object.keys(globalThis).includes("Buffer"),
        replaced: () => {
            const mine = { ...globalThis.process?.versions }.node !== undefined;
            return [mine, typeof globalThis.clearImmediate];
        },
        "assigned to": async () => {
            const { setTimeout: before } = globalThis;
            globalThis.Buffer = Buffer;
            globalThis.setTimeout = (...args) => before(...args);
            const told = await new Promise(done => globalThis.setTimeout(done, 1, "late"));
            globalThis.setTimeout = before;
            return [told, typeof globalThis.Buffer.from];
        },
    });
