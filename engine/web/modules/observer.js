"use strict";
// PerformanceObserver: reports marks and measures as they are made.
const { dictionary, expose, illegalConstructor, need } = require("snapcell:idl");
const timeline = require("snapcell:timeline");

const supported = Object.freeze(["mark", "measure"]);

class PerformanceObserverEntryList {
    #entries;

    constructor(token = undefined, entries = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
        this.#entries = entries;
    }

    getEntries() {
        return timeline.select(this.#entries);
    }

    getEntriesByType(type) {
        const entries = this.#entries;
        need(1, arguments.length, "PerformanceObserverEntryList.getEntriesByType");
        return timeline.select(entries, undefined, `${type}`);
    }

    getEntriesByName(name, type = undefined) {
        const entries = this.#entries;
        need(1, arguments.length, "PerformanceObserverEntryList.getEntriesByName");
        return timeline.select(entries, `${name}`, type);
    }
}
expose(PerformanceObserverEntryList);

// --- Active observers, and what was not reported to them yet ---

const active = new Set(); // of the states of observers
let scheduled = false;

const queuedMax = 10000; // as many as the timeline keeps

function enqueue(entry) {
    for (const state of active) {
        if (!state.types.has(entry.entryType)) continue;
        if (state.queue.length < queuedMax) state.queue.push(entry);
        else state.dropped++;
        schedule();
    }
}

function schedule() {
    if (scheduled) return;
    scheduled = true;
    native.setTimer(tellAll, 0, false, []);
}

function tellAll() {
    scheduled = false;
    for (const state of [...active]) {
        if (state.queue.length > 0) tell(state);
    }
}

// The callback's third argument has the number of dropped entries the first time.
function tell(state) {
    const { callback, observer } = state;
    const list = new PerformanceObserverEntryList(illegalConstructor, state.queue.splice(0));
    const options = state.told ? {} : { droppedEntriesCount: state.dropped };
    state.told = true;
    try {
        callback.call(observer, list, observer, options);
    } catch (error) {
        require("snapcell:idl").report(error, "a PerformanceObserver");
    }
}

// {entryTypes, type, buffered}, read in Web IDL's order.
function convertOptions(given) {
    const { buffered } = given;
    let { entryTypes } = given;
    if (entryTypes !== undefined) {
        const { sequence } = require("snapcell:convert");
        const what = "PerformanceObserver.observe: entryTypes";
        entryTypes = sequence(entryTypes, what).map(type => `${type}`);
    }
    const { type } = given;
    return { buffered, entryTypes, type: type === undefined ? undefined : `${type}` };
}

function checkOptions({ buffered, entryTypes, type }) {
    const what = "PerformanceObserver.observe";
    if (entryTypes === undefined && type === undefined) {
        throw new TypeError(`${what}: the options need entryTypes or a type`);
    }
    if (entryTypes !== undefined && (type !== undefined || buffered !== undefined)) {
        throw new TypeError(`${what}: entryTypes cannot be combined with type or buffered`);
    }
}

// An observer of several types cannot become one of single types, or the other way.
function checkKind(state, kind) {
    if (state.kind === undefined || state.kind === kind) {
        state.kind = kind;
        return;
    }
    const { DOMException } = require("snapcell:exception");
    throw new DOMException(
        "PerformanceObserver.observe: it was called with entryTypes and with a type",
        "InvalidModificationError"
    );
}

class PerformanceObserver {
    #state;

    constructor(callback) {
        need(1, arguments.length, "PerformanceObserver");
        if (typeof callback !== "function") {
            throw new TypeError("PerformanceObserver: the callback must be a function");
        }
        this.#state = {
            callback,
            observer: this,
            types: new Set(),
            kind: undefined,
            queue: [],
            dropped: 0,
            told: false,
        };
    }

    observe(options = undefined) {
        const state = this.#state;
        const given = convertOptions(dictionary(options, "PerformanceObserver.observe"));
        checkOptions(given);
        const { buffered, entryTypes, type } = given;
        checkKind(state, entryTypes ? "several" : "single");
        const types = (entryTypes ?? [type]).filter(name => supported.includes(name));
        if (types.length === 0) return;
        if (entryTypes) state.types.clear();
        for (const name of types) state.types.add(name);
        active.add(state);
        timeline.onEntry = enqueue;
        if (!buffered) return;
        state.queue.push(...timeline.find(undefined, type));
        if (state.queue.length > 0) schedule();
    }

    disconnect() {
        const state = this.#state;
        active.delete(state);
        state.queue = [];
        state.types.clear();
        state.kind = undefined;
    }

    takeRecords() {
        return this.#state.queue.splice(0);
    }

    static get supportedEntryTypes() {
        return supported;
    }
}
expose(PerformanceObserver);

exports.PerformanceObserver = PerformanceObserver;
exports.PerformanceObserverEntryList = PerformanceObserverEntryList;
