"use strict";
// node:worker_threads of a program that has one thread.
const { failure, missingAll } = require("./errors.cjs");
const support = require("./support.mjs").default;

const absent = ["Worker", "getEnvironmentData", "markAsUncloneable", "markAsUntransferable"];
absent.push("moveMessagePortToContext", "postMessageToThread");
absent.push("setEnvironmentData", "BroadcastChannel", "isMarkedAsUntransferable");

// In Node ports are emitters, too. Names of listeners are those of events, and a message is what they get.
const listenersOf = new WeakMap(); // port -> Map of listeners -> what was added for them

function add(port, type, listener, once) {
    const told = type === "message" || type === "messageerror";
    const added = event => {
        if (once) port.off(type, listener);
        listener.call(port, told ? event.data : event);
    };
    if (!listenersOf.has(port)) listenersOf.set(port, new Map());
    listenersOf.get(port).set(listener, added);
    port.addEventListener(type, added);
    if (type === "message") port.start();
    return port;
}

const ofPorts = {
    on(type, listener) {
        return add(this, type, listener, false);
    },
    once(type, listener) {
        return add(this, type, listener, true);
    },
    off(type, listener) {
        this.removeEventListener(type, listenersOf.get(this)?.get(listener) ?? listener);
        listenersOf.get(this)?.delete(listener);
        return this;
    },
    ref() {},
    unref() {},
    hasRef: () => true,
};
ofPorts.addListener = ofPorts.on;
ofPorts.removeListener = ofPorts.off;

function withEmitters() {
    const { prototype } = globalThis.MessagePort;
    for (const [name, value] of Object.entries(ofPorts))
        if (!Object.hasOwn(prototype, name))
            Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

function receiveMessageOnPort(port) {
    const found = support.takeMessage(port);
    if (found !== null) return found;
    throw failure(
        TypeError,
        "ERR_INVALID_ARG_TYPE",
        'The "port" argument must be a MessagePort instance'
    );
}

module.exports = {
    receiveMessageOnPort,
    ...missingAll("worker_threads", absent),
    isMainThread: true,
    isInternalThread: false,
    parentPort: null,
    resourceLimits: {},
    SHARE_ENV: Symbol.for("nodejs.worker_threads.SHARE_ENV"),
    threadId: 0,
    threadName: "",
    workerData: null,
    get MessageChannel() {
        withEmitters();
        return globalThis.MessageChannel;
    },
    get MessagePort() {
        withEmitters();
        return globalThis.MessagePort;
    },
};
