"use strict";
const { expose, illegalConstructor, need } = require("snapcell:idl");
const { EventTarget } = require("snapcell:events");

// The timeline's classes, made when somebody marks or asks.
const timeline = () => require("snapcell:timeline");

class Performance extends EventTarget {
    constructor(token) {
        if (token !== illegalConstructor) throw illegalConstructor();
        super();
    }

    get timeOrigin() {
        return native.timeOrigin();
    }

    now() {
        return native.now();
    }

    mark(name, options = undefined) {
        need(1, arguments.length, "Performance.mark");
        return timeline().mark(name, options);
    }

    measure(name, startOrOptions = undefined, end = undefined) {
        need(1, arguments.length, "Performance.measure");
        return timeline().measure(name, startOrOptions, end);
    }

    clearMarks(name = undefined) {
        timeline().clear("mark", name);
    }

    clearMeasures(name = undefined) {
        timeline().clear("measure", name);
    }

    getEntries() {
        return timeline().find(undefined, undefined);
    }

    getEntriesByName(name, type = undefined) {
        need(1, arguments.length, "Performance.getEntriesByName");
        return timeline().find(`${name}`, type);
    }

    getEntriesByType(type) {
        need(1, arguments.length, "Performance.getEntriesByType");
        return timeline().find(undefined, `${type}`);
    }

    toJSON() {
        return { timeOrigin: native.timeOrigin() };
    }
}
expose(Performance);

exports.Performance = Performance;
exports.performance = new Performance(illegalConstructor);
