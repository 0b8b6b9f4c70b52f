"use strict";
const { brands, cloners, expose, illegalConstructor, need } = require("snapcell:idl");
const { Event, EventTarget, handlerAttribute, trusted } = require("snapcell:events");

class MessageEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        super(type, init);
        this.#init = {
            data: init?.data ?? null,
            origin: init?.origin === undefined ? "" : `${init.origin}`.toWellFormed(),
            lastEventId: init?.lastEventId === undefined ? "" : `${init.lastEventId}`,
            source: init?.source ?? null,
            ports: Object.freeze([...(init?.ports ?? [])]),
        };
    }

    get data() {
        return this.#init.data;
    }

    get origin() {
        return this.#init.origin;
    }

    get lastEventId() {
        return this.#init.lastEventId;
    }

    get source() {
        return this.#init.source;
    }

    get ports() {
        return this.#init.ports;
    }
}
expose(MessageEvent);

// A pipe's end: what a port has, and takes along when it is transferred.
class End {
    other = null;
    port = null;
    started = false;
    detached = false;
    #waiting = [];

    // Messages wait until the port was started; each is a task of its own.
    receive(message) {
        this.#waiting.push(message);
        if (this.started) this.#deliver();
    }

    #deliver() {
        const dispatch = () => {
            const message = this.#waiting.shift();
            if (!message) return;
            const init = { data: message.value, ports: message.ports };
            this.port.dispatchEvent(trusted(new MessageEvent("message", init)));
        };
        native.setTimer(dispatch, 0, false, []);
    }

    start() {
        if (this.started) return;
        this.started = true;
        for (let i = this.#waiting.length; i > 0; i--) this.#deliver();
    }

    // The other end is told, after what was sent before.
    close() {
        const { other } = this;
        this.other = null;
        if (!other) return;
        other.other = null;
        const tell = () => other.port.dispatchEvent(trusted(new Event("close")));
        native.setTimer(tell, 0, false, []);
    }

    // The port that takes the place of this end's, which is then of no use.
    move(moved) {
        if (moved.get(this.port)) return moved.get(this.port);
        const port = new MessagePort(illegalConstructor);
        const end = brands.port(port);
        moved.set(this.port, port);
        end.other = this.other;
        if (end.other) end.other.other = end;
        end.#waiting = this.#waiting.splice(0);
        this.other = null;
        this.detached = true;
        return port;
    }
}

class MessagePort extends EventTarget {
    #end = new End();

    static {
        brands.port = value => (#end in value ? value.#end : undefined);
    }

    constructor(token) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
        this.#end.port = this;
    }

    postMessage(message, options = undefined) {
        need(1, arguments.length, "MessagePort.postMessage");
        const list = isIterable(options) ? options : options?.transfer;
        const transfer = list === undefined ? [] : [...list];
        if (transfer.includes(this)) {
            const { DOMException } = require("snapcell:exception");
            throw new DOMException("a port cannot be sent through itself", "DataCloneError");
        }
        const { cloneWith } = require("snapcell:clone");
        const { other } = this.#end; // which the transfer of the other port changes
        const copy = cloneWith(message, transfer);
        other?.receive(copy);
    }

    start() {
        this.#end.start();
    }

    close() {
        this.#end.close();
    }
}
expose(MessagePort);
const isIterable = value =>
    typeof value === "object" && value !== null && typeof value[Symbol.iterator] === "function";

cloners.push((object, moved) => {
    const end = brands.port(object);
    if (!end) return undefined;
    if (moved.has(object)) return () => end.move(moved);
    const { DOMException } = require("snapcell:exception");
    throw new DOMException("a MessagePort can only be transferred", "DataCloneError");
});

handlerAttribute(MessagePort, "message");
handlerAttribute(MessagePort, "messageerror");
handlerAttribute(MessagePort, "close");

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
        const [one, two] = [brands.port(this.#port1), brands.port(this.#port2)];
        one.other = two;
        two.other = one;
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
