"use strict";
const { brands, copyMembers, dictionary, expose, need, report } = require("snapcell:idl");

// Each event has it as its own.
const ownMembers = {
    get isTrusted() {
        return brands.event(this).trusted;
    },
};
const isTrusted = {
    __proto__: null,
    get: Object.getOwnPropertyDescriptor(ownMembers, "isTrusted").get,
    enumerable: true,
};

class Event {
    #state;

    static {
        brands.event = value => (#state in value ? value.#state : undefined);
    }

    constructor(type, init = undefined) {
        need(1, arguments.length, "Event");
        type = `${type}`;
        const { bubbles, cancelable, composed } = dictionary(init, "Event");
        Object.defineProperty(this, "isTrusted", isTrusted);
        this.#state = {
            type,
            bubbles: Boolean(bubbles),
            cancelable: Boolean(cancelable),
            composed: Boolean(composed),
            timeStamp: native.now(),
            target: null,
            currentTarget: null,
            phase: 0,
            dispatching: false,
            passive: false,
            stopped: false,
            stoppedNow: false,
            prevented: false,
            trusted: false,
        };
    }

    get type() {
        return this.#state.type;
    }

    get target() {
        return this.#state.target;
    }

    get srcElement() {
        return this.#state.target;
    }

    get currentTarget() {
        return this.#state.currentTarget;
    }

    get eventPhase() {
        return this.#state.phase;
    }

    get bubbles() {
        return this.#state.bubbles;
    }

    get cancelable() {
        return this.#state.cancelable;
    }

    get composed() {
        return this.#state.composed;
    }

    get defaultPrevented() {
        return this.#state.prevented;
    }

    get returnValue() {
        return !this.#state.prevented;
    }

    set returnValue(value) {
        const state = this.#state;
        if (!value) prevent(state);
    }

    get cancelBubble() {
        return this.#state.stopped;
    }

    set cancelBubble(value) {
        const state = this.#state;
        if (value) state.stopped = true;
    }

    get timeStamp() {
        return this.#state.timeStamp;
    }

    composedPath() {
        const { currentTarget } = this.#state;
        return currentTarget === null ? [] : [currentTarget];
    }

    preventDefault() {
        prevent(this.#state);
    }

    stopPropagation() {
        this.#state.stopped = true;
    }

    stopImmediatePropagation() {
        this.#state.stopped = true;
        this.#state.stoppedNow = true;
    }

    initEvent(type, bubbles = false, cancelable = false) {
        need(1, arguments.length, "Event.initEvent");
        const state = this.#state;
        type = `${type}`;
        if (state.dispatching) return;
        state.type = type;
        state.bubbles = Boolean(bubbles);
        state.cancelable = Boolean(cancelable);
        state.stopped = state.stoppedNow = state.prevented = state.trusted = false;
        state.target = null;
    }
}
expose(Event);

function prevent(state) {
    if (state.cancelable && !state.passive) state.prevented = true;
}

["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].forEach((name, value) => {
    Object.defineProperty(Event, name, { value, enumerable: true });
    Object.defineProperty(Event.prototype, name, { value, enumerable: true });
});

const { initEvent } = Event.prototype;

class CustomEvent extends Event {
    #detail;

    constructor(type, init = undefined) {
        need(1, arguments.length, "CustomEvent");
        super(type, init);
        this.#detail = init?.detail ?? null;
    }

    get detail() {
        return this.#detail;
    }

    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
        need(1, arguments.length, "CustomEvent.initCustomEvent");
        this.#detail;
        type = `${type}`;
        if (brands.event(this).dispatching) return;
        initEvent.call(this, type, bubbles, cancelable);
        this.#detail = detail;
    }
}
expose(CustomEvent);

function invoke(listener, event, state, target) {
    state.passive = listener.passive;
    try {
        const { callback } = listener;
        if (typeof callback === "function") callback.call(target, event);
        else callback.handleEvent(event);
    } catch (error) {
        report(error, `a listener for "${state.type}"`);
    }
    state.passive = false;
}

// Calls the listeners of one target; there are no trees of targets here. Those that capture come
// first.
function dispatch(target, listeners, event, state) {
    state.dispatching = true;
    state.target = state.currentTarget = target;
    state.phase = 2;
    for (const capture of [true, false]) {
        if (!state.stopped) invokeAll(target, listeners, capture, event, state);
    }
    state.phase = 0;
    state.currentTarget = null;
    state.dispatching = state.stopped = state.stoppedNow = false;
    return !state.prevented;
}

function invokeAll(target, listeners, capture, event, state) {
    for (const listener of listOf(listeners, state.type, capture)) {
        if (listener.removed) continue;
        if (listener.once) remove(listeners, state.type, listener);
        invoke(listener, event, state, target);
        if (state.stoppedNow) return;
    }
}

function remove(listeners, type, listener) {
    listener.removed = true;
    listener.forget?.();
    const known = listeners.get(type);
    known[listener.capture ? CAPTURING : OTHER].delete(listener.callback);
    if (known[CAPTURING].size + known[OTHER].size === 0) listeners.delete(type);
}

// Those of a type are in two maps, by their callback, so that finding one takes no longer the more
// there are.
const CAPTURING = 0;
const OTHER = 1;

function listOf(listeners, type, capture) {
    const known = listeners.get(type);
    return known === undefined ? [] : [...known[capture ? CAPTURING : OTHER].values()];
}

const noOptions = { capture: false, once: false, passive: false, signal: undefined };

// The options of a listener: a dictionary, or a boolean that is its `capture`.
function listenerOptions(options) {
    if (options === undefined || options === null) return noOptions;
    if (typeof options !== "object" && typeof options !== "function") {
        return { ...noOptions, capture: Boolean(options) };
    }
    const { capture, once, passive, signal } = options;
    if (signal !== undefined && !brands.signal?.(signal)) {
        throw new TypeError("EventTarget.addEventListener: the signal must be an AbortSignal");
    }
    return { capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), signal };
}

function captures(options) {
    const isObject = typeof options === "object" || typeof options === "function";
    return Boolean(isObject ? options?.capture : options);
}

function find(listeners, type, callback, capture) {
    return listeners.get(type)?.[capture ? CAPTURING : OTHER].get(callback);
}

function checkCallback(callback, what) {
    if (callback === null || callback === undefined) return false;
    if (typeof callback === "function" || typeof callback === "object") return true;
    throw new TypeError(`${what}: the listener must be a function or an object with handleEvent`);
}

class EventTarget {
    #listeners = new Map();
    #handlers = null; // of attributes such as onabort, by type

    static {
        brands.target = value => (#listeners in value ? value.#listeners : undefined);
        exports.handlersOf = target => (target.#handlers ??= { __proto__: null });
    }

    addEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "EventTarget.addEventListener");
        const listeners = this.#listeners;
        type = `${type}`;
        const isThere = checkCallback(callback, "EventTarget.addEventListener");
        const { capture, once, passive, signal } = listenerOptions(options);
        const source = signal && brands.signal(signal);
        if (!isThere || source?.aborted) return;
        if (find(listeners, type, callback, capture)) return;
        const listener = { callback, capture, once, passive, removed: false, forget: undefined };
        if (!listeners.has(type)) listeners.set(type, [new Map(), new Map()]);
        listeners.get(type)[capture ? CAPTURING : OTHER].set(callback, listener);
        listener.forget = source?.onAbort(() => {
            if (!listener.removed) remove(listeners, type, listener);
        });
    }

    removeEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "EventTarget.removeEventListener");
        const listeners = this.#listeners;
        type = `${type}`;
        checkCallback(callback, "EventTarget.removeEventListener");
        const listener = find(listeners, type, callback, captures(options));
        if (listener) remove(listeners, type, listener);
    }

    dispatchEvent(event) {
        const listeners = this.#listeners;
        const state = typeof event === "object" && event !== null && brands.event(event);
        if (!state) throw new TypeError("EventTarget.dispatchEvent: the argument must be an Event");
        if (state.dispatching) {
            const { DOMException } = require("snapcell:exception");
            throw new DOMException("the event is being dispatched already", "InvalidStateError");
        }
        state.trusted = false;
        return dispatch(this, listeners, event, state);
    }
}
expose(EventTarget);

// Defines the attribute `on<type>` of a class of event targets: a listener that can be set again.
// `brand` throws, or gives nothing, for what is not an object of the class.
exports.handlerAttribute = (Class, type, brand, onSet = undefined) => {
    const handlersOf = target => {
        if (!brand(target)) throw new TypeError("Illegal invocation");
        return exports.handlersOf(target);
    };
    const members = {
        get [`on${type}`]() {
            return handlersOf(this)[type]?.callback ?? null;
        },
        set [`on${type}`](callback) {
            const handlers = handlersOf(this);
            const usable = typeof callback === "function" || typeof callback === "object";
            if (handlers[type]) handlers[type].callback = usable ? callback : null;
            else if (usable && callback !== null) handlers[type] = addHandler(this, type, callback);
            onSet?.(this);
        },
    };
    copyMembers(Class.prototype, members);
};

const { addEventListener } = EventTarget.prototype;

function addHandler(target, type, callback) {
    const handler = { callback };
    addEventListener.call(target, type, event => {
        if (typeof handler.callback !== "function") return;
        if (handler.callback.call(target, event) === false) event.preventDefault();
    });
    return handler;
}

// The listeners of a type, as they are called.
exports.listenersOf = (target, type) => {
    const listeners = brands.target(target);
    return [...listOf(listeners, type, true), ...listOf(listeners, type, false)];
};

// Dispatches an event whose target is another object than the one that holds the listeners.
exports.dispatchAs = (target, holder, event) =>
    dispatch(target, brands.target(holder), event, brands.event(event));

// Dispatches an event that comes from the platform.
exports.fire = (target, event) => {
    const state = brands.event(event);
    state.trusted = true;
    return dispatch(target, brands.target(target), event, state);
};

// An event that comes from the platform.
exports.trusted = event => {
    brands.event(event).trusted = true;
    return event;
};

exports.Event = Event;
exports.CustomEvent = CustomEvent;
exports.EventTarget = EventTarget;
