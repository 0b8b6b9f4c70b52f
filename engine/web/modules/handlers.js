"use strict";
// Handlers that are called by name: `scheduled`, `queue` and any other function of the default export,
// a named export or a listener. Loaded with the first such call.
const { hasListeners, callListeners } = require("snapcell:listeners");
const { bound, newContext, pendingOf, withoutResponse } = require("snapcell:dispatch");

const isObject = value =>
    (typeof value === "object" && value !== null) || typeof value === "function";

// --- What they are called with, and what their calls give: {argument, result(value)} ---

function timeOf(value, what) {
    if (value === undefined) return Date.now();
    const time = typeof value === "string" ? Date.parse(value) : Number(value);
    if (Number.isFinite(time)) return time;
    throw new TypeError(`${what} must be milliseconds since 1970 or a date, not ${value}`);
}

function scheduled(event) {
    let noRetry = false;
    const argument = {
        type: "scheduled",
        cron: `${event.cron ?? ""}`,
        scheduledTime: timeOf(event.scheduledTime, "scheduledTime"),
        noRetry() {
            noRetry = true;
        },
    };
    return { argument, result: () => ({ outcome: "ok", noRetry }) };
}

const delayOf = options =>
    options?.delaySeconds === undefined ? {} : { delaySeconds: Number(options.delaySeconds) };

// The last word on a message counts: its own before the batch's.
function newMessage(given, index, verdicts) {
    if (!isObject(given)) throw new TypeError(`message ${index} of the batch is not an object`);
    const id = `${given.id ?? index}`;
    return {
        id,
        timestamp: new Date(timeOf(given.timestamp, `the timestamp of message ${id}`)),
        attempts: given.attempts ?? 1,
        body: given.body,
        ack() {
            verdicts.set(id, null);
        },
        retry(options = undefined) {
            verdicts.set(id, { msgId: id, ...delayOf(options) });
        },
    };
}

function queue(event) {
    const verdicts = new Map();
    let ackAll = false;
    let retryBatch = { retry: false };
    if (!Array.isArray(event.messages)) {
        throw new TypeError("the event of a queue handler must have an array `messages`");
    }
    const argument = {
        queue: `${event.queue ?? ""}`,
        messages: event.messages.map((given, i) => newMessage(given, i, verdicts)),
        ackAll() {
            ackAll = true;
        },
        retryAll(options = undefined) {
            retryBatch = { retry: true, ...delayOf(options) };
        },
    };
    const result = () => ({
        outcome: "ok",
        ackAll,
        retryBatch,
        explicitAcks: [...verdicts].filter(pair => pair[1] === null).map(pair => pair[0]),
        retryMessages: [...verdicts.values()].filter(verdict => verdict !== null),
    });
    return { argument, result };
}

const kinds = { __proto__: null, scheduled, queue };

const plain = event => ({ argument: event, result: value => value });

// --- Finding them ---

const isOwnWord = name =>
    Object.prototype[name] !== undefined || Function.prototype[name] !== undefined;

function fromListeners(name) {
    if (!hasListeners(name)) return null;
    return (argument, env, context) => {
        const { Event } = require("snapcell:events");
        const event = new Event(name);
        for (const key of Object.keys(Object(argument))) {
            if (key === "type") continue;
            Object.defineProperty(event, key, { value: argument[key], enumerable: true });
        }
        event.waitUntil = context.waitUntil;
        callListeners(name, event);
    };
}

function find(handlers, name) {
    if (name === "fetch") return null; // it takes a request
    for (const target of handlers?.targets ?? []) {
        if (isOwnWord(name)) continue;
        if (typeof target[name] === "function")
            return (argument, env, context) => target[name](argument, env, context);
        // Of a class, as what extends WorkerEntrypoint.
        if (typeof target === "function" && typeof target.prototype?.[name] === "function")
            return (argument, env, context) => new target(context, env)[name](argument);
    }
    return handlers?.named[name] ?? fromListeners(name);
}

function names(handlers) {
    const found = new Set(Object.keys(handlers?.named ?? {}));
    for (const target of handlers?.targets ?? []) {
        for (const name of Object.keys(target))
            if (typeof target[name] === "function") found.add(name);
    }
    found.delete("fetch");
    return [...found].slice(0, 20).join(", ");
}

// [JSON, pending], or a promise of that; a string with the names that there are when there is no
// handler of this one.
exports.call = (handlers, name, event, env) => {
    const method = find(handlers, name);
    if (!method) return names(handlers);
    const promises = [];
    const { argument, result } = name in kinds ? kinds[name](Object(event)) : plain(event);
    const finish = async value => {
        const settled = await withoutResponse(await value);
        await pendingOf(promises); // what they do with messages counts, too
        return [JSON.stringify(result(settled)) ?? "null", undefined];
    };
    return finish(method(argument, bound(env), newContext(promises)));
};
