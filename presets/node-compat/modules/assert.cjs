"use strict";
// node:assert is the package assert, with names for what is newer.
const { missingAll } = require("./errors.cjs");

const assert = require("assert/");
const absent = missingAll("assert", ["Assert", "CallTracker"]);

function partialDeepStrictEqual(actual, expected, message) {
    if (require("./assert_partial.cjs").includes(actual, expected)) return;
    if (message instanceof Error) throw message;
    const told = message ?? "Expected values to be partially and strictly deep-equal";
    const options = { actual, expected, message: told, operator: "partialDeepStrictEqual" };
    throw new assert.AssertionError({ ...options, stackStartFn: partialDeepStrictEqual });
}

// Node ends a list of differences with a line's end.
const { deepStrictEqual } = assert;
const deepStrictEqualOfNode = {
    deepStrictEqual(actual, expected, message) {
        try {
            deepStrictEqual(actual, expected, message);
        } catch (error) {
            if (error.generatedMessage && error.message.includes("\n+ actual - expected"))
                error.message += "\n";
            throw error;
        }
    },
}.deepStrictEqual;

const added = { ...absent, partialDeepStrictEqual, deepStrictEqual: deepStrictEqualOfNode };
Object.assign(assert, added);
Object.assign(assert.strict, added, { deepEqual: deepStrictEqualOfNode });

module.exports = assert;
