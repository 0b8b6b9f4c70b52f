"use strict";
// The few things of `process` that packages ask for; the environment of a function is its `env`.
const warn = message => console.warn(message);

module.exports = {
    argv: ["snapcell"],
    browser: false,
    cwd: () => "/",
    emitWarning: warn,
    env: {},
    execArgv: [],
    hrtime: Object.assign(hrtime, { bigint: () => BigInt(Math.round(performance.now() * 1e6)) }),
    nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
    on() {
        return this;
    },
    once() {
        return this;
    },
    off() {
        return this;
    },
    emit: () => false,
    platform: "linux",
    stderr: {},
    stdout: {},
    version: "",
    versions: {},
};

function hrtime([seconds, nanoseconds] = [0, 0]) {
    const now = Math.round(performance.now() * 1e6) - seconds * 1e9 - nanoseconds;
    return [Math.floor(now / 1e9), now % 1e9];
}
