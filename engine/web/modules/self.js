"use strict";
const { report } = require("snapcell:idl");

exports.self = globalThis;

exports.reportError = function reportError(error) {
    report(error);
};

// Handlers of the global object, which listeners.js calls.
exports.onerror = null;
exports.onunhandledrejection = null;
exports.onrejectionhandled = null;
