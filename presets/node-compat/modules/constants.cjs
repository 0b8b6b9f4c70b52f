"use strict";
// node:constants: the numbers of several modules in one list, as old packages look for them.
const { dlopen, errno, priority, signals } = require("./os_constants.cjs");

module.exports = { ...dlopen, ...errno, ...priority, ...signals, ...require("./fs_constants.cjs") };
