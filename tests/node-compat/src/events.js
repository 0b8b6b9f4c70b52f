import EventEmitter, {
    EventEmitter as Named,
    errorMonitor,
    listenerCount,
    on,
    once,
} from "node:events";
import { inherits } from "node:util";
import { outcome } from "./outcome.js";

function Old() {
    EventEmitter.call(this);
}
inherits(Old, EventEmitter);

function order() {
    const seen = [];
    const emitter = new EventEmitter();
    const twice = value => seen.push(["on", value]);
    emitter.on("newListener", name => seen.push(["new", name]));
    emitter.on("x", twice);
    emitter.once("x", value => seen.push(["once", value]));
    emitter.prependListener("x", value => seen.push(["first", value]));
    seen.push(emitter.emit("x", 1), emitter.emit("x", 2), emitter.emit("none"));
    emitter.off("x", twice);
    seen.push(emitter.listenerCount("x"), listenerCount(emitter, "x"), emitter.eventNames());
    emitter.removeAllListeners();
    return [...seen, emitter.eventNames(), emitter.getMaxListeners()];
}

async function awaited() {
    const emitter = new EventEmitter();
    const first = once(emitter, "ready");
    emitter.emit("ready", 1, 2);
    const fails = once(emitter, "ready");
    emitter.emit("error", new RangeError("no"));
    const values = [];
    queueMicrotask(() => ["a", "b"].forEach(value => emitter.emit("item", value)));
    for await (const [value] of on(emitter, "item")) if (values.push(value) === 2) break;
    return [await first, await fails.catch(error => error.name), values];
}

function monitored() {
    const emitter = new EventEmitter();
    const seen = [];
    emitter.on(errorMonitor, error => seen.push(error.message));
    emitter.on("error", error => seen.push(error.message));
    emitter.emit("error", new Error("x"));
    return seen;
}

async function capture() {
    const emitter = new EventEmitter({ captureRejections: true });
    const caught = new Promise(resolve => emitter.on("error", resolve));
    emitter.on("x", async () => {
        throw new Error("rejected");
    });
    emitter.emit("x");
    return (await caught).message;
}

export const handler = async () => ({
    order: order(),
    awaited: await awaited(),
    monitored: monitored(),
    capture: await capture(),
    mixed: Object.assign(() => {}, EventEmitter.prototype)
        .on("x", () => {})
        .emit("x"),
    same: [Named === EventEmitter, EventEmitter.EventEmitter === EventEmitter],
    old: outcome(() => new Old().on("x", () => {}).emit("x") && new Old() instanceof EventEmitter),
    unhandled: outcome(() => new EventEmitter().emit("error", new TypeError("t"))),
    unhandledText: outcome(() => new EventEmitter().emit("error", "text")),
    notAFunction: outcome(() => new EventEmitter().on("x", 1)),
    max: outcome(() => new EventEmitter().setMaxListeners(3).getMaxListeners()),
});
