"use strict";
// node:tty: there is no terminal.
const { missingAll } = require("./errors.cjs");

module.exports = { isatty: () => false, ...missingAll("tty", ["ReadStream", "WriteStream"]) };
