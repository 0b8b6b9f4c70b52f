"use strict";
// node:console: the global one. A Console on streams is not there.
const { missingAll } = require("./errors.cjs");

const absent = missingAll("console", [
    "Console",
    "context",
    "createTask",
    "profile",
    "profileEnd",
    "timeStamp",
]);

module.exports = new Proxy(globalThis.console, {
    get: (console, name) => console[name] ?? absent[name],
    has: (console, name) => name in console || name in absent,
    ownKeys: console => [...new Set([...Reflect.ownKeys(console), ...Object.keys(absent)])],
    getOwnPropertyDescriptor: (console, name) =>
        Reflect.getOwnPropertyDescriptor(console, name) ??
        Reflect.getOwnPropertyDescriptor(absent, name),
});
