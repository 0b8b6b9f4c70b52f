"use strict";
// User Timing: marks, measures and the list of them.
const { expose, illegalConstructor, need } = require("snapcell:idl");

class PerformanceEntry {
    #state;

    constructor(token, state) {
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
        const { name, entryType, startTime, duration } = this;
        return { name, entryType, startTime, duration };
    }
}
expose(PerformanceEntry);

const cloneDetail = detail =>
    detail === undefined || detail === null
        ? null
        : require("snapcell:clone").structuredClone(detail);

function checkedTime(value, what) {
    const time = Number(value);
    if (!(time >= 0)) throw new TypeError(`${what}: a time must not be negative, or no number`);
    return time;
}

class PerformanceMark extends PerformanceEntry {
    #detail;

    constructor(name, options = undefined) {
        need(1, arguments.length, "PerformanceMark");
        const time = options?.startTime;
        const startTime = time === undefined ? native.now() : checkedTime(time, "Performance.mark");
        super(illegalConstructor, { name: `${name}`, entryType: "mark", startTime, duration: 0 });
        this.#detail = cloneDetail(options?.detail);
    }

    get detail() {
        return this.#detail;
    }

    toJSON() {
        return { ...super.toJSON(), detail: this.#detail };
    }
}
expose(PerformanceMark);

class PerformanceMeasure extends PerformanceEntry {
    #detail;

    constructor(token, state, detail) {
        super(token, state);
        this.#detail = detail;
    }

    get detail() {
        return this.#detail;
    }

    toJSON() {
        return { ...super.toJSON(), detail: this.#detail };
    }
}
expose(PerformanceMeasure);

let entries = [];
const kept = 10000; // a function that marks in every request must not grow without end

function add(entry) {
    if (entries.length >= kept) entries.shift();
    entries.push(entry);
    return entry;
}

exports.mark = (name, options) => add(new PerformanceMark(name, options));

// A time, or the name of a mark.
function timeOf(mark) {
    if (typeof mark === "number") return checkedTime(mark, "Performance.measure");
    const found = entries.findLast(entry => entry.entryType === "mark" && entry.name === `${mark}`);
    if (found) return found.startTime;
    const { DOMException } = require("snapcell:exception");
    throw new DOMException(
        `Performance.measure: there is no mark ${JSON.stringify(`${mark}`)}`,
        "SyntaxError"
    );
}

function checkOptions(options, end) {
    const { start, duration } = options;
    if (end !== undefined) {
        throw new TypeError("Performance.measure: an end beside options is not allowed");
    }
    if (start === undefined && options.end === undefined) {
        throw new TypeError("Performance.measure: the options need a start or an end");
    }
    if (start !== undefined && options.end !== undefined && duration !== undefined) {
        throw new TypeError("Performance.measure: start, end and duration are one too many");
    }
}

function span(options, end) {
    if (typeof options !== "object" || options === null || Object.keys(options).length === 0) {
        return [
            options === undefined || options === null || typeof options === "object"
                ? 0
                : timeOf(options),
            end === undefined ? native.now() : timeOf(end),
        ];
    }
    checkOptions(options, end);
    const { start, duration } = options;
    const length = duration === undefined ? 0 : Number(duration);
    let to = native.now();
    if (options.end !== undefined) to = timeOf(options.end);
    else if (duration !== undefined) to = timeOf(start) + length;
    if (start !== undefined) return [timeOf(start), to];
    return [duration === undefined ? 0 : to - length, to];
}

exports.measure = (name, options, end) => {
    const [startTime, endTime] = span(options, end);
    const detail = typeof options === "object" ? cloneDetail(options?.detail) : null;
    const state = {
        name: `${name}`,
        entryType: "measure",
        startTime,
        duration: endTime - startTime,
    };
    return add(new PerformanceMeasure(illegalConstructor, state, detail));
};

exports.clear = (type, name) => {
    entries = entries.filter(
        entry => entry.entryType !== type || (name !== undefined && entry.name !== `${name}`)
    );
};

// In the order of time.
exports.find = (name, type) =>
    entries
        .filter(
            entry =>
                (name === undefined || entry.name === name) &&
                (type === undefined || entry.entryType === `${type}`)
        )
        .sort((a, b) => a.startTime - b.startTime);

exports.PerformanceEntry = PerformanceEntry;
exports.PerformanceMark = PerformanceMark;
exports.PerformanceMeasure = PerformanceMeasure;
