"use strict";
// node:perf_hooks: the web's clocks and entries.
const { missingAll } = require("./errors.cjs");

const names = ["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure"];
names.push(
    "PerformanceObserver",
    "PerformanceObserverEntryList",
    "PerformanceResourceTiming",
    "performance"
);

const perf = missingAll("perf_hooks", ["createHistogram", "monitorEventLoopDelay"]);
for (const name of names)
    Object.defineProperty(perf, name, { enumerable: true, get: () => globalThis[name] });
perf.constants = {
    NODE_PERFORMANCE_GC_MAJOR: 4,
    NODE_PERFORMANCE_GC_MINOR: 1,
    NODE_PERFORMANCE_GC_INCREMENTAL: 8,
    NODE_PERFORMANCE_GC_WEAKCB: 16,
    NODE_PERFORMANCE_GC_FLAGS_NO: 0,
};
module.exports = perf;
