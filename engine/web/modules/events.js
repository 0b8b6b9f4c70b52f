"use strict";
const { brands, expose, need, report } = require("snapcell:idl");

function checkInit(init, what) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object" && typeof init !== "function")
        throw new TypeError(`${what}: the options must be an object`);
}

// Each event has it as its own.
const isTrusted = {
    get: function isTrusted() {
        return brands.event(this).trusted;
    },
    enumerable: true,
};

class Event {
    #state;

    static {
        brands.event = value => (#state in value ? value.#state : undefined);
    }

    constructor(type, init = undefined) {
        need(1, arguments.length, "Event");
        checkInit(init, "Event");
        Object.defineProperty(this, "isTrusted", isTrusted);
        this.#state = {
            type: `${type}`,
            bubbles: Boolean(init?.bubbles),
            cancelable: Boolean(init?.cancelable),
            composed: Boolean(init?.composed),
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
        if (!value) this.preventDefault();
    }

    get cancelBubble() {
        return this.#state.stopped;
    }

    set cancelBubble(value) {
        if (value) this.#state.stopped = true;
    }

    get timeStamp() {
        return this.#state.timeStamp;
    }

    composedPath() {
        const { currentTarget } = this.#state;
        return currentTarget === null ? [] : [currentTarget];
    }

    preventDefault() {
        const state = this.#state;
        if (state.cancelable && !state.passive) state.prevented = true;
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
        if (state.dispatching) return;
        state.type = `${type}`;
        state.bubbles = Boolean(bubbles);
        state.cancelable = Boolean(cancelable);
        state.stopped = state.stoppedNow = state.prevented = false;
        state.target = null;
    }
}
expose(Event);
["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].forEach((name, value) => {
    Object.defineProperty(Event, name, { value, enumerable: true });
    Object.defineProperty(Event.prototype, name, { value, enumerable: true });
});

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
        if (brands.event(this).dispatching) return;
        this.initEvent(type, bubbles, cancelable);
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
    const list = listeners.get(state.type)?.filter(listener => listener.capture === capture);
    for (const listener of list ?? []) {
        if (listener.removed) continue;
        if (listener.once) remove(listeners, state.type, listener);
        invoke(listener, event, state, target);
        if (state.stoppedNow) return;
    }
}

function remove(listeners, type, listener) {
    listener.removed = true;
    listener.forget?.();
    const list = listeners.get(type);
    const index = list.indexOf(listener);
    if (index >= 0) list.splice(index, 1);
    if (list.length === 0) listeners.delete(type);
}

const captures = options => Boolean(typeof options === "object" ? options?.capture : options);

function find(listeners, type, callback, capture) {
    return listeners.get(type)?.find(one => one.callback === callback && one.capture === capture);
}

function checkCallback(callback, what) {
    if (callback === null || callback === undefined) return false;
    if (typeof callback === "function" || typeof callback === "object") return true;
    throw new TypeError(`${what}: the listener must be a function or an object with handleEvent`);
}

class EventTarget {
    #listeners = new Map();

    static {
        brands.target = value => (#listeners in value ? value.#listeners : undefined);
    }

    addEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "EventTarget.addEventListener");
        const listeners = this.#listeners;
        const capture = captures(options);
        const { once, passive, signal } = typeof options === "object" && options ? options : {};
        if (signal !== undefined && !brands.signal?.(signal)) {
            throw new TypeError("EventTarget.addEventListener: the signal must be an AbortSignal");
        }
        if (!checkCallback(callback, "EventTarget.addEventListener") || signal?.aborted) return;
        type = `${type}`;
        if (find(listeners, type, callback, capture)) return;
        const listener = {
            callback,
            capture,
            once: Boolean(once),
            passive: Boolean(passive),
            removed: false,
            forget: undefined,
        };
        if (!listeners.has(type)) listeners.set(type, []);
        listeners.get(type).push(listener);
        if (signal)
            listener.forget = brands.signal(signal).onAbort(() => {
                if (!listener.removed) remove(listeners, type, listener);
            });
    }

    removeEventListener(type, callback, options = undefined) {
        need(2, arguments.length, "EventTarget.removeEventListener");
        const listener = find(this.#listeners, `${type}`, callback, captures(options));
        if (listener) remove(this.#listeners, `${type}`, listener);
    }

    dispatchEvent(event) {
        const state = typeof event === "object" && event !== null && brands.event(event);
        if (!state) throw new TypeError("EventTarget.dispatchEvent: the argument must be an Event");
        if (state.dispatching) {
            const { DOMException } = require("snapcell:exception");
            throw new DOMException("the event is being dispatched already", "InvalidStateError");
        }
        return dispatch(this, this.#listeners, event, state);
    }
}
expose(EventTarget);

// Defines the attribute `on<type>` of a class of event targets: a listener that can be set anew.
exports.handlerAttribute = (Class, type) => {
    const key = Symbol(`on${type}`);
    Object.defineProperty(Class.prototype, `on${type}`, {
        get() {
            return this[key]?.callback ?? null;
        },
        set(callback) {
            const type = typeof callback;
            const usable = type === "function" || (type === "object" && callback !== null);
            if (this[key]) this[key].callback = usable ? callback : null;
            else if (usable) addHandler(this, key, callback);
        },
        enumerable: true,
        configurable: true,
    });

    function addHandler(target, key, callback) {
        const handler = { callback };
        Object.defineProperty(target, key, { value: handler });
        target.addEventListener(type, event => {
            if (typeof handler.callback === "function") handler.callback.call(target, event);
        });
    }
};

// Dispatches an event whose target is another object than the one that holds the listeners.
exports.dispatchAs = (target, holder, event) =>
    dispatch(target, brands.target(holder), event, brands.event(event));

// An event that comes from the platform.
exports.trusted = event => {
    brands.event(event).trusted = true;
    return event;
};

exports.Event = Event;
exports.CustomEvent = CustomEvent;
exports.EventTarget = EventTarget;
