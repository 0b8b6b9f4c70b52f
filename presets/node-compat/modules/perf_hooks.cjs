"use strict";
// node:perf_hooks: the web's clocks and entries.
const { checkFunction, missingAll } = require("./errors.cjs");
const { define } = require("./global_object.cjs");

const names = ["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure"];
names.push("PerformanceObserver", "PerformanceObserverEntryList", "PerformanceResourceTiming");

// What a call takes becomes no entry: nobody can observe functions here.
function timerify(callback) {
    checkFunction(callback, "fn");
    const timed = function (...args) {
        return new.target
            ? Reflect.construct(callback, args, new.target)
            : callback.apply(this, args);
    };
    return Object.defineProperties(timed, {
        name: { value: `timerified ${callback.name}`, configurable: true },
        length: { value: callback.length, configurable: true },
    });
}

function performanceOfNode() {
    const { performance } = globalThis;
    if (performance.timerify === undefined) {
        define("timerify", timerify, performance);
        // Nobody waits for events here: calls come one by one.
        const none = () => ({ idle: 0, active: 0, utilization: 0 });
        define("eventLoopUtilization", none, performance);
    }
    return performance;
}

const perf = missingAll("perf_hooks", ["monitorEventLoopDelay"]);
for (const name of names)
    Object.defineProperty(perf, name, { enumerable: true, get: () => globalThis[name] });
Object.defineProperty(perf, "performance", { enumerable: true, get: performanceOfNode });
perf.createHistogram = require("./perf_histogram.cjs").createHistogram;
perf.constants = {
    NODE_PERFORMANCE_GC_MAJOR: 4,
    NODE_PERFORMANCE_GC_MINOR: 1,
    NODE_PERFORMANCE_GC_INCREMENTAL: 8,
    NODE_PERFORMANCE_GC_WEAKCB: 16,
    NODE_PERFORMANCE_GC_FLAGS_NO: 0,
};
module.exports = perf;
