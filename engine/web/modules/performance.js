"use strict";
const { expose, illegalConstructor, need } = require("snapcell:idl");
const { EventTarget } = require("snapcell:events");

// The timeline's classes, made when somebody marks or asks.
const timeline = () => require("snapcell:timeline");

class Performance extends EventTarget {
    #brand;

    constructor(token = undefined) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
    }

    get timeOrigin() {
        this.#brand;
        return native.timeOrigin();
    }

    now() {
        this.#brand;
        return native.now();
    }

    mark(name, options = undefined) {
        this.#brand;
        need(1, arguments.length, "Performance.mark");
        return timeline().mark(name, options);
    }

    measure(name, startOrOptions = undefined, end = undefined) {
        this.#brand;
        need(1, arguments.length, "Performance.measure");
        return timeline().measure(name, startOrOptions, end);
    }

    clearMarks(name = undefined) {
        this.#brand;
        timeline().clear("mark", name);
    }

    clearMeasures(name = undefined) {
        this.#brand;
        timeline().clear("measure", name);
    }

    getEntries() {
        this.#brand;
        return timeline().find(undefined, undefined);
    }

    getEntriesByName(name, type = undefined) {
        this.#brand;
        need(1, arguments.length, "Performance.getEntriesByName");
        return timeline().find(`${name}`, type);
    }

    getEntriesByType(type) {
        this.#brand;
        need(1, arguments.length, "Performance.getEntriesByType");
        return timeline().find(undefined, `${type}`);
    }

    toJSON() {
        this.#brand;
        return { timeOrigin: native.timeOrigin() };
    }
}
expose(Performance);

exports.Performance = Performance;
exports.performance = new Performance(illegalConstructor);
