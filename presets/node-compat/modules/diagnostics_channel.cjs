"use strict";
// node:diagnostics_channel: channels by name, which subscribers listen to.
const { checkFunction, invalidType } = require("./errors.cjs");

const channels = new Map();
const report = error =>
    queueMicrotask(() => {
        throw error;
    });

// A channel that nothing subscribes to publishes to nobody.
class Channel {
    #subscribers = [];
    #stores = new Map();

    constructor(name) {
        this.name = name;
    }

    static [Symbol.hasInstance](value) {
        return typeof value === "object" && value !== null && #subscribers in value;
    }

    get hasSubscribers() {
        return this.#subscribers.length > 0 || this.#stores.size > 0;
    }

    subscribe(subscriber) {
        checkFunction(subscriber, "subscription");
        this.#subscribers = [...this.#subscribers, subscriber];
    }

    unsubscribe(subscriber) {
        const index = this.#subscribers.indexOf(subscriber);
        if (index < 0) return false;
        this.#subscribers = this.#subscribers.toSpliced(index, 1);
        return true;
    }

    publish(message) {
        for (const subscriber of this.#subscribers) {
            try {
                subscriber(message, this.name);
            } catch (error) {
                report(error);
            }
        }
    }

    bindStore(store, transform) {
        this.#stores.set(store, transform);
    }

    unbindStore(store) {
        return this.#stores.delete(store);
    }

    runStores(data, callback, receiver, ...values) {
        let run = () => {
            this.publish(data);
            return Reflect.apply(callback, receiver, values);
        };
        for (const [store, transform] of this.#stores) {
            const inner = run;
            run = () => {
                let context = data;
                try {
                    if (transform) context = transform(data);
                } catch (error) {
                    report(error);
                    return inner();
                }
                return store.run(context, inner);
            };
        }
        return run();
    }
}

function channel(name) {
    if (channels.has(name)) return channels.get(name);
    if (typeof name !== "string" && typeof name !== "symbol")
        throw invalidType("channel", ["string", "symbol"], name);
    const made = new Channel(name);
    channels.set(name, made);
    return made;
}

const subscribe = (name, subscriber) => channel(name).subscribe(subscriber);
const unsubscribe = (name, subscriber) => channel(name).unsubscribe(subscriber);
const hasSubscribers = name => channels.get(name)?.hasSubscribers ?? false;

const events = ["start", "end", "asyncStart", "asyncEnd", "error"];

class TracingChannel {
    constructor(given) {
        for (const event of events)
            this[event] =
                typeof given === "string" ? channel(`tracing:${given}:${event}`) : given[event];
    }

    get hasSubscribers() {
        return events.some(event => this[event]?.hasSubscribers);
    }

    subscribe(handlers) {
        for (const event of events) if (handlers[event]) this[event]?.subscribe(handlers[event]);
    }

    unsubscribe(handlers) {
        const done = events.map(
            event => !handlers[event] || (this[event]?.unsubscribe(handlers[event]) ?? false)
        );
        return done.every(Boolean);
    }

    traceSync(callback, context = {}, receiver, ...values) {
        if (!this.hasSubscribers) return Reflect.apply(callback, receiver, values);
        return this.start.runStores(context, () => {
            try {
                const result = Reflect.apply(callback, receiver, values);
                context.result = result;
                return result;
            } catch (error) {
                context.error = error;
                this.error.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }

    tracePromise(callback, context = {}, receiver, ...values) {
        if (!this.hasSubscribers) return Reflect.apply(callback, receiver, values);
        const settled = (name, value) => {
            context[name] = value;
            if (name === "error") this.error.publish(context);
            this.asyncStart.publish(context);
            this.asyncEnd.publish(context);
        };
        return this.start.runStores(context, () => {
            try {
                const promise = Promise.resolve(Reflect.apply(callback, receiver, values));
                return promise.then(
                    value => {
                        settled("result", value);
                        return value;
                    },
                    error => {
                        settled("error", error);
                        return Promise.reject(error);
                    }
                );
            } catch (error) {
                context.error = error;
                this.error.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }

    traceCallback(callback, position = -1, context = {}, receiver, ...values) {
        if (!this.hasSubscribers) return Reflect.apply(callback, receiver, values);
        const done = values.at(position);
        checkFunction(done, "callback");
        const channelOf = this;
        values.splice(position, 1, function (error, result) {
            if (error) {
                context.error = error;
                channelOf.error.publish(context);
            } else {
                context.result = result;
            }
            channelOf.asyncStart.runStores(context, () => {
                try {
                    return Reflect.apply(done, this, arguments);
                } finally {
                    channelOf.asyncEnd.publish(context);
                }
            });
        });
        return this.start.runStores(context, () => {
            try {
                return Reflect.apply(callback, receiver, values);
            } catch (error) {
                context.error = error;
                this.error.publish(context);
                throw error;
            } finally {
                this.end.publish(context);
            }
        });
    }
}

const tracingChannel = given => new TracingChannel(given);

module.exports = { Channel, channel, hasSubscribers, subscribe, tracingChannel, unsubscribe };
require("./global_object.cjs").register("diagnostics_channel", module.exports);
