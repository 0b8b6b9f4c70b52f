"use strict";
// What `import ... from "cloudflare:workers"` gives: the environment and waitUntil() of the call that
// runs, wherever the code stands that asks, and the classes that handlers extend.

// Reads of `env` go to the env of the call. At top level of a snapshot there is none to read, so that
// such a bundle is evaluated at each load.
const empty = Object.freeze({ __proto__: null });
let given = undefined; // by withEnv(): a storage, once it was called
const current = () => given?.getStore() ?? native.environment() ?? empty;

const env = new Proxy(
    {},
    {
        get: (_, name) => Reflect.get(current(), name),
        has: (_, name) => Reflect.has(current(), name),
        set: (_, name, value) => Reflect.set(current(), name, value),
        deleteProperty: (_, name) => Reflect.deleteProperty(current(), name),
        ownKeys: () => Reflect.ownKeys(current()),
        defineProperty: (_, name, descriptor) =>
            Reflect.defineProperty(current(), name, descriptor),
        // A proxy may not report what its target does not have unless it can be configured.
        getOwnPropertyDescriptor(_, name) {
            const descriptor = Reflect.getOwnPropertyDescriptor(current(), name);
            return descriptor && { ...descriptor, configurable: true };
        },
    }
);

function withEnv(value, callback) {
    const { AsyncLocalStorage } = require("snapcell:async_hooks");
    given ??= new AsyncLocalStorage();
    return given.run(value, callback);
}

function waitUntil(promise) {
    const promises = require("snapcell:dispatch").pendingNow();
    if (!promises) throw new Error("waitUntil() was called outside of a handler");
    promises.push(promise);
}

class WorkerEntrypoint {
    constructor(context, environment) {
        this.ctx = context;
        this.env = environment;
    }
}

class RpcTarget {}

const missing = (name, why) =>
    class {
        static {
            Object.defineProperty(this, "name", { value: name });
        }
        constructor() {
            throw new Error(`${name} of "cloudflare:workers" is not here: ${why}`);
        }
    };

exports.env = env;
exports.withEnv = withEnv;
exports.waitUntil = waitUntil;
exports.WorkerEntrypoint = WorkerEntrypoint;
exports.RpcTarget = RpcTarget;
exports.DurableObject = missing("DurableObject", "a function has no durable objects");
exports.WorkflowEntrypoint = missing("WorkflowEntrypoint", "a function has no workflows");
for (const name of ["RpcPromise", "RpcProperty", "RpcStub", "ServiceStub"])
    exports[name] = missing(name, "a function calls no other by RPC");
exports.exports = Object.freeze({ __proto__: null }); // no other entrypoint can be called
