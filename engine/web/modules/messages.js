"use strict";
const { brands, expose, illegalConstructor } = require("snapcell:idl");
const { Event, EventTarget, handlerAttribute } = require("snapcell:events");

class MessageEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        super(type, init);
        this.#init = { data: init?.data ?? null, ports: Object.freeze([...(init?.ports ?? [])]) };
    }

    get data() {
        return this.#init.data;
    }

    get origin() {
        return "";
    }

    get lastEventId() {
        return "";
    }

    get source() {
        return null;
    }

    get ports() {
        return this.#init.ports;
    }
}
expose(MessageEvent);

// Messages wait until the port was started; each is a task of its own.
class MessagePort extends EventTarget {
    #state = { other: null, started: false, waiting: [] };

    static {
        brands.port = value => (#state in value ? value.#state : undefined);
    }

    constructor(token) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
    }

    postMessage(message, options = undefined) {
        const transfer = Array.isArray(options) ? options : options?.transfer;
        const { structuredClone } = require("snapcell:clone");
        const data = structuredClone(message, { transfer });
        const { other } = this.#state;
        if (!other) return;
        other.#state.waiting.push(data);
        if (other.#state.started) other.#deliver();
    }

    #deliver() {
        const state = this.#state;
        const data = state.waiting.shift();
        native.setTimer(
            () => this.dispatchEvent(new MessageEvent("message", { data })),
            0,
            false,
            []
        );
    }

    start() {
        const state = this.#state;
        if (state.started) return;
        state.started = true;
        while (state.waiting.length > 0) this.#deliver();
    }

    close() {
        const { other } = this.#state;
        this.#state.other = null;
        if (other) other.#state.other = null;
    }
}
expose(MessagePort);
handlerAttribute(MessagePort, "message");
handlerAttribute(MessagePort, "messageerror");

// Setting onmessage starts the port.
const onmessage = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage");
Object.defineProperty(MessagePort.prototype, "onmessage", {
    ...onmessage,
    set(callback) {
        onmessage.set.call(this, callback);
        this.start();
    },
});

class MessageChannel {
    #port1 = new MessagePort(illegalConstructor);
    #port2 = new MessagePort(illegalConstructor);

    constructor() {
        brands.port(this.#port1).other = this.#port2;
        brands.port(this.#port2).other = this.#port1;
    }

    get port1() {
        return this.#port1;
    }

    get port2() {
        return this.#port2;
    }
}
expose(MessageChannel);

exports.MessageChannel = MessageChannel;
exports.MessagePort = MessagePort;
exports.MessageEvent = MessageEvent;
