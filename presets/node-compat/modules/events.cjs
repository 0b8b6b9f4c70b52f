"use strict";
// node:events is unenv's class as a function: in Node it can be called without `new`, too, and old
// packages do so. As in Node, the module is the function, and its methods are enumerable.
const { EventEmitter: Base } = require("unenv/node/events");

function EventEmitter(options) {
    const emitter = Reflect.construct(Base, [options], new.target ?? EventEmitter);
    if (new.target) return emitter;
    Object.assign(this, emitter);
}
Object.setPrototypeOf(EventEmitter, Base);
EventEmitter.prototype = Base.prototype;
Base.prototype.constructor = EventEmitter;
// unenv's `on` calls `addListener` of the object, which in old packages calls `on` again.
const { addListener } = Base.prototype;
Base.prototype.on = Base.prototype.addListener = function (type, listener) {
    if (typeof listener === "function") return addListener.call(this, type, listener);
    const message = `The "listener" argument must be of type function. Received ${typeof listener}`;
    throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
};

for (const name of Object.getOwnPropertyNames(Base.prototype))
    if (name !== "constructor") Object.defineProperty(Base.prototype, name, { enumerable: true });

const given = ["addAbortListener", "captureRejectionSymbol", "errorMonitor", "getEventListeners"];
given.push("getMaxListeners", "listenerCount", "on", "once", "setMaxListeners");
for (const name of given)
    Object.defineProperty(EventEmitter, name, { value: Base[name], enumerable: true });
Object.defineProperty(EventEmitter, "EventEmitter", { value: EventEmitter, enumerable: true });

module.exports = EventEmitter;
require("./global_object.cjs").register("events", module.exports);
