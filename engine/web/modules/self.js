"use strict";
const { report } = require("snapcell:idl");

exports.self = globalThis;

exports.reportError = function reportError(error) {
    report(error);
};
