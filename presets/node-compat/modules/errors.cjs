"use strict";
// Errors as Node makes them: with a `code`, and the code after the name in the stack alone.
const escapes = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\" };
// eslint-disable-next-line no-control-regex
const unusual =
    /[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function escaped(unit) {
    if (escapes[unit]) return escapes[unit];
    const hex = unit.charCodeAt(0).toString(16).toUpperCase();
    return hex.length > 2 ? `\\u${hex}` : `\\x${hex.padStart(2, "0")}`;
}

// A string as Node's inspect() shows it.
function quoted(value) {
    const quote = ["'", '"', "`"].find(mark => !value.includes(mark)) ?? "'";
    const text = value.replace(unusual, escaped);
    return quote + (value.includes(quote) ? text.replaceAll("'", "\\'") : text) + quote;
}

// How Node says what it got: "Received type number (5)", "Received an instance of Map".
function received(value) {
    if (value === null || value === undefined) return `Received ${value}`;
    if (typeof value === "function") return `Received function ${value.name}`;
    if (typeof value === "object") {
        const name = value.constructor?.name;
        return name ? `Received an instance of ${name}` : `Received ${shown(value)}`;
    }
    let text = shown(value);
    if (text.length > 28) text = `${text.slice(0, 25)}...`;
    return `Received type ${typeof value} (${text})`;
}

function shown(value) {
    if (typeof value === "string") return quoted(value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "object") return "[Object: null prototype] {}";
    return String(value);
}

function failure(Kind, code, message) {
    const error = new Kind(message);
    Object.defineProperty(error, "code", {
        value: code,
        enumerable: true,
        writable: true,
        configurable: true,
    });
    return error;
}

const classNames = /^[A-Z]/;

// `expected`: "string", or several, types before classes, as in Node's own list.
function invalidType(name, expected, value) {
    const all = [].concat(expected);
    const classes = all.filter(kind => classNames.test(kind) && kind !== "Object");
    const types = all.filter(kind => !classNames.test(kind) || kind === "Object");
    // An Object alone is a type; listed with classes, it is one of them.
    if (classes.length === 0) types.forEach((kind, i) => (types[i] = kind.toLowerCase()));
    else if (types.includes("Object")) classes.push(types.splice(types.indexOf("Object"), 1)[0]);
    const listed = (names, last) =>
        names.length > 1
            ? `${names.slice(0, -1).join(", ")}${names.length > 2 ? "," : ""} ${last} ${names.at(-1)}`
            : names[0];
    const parts = [];
    if (types.length > 0)
        parts.push(`${types.length > 1 ? "one of type" : "of type"} ${listed(types, "or")}`);
    if (classes.length > 0) parts.push(`an instance of ${listed(classes, "or")}`);
    const what = name.includes(".") ? "property" : "argument";
    const subject = name.endsWith(" argument") ? `The ${name}` : `The "${name}" ${what}`;
    return failure(
        TypeError,
        "ERR_INVALID_ARG_TYPE",
        `${subject} must be ${parts.join(" or ")}. ${received(value)}`
    );
}

function separated(digits) {
    return digits.replace(/(?<=\d)(?=(?:\d{3})+$)/g, "_");
}

function outOfRange(name, range, value) {
    let text = typeof value === "bigint" ? `${value}` : String(value);
    const isInteger = typeof value === "bigint" || Number.isInteger(value);
    const beyond =
        typeof value === "bigint"
            ? value > 2n ** 32n || value < -(2n ** 32n)
            : Math.abs(value) > 2 ** 32;
    if (isInteger && beyond) text = text.replace(/\d+/, separated);
    if (typeof value === "bigint") text += "n";
    return failure(
        RangeError,
        "ERR_OUT_OF_RANGE",
        `The value of "${name}" is out of range. It must be ${range}. Received ${text}`
    );
}

const shownValue = value => (typeof value === "string" ? quoted(value) : String(value));

const invalidValue = (name, value, reason = "is invalid") =>
    failure(
        TypeError,
        "ERR_INVALID_ARG_VALUE",
        `The ${name.includes(".") ? "property" : "argument"} '${name}' ${reason}. Received ${shownValue(value)}`
    );

// What a module has no more than a name for: an error that says so, when it is called.
function missing(module, name) {
    const absent = function () {
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            `${module}.${name}() is not in presets/node-compat`
        );
    };
    return Object.defineProperty(absent, "name", { value: name });
}

const missingAll = (module, names) =>
    Object.fromEntries(names.map(name => [name, missing(module, name)]));

// --- Checks ---

function checkString(value, name) {
    if (typeof value !== "string") throw invalidType(name, "string", value);
}

function checkFunction(value, name) {
    if (typeof value !== "function") throw invalidType(name, "function", value);
}

function checkInteger(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
    if (typeof value !== "number") throw invalidType(name, "number", value);
    if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
    if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

function checkNumber(value, name, min, max) {
    if (typeof value !== "number") throw invalidType(name, "number", value);
    if (min === undefined && max === undefined) return;
    if (value < min || value > max || Number.isNaN(value))
        throw outOfRange(name, max === undefined ? `>= ${min}` : `>= ${min} && <= ${max}`, value);
}

module.exports = {
    checkFunction,
    checkInteger,
    checkNumber,
    checkString,
    failure,
    invalidType,
    invalidValue,
    missing,
    missingAll,
    outOfRange,
    received,
    shown,
};
