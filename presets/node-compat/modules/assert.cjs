"use strict";
// node:assert is the package assert, with names for what is newer.
const { missingAll } = require("./errors.cjs");

const assert = require("assert/");
const absent = missingAll("assert", ["Assert", "CallTracker", "partialDeepStrictEqual"]);
Object.assign(assert, absent);
Object.assign(assert.strict, absent);

module.exports = assert;
