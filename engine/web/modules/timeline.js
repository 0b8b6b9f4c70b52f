"use strict";
// User Timing: marks, measures and the list of them.
const { dictionary, expose, illegalConstructor, need } = require("snapcell:idl");
const { finite } = require("snapcell:convert");

class PerformanceEntry {
    #state;

    constructor(token = undefined, state = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
        this.#state = state;
    }

    get name() {
        return this.#state.name;
    }

    get entryType() {
        return this.#state.entryType;
    }

    get startTime() {
        return this.#state.startTime;
    }

    get duration() {
        return this.#state.duration;
    }

    toJSON() {
        return { ...this.#state };
    }
}
expose(PerformanceEntry);

const { toJSON } = PerformanceEntry.prototype;

function cloneDetail(detail) {
    if (detail === undefined || detail === null) return null;
    return require("snapcell:clone").cloneWith(detail, []).value;
}

function checkedTime(value, what) {
    const time = finite(value, `${what}: a time`);
    if (time < 0) throw new TypeError(`${what}: a time must not be negative`);
    return time;
}

class PerformanceMark extends PerformanceEntry {
    #detail;

    constructor(name, options = undefined) {
        need(1, arguments.length, "PerformanceMark");
        name = `${name}`;
        const { detail, startTime: time } = dictionary(options, "PerformanceMark");
        const startTime = time === undefined ? native.now() : checkedTime(time, "Performance.mark");
        const copy = cloneDetail(detail);
        super(illegalConstructor, { name, entryType: "mark", startTime, duration: 0 });
        this.#detail = copy;
    }

    get detail() {
        return this.#detail;
    }

    toJSON() {
        const detail = this.#detail;
        return { ...toJSON.call(this), detail };
    }
}
expose(PerformanceMark);

class PerformanceMeasure extends PerformanceEntry {
    #detail;

    constructor(token = undefined, state = undefined, detail = undefined) {
        super(token, state);
        this.#detail = detail;
    }

    get detail() {
        return this.#detail;
    }

    toJSON() {
        const detail = this.#detail;
        return { ...toJSON.call(this), detail };
    }
}
expose(PerformanceMeasure);

let entries = [];
const kept = 10000; // a function that marks in every request must not grow without end

// Told about each entry, by PerformanceObserver once somebody observes.
exports.onEntry = undefined;

function add(entry) {
    if (entries.length >= kept) entries.shift();
    entries.push(entry);
    exports.onEntry?.(entry);
    return entry;
}

exports.mark = (name, options) => add(new PerformanceMark(name, options));

// --- Measures ---

// A time, or the name of a mark.
function timeOf(mark) {
    if (typeof mark === "number") return checkedTime(mark, "Performance.measure");
    const found = entries.findLast(entry => entry.entryType === "mark" && entry.name === mark);
    if (found) return found.startTime;
    const { DOMException } = require("snapcell:exception");
    throw new DOMException(
        `Performance.measure: there is no mark ${JSON.stringify(mark)}`,
        "SyntaxError"
    );
}

// The options, read in this order; a time that is not a number is the name of a mark.
function readOptions(given) {
    const time = value =>
        typeof value === "number" ? finite(value, "Performance.measure: a time") : `${value}`;
    const options = { __proto__: null };
    const { detail } = given;
    if (detail !== undefined) options.detail = detail;
    const { duration } = given;
    if (duration !== undefined) {
        options.duration = finite(duration, "Performance.measure: the duration");
    }
    const { end } = given;
    if (end !== undefined) options.end = time(end);
    const { start } = given;
    if (start !== undefined) options.start = time(start);
    return options;
}

function checkOptions({ start, end, duration }, endMark) {
    if (endMark !== undefined) {
        throw new TypeError("Performance.measure: an end is not allowed with options");
    }
    if (start === undefined && end === undefined) {
        throw new TypeError("Performance.measure: the options need a start or an end");
    }
    if (start !== undefined && end !== undefined && duration !== undefined) {
        throw new TypeError("Performance.measure: start, end and duration cannot be combined");
    }
}

function endOf({ start, end, duration }) {
    if (end !== undefined) return timeOf(end);
    if (start !== undefined && duration !== undefined) return timeOf(start) + duration;
    return native.now();
}

function startOf({ start, end, duration }) {
    if (start !== undefined) return timeOf(start);
    return end !== undefined && duration !== undefined ? timeOf(end) - duration : 0;
}

// Either options, or the names of two marks.
function convertSpan(startOrOptions, endMark) {
    const isName = !["undefined", "object", "function"].includes(typeof startOrOptions);
    const span = isName
        ? { __proto__: null, start: `${startOrOptions}` }
        : readOptions(dictionary(startOrOptions, "Performance.measure"));
    const end = endMark === undefined ? undefined : `${endMark}`;
    if (!isName && Object.keys(span).length > 0) checkOptions(span, end);
    if (end !== undefined) span.end = end;
    return span;
}

exports.measure = (name, startOrOptions, endMark) => {
    name = `${name}`;
    const span = convertSpan(startOrOptions, endMark);
    const endTime = endOf(span);
    const startTime = startOf(span);
    const state = { name, entryType: "measure", startTime, duration: endTime - startTime };
    return add(new PerformanceMeasure(illegalConstructor, state, cloneDetail(span.detail)));
};

// --- The list ---

exports.clear = (type, name) => {
    if (name !== undefined) name = `${name}`;
    entries = entries.filter(
        entry => entry.entryType !== type || (name !== undefined && entry.name !== name)
    );
};

// Those of a list, in the order of time.
exports.select = (list, name, type) => {
    if (type !== undefined) type = `${type}`;
    return list
        .filter(
            entry =>
                (name === undefined || entry.name === name) &&
                (type === undefined || entry.entryType === type)
        )
        .sort((a, b) => a.startTime - b.startTime);
};

exports.find = (name, type) => exports.select(entries, name, type);

exports.PerformanceEntry = PerformanceEntry;
exports.PerformanceMark = PerformanceMark;
exports.PerformanceMeasure = PerformanceMeasure;
