"use strict";
// node:console: the global one. A Console on streams is not there.
const { missing } = require("./errors.cjs");

module.exports = new Proxy(globalThis.console, {
    get: (console, name) => (name === "Console" ? Console : console[name]),
});
const Console = missing("console", "Console");
