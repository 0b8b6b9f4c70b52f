"use strict";
// WebSocket, for packages that look for the class: there are no connections of this kind, so that each
// fails, with an event that says so.
const { brands, dictionary, expose, need } = require("snapcell:idl");
const { Event, EventTarget, fire, handlerAttribute } = require("snapcell:events");

class CloseEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        need(1, arguments.length, "CloseEvent");
        super(type, init);
        const given = dictionary(init, "CloseEvent");
        const { unsigned } = require("snapcell:convert");
        const { code = 0 } = given;
        const number = unsigned(code, 16);
        const { reason = "" } = given;
        const text = `${reason}`.toWellFormed();
        this.#init = { code: number, reason: text, wasClean: Boolean(given.wasClean) };
    }

    get wasClean() {
        return this.#init.wasClean;
    }

    get code() {
        return this.#init.code;
    }

    get reason() {
        return this.#init.reason;
    }
}
expose(CloseEvent);

const WARN = 2;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

function refuse(message, name) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(`WebSocket: ${message}`, name);
}

const schemes = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };

function checkedUrl(text) {
    const { URL } = require("snapcell:url");
    const url = URL.parse(text);
    if (url === null) throw refuse(`invalid URL: ${text}`, "SyntaxError");
    const scheme = schemes[url.protocol];
    if (scheme === undefined) {
        throw refuse(`the URL's scheme must be ws or wss, not "${url.protocol}"`, "SyntaxError");
    }
    if (url.hash !== "" || url.href.endsWith("#")) {
        throw refuse("the URL has a fragment", "SyntaxError");
    }
    return scheme + url.href.slice(url.protocol.length);
}

function checkProtocols(protocols) {
    const seen = new Set(protocols.map(name => name.toLowerCase()));
    const valid = protocols.every(name => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name));
    if (valid && seen.size === protocols.length) return;
    throw refuse("a subprotocol is not a token, or is there twice", "SyntaxError");
}

function convertProtocols(protocols) {
    const isObject = typeof protocols === "object" || typeof protocols === "function";
    if (!isObject || protocols === null || !protocols[Symbol.iterator]) return [`${protocols}`];
    const { sequence } = require("snapcell:convert");
    return sequence(protocols, "WebSocket: the protocols").map(name => `${name}`);
}

const why =
    "there are no WebSocket connections in this engine: let the host open them, or fetch() instead";

// Tells, as tasks later, that the connection failed.
function fail(state) {
    if (state.readyState === CLOSED) return;
    state.readyState = CLOSED;
    const { ErrorEvent } = require("snapcell:error_events");
    const message = `WebSocket: ${state.url}: ${why}`;
    const error = new TypeError(message);
    if (!brands.target(state.socket).has("error")) native.consoleWrite(WARN, message);
    fire(state.socket, new ErrorEvent("error", { message, error }));
    fire(state.socket, new CloseEvent("close", { code: 1006 }));
}

function checkClose(code, reason) {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
        throw refuse(`the code must be 1000, or 3000 to 4999, not ${code}`, "InvalidAccessError");
    }
    if (reason !== undefined && native.utf8Encode(reason).length > 123) {
        throw refuse("the reason is longer than 123 bytes", "SyntaxError");
    }
}

// How much a message would have added to what waits.
function sizeOf(data) {
    const { bytesOf } = require("snapcell:idl");
    const bytes = bytesOf(data);
    if (bytes) return bytes.length;
    const blob = typeof data === "object" && data !== null && brands.blob?.(data);
    return blob ? blob.bytes.length : native.utf8Encode(`${data}`).length;
}

class WebSocket extends EventTarget {
    #state;

    static {
        exports.stateOf = socket => socket.#state;
    }

    constructor(url, protocols = []) {
        need(1, arguments.length, "WebSocket");
        super();
        url = `${url}`;
        const names = convertProtocols(protocols);
        url = checkedUrl(url);
        checkProtocols(names);
        const state = {
            socket: this,
            url,
            readyState: CONNECTING,
            binaryType: "blob",
            buffered: 0,
        };
        this.#state = state;
        native.setTimer(() => fail(state), 0, false, []);
    }

    get url() {
        return this.#state.url;
    }

    get readyState() {
        return this.#state.readyState;
    }

    get bufferedAmount() {
        return this.#state.buffered;
    }

    get extensions() {
        this.#state;
        return "";
    }

    get protocol() {
        this.#state;
        return "";
    }

    get binaryType() {
        return this.#state.binaryType;
    }

    set binaryType(value) {
        const state = this.#state;
        value = `${value}`;
        if (value === "blob" || value === "arraybuffer") state.binaryType = value;
    }

    close(code = undefined, reason = undefined) {
        const state = this.#state;
        if (code !== undefined) code = require("snapcell:convert").unsigned(code, 16);
        if (reason !== undefined) reason = `${reason}`.toWellFormed();
        checkClose(code, reason);
        if (state.readyState === CONNECTING) state.readyState = CLOSING;
    }

    send(data) {
        const state = this.#state;
        need(1, arguments.length, "WebSocket.send");
        const size = sizeOf(data);
        if (state.readyState === CONNECTING) {
            throw refuse("it is not connected yet", "InvalidStateError");
        }
        state.buffered += size;
    }
}
expose(WebSocket);

const { stateOf } = exports;
delete exports.stateOf;
for (const type of ["open", "error", "close", "message"])
    handlerAttribute(WebSocket, type, stateOf);
Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED }).forEach(([name, value]) => {
    Object.defineProperty(WebSocket, name, { value, enumerable: true });
    Object.defineProperty(WebSocket.prototype, name, { value, enumerable: true });
});

exports.WebSocket = WebSocket;
exports.CloseEvent = CloseEvent;
