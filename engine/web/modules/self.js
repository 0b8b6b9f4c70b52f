"use strict";
const { need, report } = require("snapcell:idl");

exports.self = globalThis;

const functions = {
    reportError(error) {
        need(1, arguments.length, "reportError");
        report(error);
    },
};
exports.reportError = functions.reportError;

// Handlers of the global object, which listeners.js calls.
exports.onerror = null;
exports.onunhandledrejection = null;
exports.onrejectionhandled = null;
