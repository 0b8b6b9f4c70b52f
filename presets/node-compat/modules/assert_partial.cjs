"use strict";
// Whether one value has all that another one has, for partialDeepStrictEqual of node:assert.
const { isDeepStrictEqual } = require("./util.cjs");

const isObject = value => typeof value === "object" && value !== null;
const sameKind = (a, b) => Object.getPrototypeOf(a) === Object.getPrototypeOf(b);

// Each of the second, in that order, among the first.
function hasInOrder(actual, expected, has) {
    let at = 0;
    return expected.every(wanted => {
        while (at < actual.length && !has(actual[at], wanted)) at++;
        return at++ < actual.length;
    });
}

function hasEach(actual, expected, has) {
    const left = [...actual];
    return [...expected].every(wanted => {
        const at = left.findIndex(one => has(one, wanted));
        if (at >= 0) left.splice(at, 1);
        return at >= 0;
    });
}

function includes(actual, expected, seen = new Map()) {
    if (!isObject(actual) || !isObject(expected)) return isDeepStrictEqual(actual, expected);
    if (actual === expected || seen.get(expected) === actual) return true;
    if (!sameKind(actual, expected)) return false;
    seen.set(expected, actual);
    const has = (a, b) => includes(a, b, seen);
    if (Array.isArray(expected)) return hasInOrder(actual, expected, has);
    if (expected instanceof Set) return hasEach(actual, expected, has);
    if (expected instanceof Map)
        return [...expected].every(
            ([key, value]) => actual.has(key) && has(actual.get(key), value)
        );
    if (Object.prototype.toString.call(expected) !== "[object Object]")
        return isDeepStrictEqual(actual, expected);
    return Reflect.ownKeys(expected).every(
        key => Object.hasOwn(actual, key) && has(actual[key], expected[key])
    );
}

module.exports = { includes };
