"use strict";
// How Web IDL converts values; loaded where somebody gives one of these.

// A sequence of Web IDL as an array: whatever can be iterated, but no string.
exports.sequence = (value, what) => {
    const usable = (typeof value === "object" && value !== null) || typeof value === "function";
    if (!usable || value[Symbol.iterator] === undefined || value[Symbol.iterator] === null) {
        throw new TypeError(`${what} must be an array or another iterable object`);
    }
    return Array.from(value);
};

// --- Numbers, as Web IDL converts them: `+value` refuses a Symbol and a BigInt ---

// An unsigned integer of so many bits, which wraps.
exports.unsigned = (value, bits) => {
    const number = Math.trunc(+value);
    if (!Number.isFinite(number)) return 0;
    const rest = number % 2 ** bits;
    return rest < 0 ? rest + 2 ** bits : rest + 0;
};

// long long
exports.signed = value => {
    const number = Math.trunc(+value);
    if (number >= -(2 ** 63) && number < 2 ** 63) return number + 0;
    const rest = exports.unsigned(number, 64);
    return rest < 2 ** 63 ? rest : rest - 2 ** 64;
};

// [EnforceRange] unsigned long long
exports.enforced = (value, what) => {
    const number = Math.trunc(+value);
    if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return number + 0;
    throw new TypeError(`${what} must be an integer from 0 to 2 ** 53 - 1`);
};

// [Clamp] long long: the nearest integer, and of two the even one.
exports.clamped = value => {
    const max = Number.MAX_SAFE_INTEGER;
    const number = Math.min(Math.max(+value, -max), max);
    if (Number.isNaN(number)) return 0;
    const floor = Math.floor(number);
    const over = number - floor;
    return over < 0.5 || (over === 0.5 && floor % 2 === 0) ? floor : floor + 1;
};

// double
exports.finite = (value, what) => {
    const number = +value;
    if (Number.isFinite(number)) return number;
    throw new TypeError(`${what} must be a finite number`);
};
