"use strict";
// What of node:util is seldom used.
const { checkInteger, invalidType } = require("./errors.cjs");

// --- diff: [[0 or 1 or -1, value]], of both, of the first alone, of the second alone ---

const isList = value => Array.isArray(value) && value.every(item => typeof item === "string");

function checkList(value, name) {
    if (typeof value !== "string" && !isList(value)) throw invalidType(name, "string", value);
}

// Lengths of the longest common parts of what follows two places.
function commonLengths(a, b) {
    const lengths = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; i--)
        for (let j = b.length - 1; j >= 0; j--)
            lengths[i][j] =
                a[i] === b[j]
                    ? lengths[i + 1][j + 1] + 1
                    : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    return lengths;
}

function diff(actual, expected) {
    checkList(actual, "actual");
    checkList(expected, "expected");
    const [a, b] = [actual, expected].map(given =>
        typeof given === "string" ? given.split("") : given
    );
    if (a.length === b.length && a.every((item, i) => item === b[i])) return [];
    const lengths = commonLengths(a, b);
    const parts = [];
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
        if (i < a.length && a[i] === b[j]) parts.push([0, (j++, a[i++])]);
        else if (i < a.length && (j === b.length || lengths[i + 1][j] >= lengths[i][j + 1]))
            parts.push([1, a[i++]]);
        else parts.push([-1, b[j++]]);
    }
    return parts;
}

// --- Where a function was called from ---

const frame = /^\s*at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/;

function getCallSites(count = 8, options = undefined) {
    const most = typeof count === "object" ? 8 : count;
    if (typeof count === "object" && options !== undefined)
        throw invalidType("frameCount", "number", count);
    checkInteger(most, "frameCount", 1, 200);
    const lines = new Error().stack.split("\n").slice(3, most + 3);
    return lines.map(line => {
        const [, functionName = "", scriptName = "", lineNumber = 0, column = 0] =
            frame.exec(line) ?? [];
        const place = { functionName, scriptId: "0", scriptName, lineNumber: Number(lineNumber) };
        return { __proto__: null, ...place, columnNumber: Number(column), column: Number(column) };
    });
}

// --- The system's errors ---

const systemErrors = () => require("./system_errors.cjs");

function getSystemErrorMap() {
    return new Map(systemErrors().map(([number, ...named]) => [number, named]));
}

function getSystemErrorMessage(number) {
    checkInteger(number, "err", -(2 ** 31), -1);
    return (
        systemErrors().find(([known]) => known === number)?.[2] ?? `Unknown system error ${number}`
    );
}

module.exports = { diff, getCallSites, getSystemErrorMap, getSystemErrorMessage };
