"use strict";
const { brands, cloners, dictionary, expose, illegalConstructor, need } = require("snapcell:idl");
const { Event, EventTarget, fire, handlerAttribute } = require("snapcell:events");

class MessageEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        need(1, arguments.length, "MessageEvent");
        super(type, init);
        this.#init = readInit(dictionary(init, "MessageEvent"));
    }

    initMessageEvent(type, bubbles = false, cancelable = false, ...values) {
        need(1, arguments.length, "MessageEvent.initMessageEvent");
        this.#init;
        const [data, origin, lastEventId, source, ports] = values;
        const init = readInit({ data, lastEventId, origin, ports, source });
        initEvent.call(this, type, bubbles, cancelable);
        if (!brands.event(this).dispatching) this.#init = init;
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

const { initEvent } = Event.prototype;
const noPorts = Object.freeze([]);

// The members in the order in which Web IDL reads and converts them.
function readInit(given) {
    const { data = null } = given;
    let { lastEventId = "" } = given;
    lastEventId = `${lastEventId}`;
    let { origin = "" } = given;
    origin = `${origin}`.toWellFormed();
    const ports = portsOf(given.ports);
    const { source = null } = given;
    if (source !== null && !(typeof source === "object" && brands.port(source))) {
        throw new TypeError("MessageEvent: the source must be a MessagePort");
    }
    return { data, lastEventId, origin, ports, source };
}

function portsOf(given) {
    if (given === undefined) return noPorts;
    const { sequence } = require("snapcell:convert");
    const ports = sequence(given, "MessageEvent: the ports");
    if (ports.every(port => typeof port === "object" && port !== null && brands.port(port)))
        return Object.freeze(ports);
    throw new TypeError("MessageEvent: each of the ports must be a MessagePort");
}

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
            const init = { __proto__: null, data: message.value, ports: message.ports };
            fire(this.port, new MessageEvent("message", init));
        };
        native.setTimer(dispatch, 0, false, []);
    }

    // The next message, taken before it is an event.
    take() {
        const message = this.#waiting.shift();
        return message && { message: message.value };
    }

    start() {
        if (this.started) return;
        this.started = true;
        for (let i = this.#waiting.length; i > 0; i--) this.#deliver();
    }

    // The other end is told, after what was sent before. A closed port can no longer be transferred.
    close() {
        this.detached = true;
        const { other } = this;
        this.other = null;
        if (!other) return;
        other.other = null;
        const tell = () => fire(other.port, new Event("close"));
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

    constructor(token = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
        this.#end.port = this;
    }

    postMessage(message, options = undefined) {
        need(1, arguments.length, "MessagePort.postMessage");
        const end = this.#end;
        const { cloneWith, transferOf } = require("snapcell:clone");
        const transfer = transferOf(
            isIterable(options) ? { transfer: options } : options,
            "MessagePort.postMessage"
        );
        if (transfer.includes(this)) {
            const { DOMException } = require("snapcell:exception");
            throw new DOMException("a port cannot be sent through itself", "DataCloneError");
        }
        const { other } = end; // which the transfer of the other port changes
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
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    value[Symbol.iterator] !== undefined &&
    value[Symbol.iterator] !== null;

cloners.push((object, moved) => {
    const end = brands.port(object);
    if (!end) return undefined;
    if (moved.has(object)) return () => end.move(moved);
    const { DOMException } = require("snapcell:exception");
    throw new DOMException("a MessagePort can only be transferred", "DataCloneError");
});

// Setting onmessage starts the port.
handlerAttribute(MessagePort, "message", brands.port, port => brands.port(port).start());
handlerAttribute(MessagePort, "messageerror", brands.port);
handlerAttribute(MessagePort, "close", brands.port);

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
