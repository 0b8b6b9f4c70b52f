"use strict";
// How console shows values; loaded when something other than a string is written.
const inspect = require("object-inspect");
const limits = require("../shims/inspect_limits.js");

const options = { depth: 4, maxStringLength: 10000, maxCollectionLength: limits.itemsMax };
const CAUSES_MAX = 8; // how deep causes and parts of errors go, and how many parts are shown

function errorText(error, depth) {
    const { stack } = error;
    let text = typeof stack === "string" && stack !== "" ? native.cleanStack(stack) : String(error);
    const own = Object.keys(error);
    if (own.length > 0) {
        const shown = Object.fromEntries(own.map(key => [key, error[key]]));
        text += ` ${inspect(shown, options)}`;
    }
    if (depth === CAUSES_MAX) return text;
    if (error.cause !== undefined)
        text += `\n  [cause]: ${limits.bounded(show, error.cause, depth + 1)}`;
    if (!Array.isArray(error.errors)) return text;
    const { errors } = error;
    for (let i = 0; i < errors.length && i < CAUSES_MAX; i++)
        text += `\n  [errors]: ${limits.bounded(show, errors[i], depth + 1)}`;
    if (errors.length > CAUSES_MAX)
        text += `\n  [errors]: ${limits.more(errors.length - CAUSES_MAX, "error")}`;
    return text;
}

function show(value, depth = 0) {
    if (typeof value === "function") {
        const kind = /^class\b/.test(Function.prototype.toString.call(value))
            ? "class"
            : "Function:";
        return value.name
            ? `[${kind} ${value.name}]`
            : `[${kind === "class" ? "class" : "Function"} (anonymous)]`;
    }
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if (value instanceof Error) return errorText(value, depth);
    return inspect(value, options);
}

// A Proxy may throw whatever is asked of it, and any object when it is asked for its tag.
function tagOf(value) {
    try {
        return Object.prototype.toString.call(value);
    } catch {
        return `[${typeof value} that cannot be shown]`;
    }
}

exports.inspect = value => {
    try {
        return limits.bounded(show, value);
    } catch {
        return tagOf(value);
    }
};

// Before the values of a line.
exports.begin = limits.begin;

// The first [key, value] of an array, a Map, a Set or an object, and how many more there are.
function firstEntries(value) {
    const keyed = value instanceof Map || value instanceof Set;
    const list = keyed ? [...value.entries()] : value;
    const keys = Array.isArray(list) ? { length: list.length } : Object.keys(list);
    const shown = [];
    for (let i = 0; i < keys.length && i < limits.itemsMax; i++) {
        const key = keys[i] ?? i;
        shown.push([key, list[key]]);
    }
    return { shown, left: keys.length - shown.length };
}
const isRow = value => typeof value === "object" && value !== null;

// Lines of a table of an array or object, as console.table shows them.
exports.table = (data, columns) => {
    const rows = firstEntries(data);
    const heads = ["(index)"];
    const lines = rows.shown.map(([index, value]) => {
        const line = new Map([["(index)", String(index)]]);
        if (!isRow(value)) line.set("Values", exports.inspect(value));
        for (const [key, item] of isRow(value) ? firstEntries(value).shown : []) {
            if (!columns || columns.includes(String(key)))
                line.set(String(key), exports.inspect(item));
        }
        for (const key of line.keys())
            if (key !== "Values" && !heads.includes(key) && heads.length <= limits.itemsMax)
                heads.push(key);
        return line;
    });
    if (lines.some(line => line.has("Values"))) heads.push("Values");
    const widths = heads.map(head =>
        Math.max(head.length, ...lines.map(line => (line.get(head) ?? "").length))
    );
    const draw = cells => `| ${cells.map((text, i) => text.padEnd(widths[i])).join(" | ")} |`;
    const rule = `|${widths.map(width => "-".repeat(width + 2)).join("|")}|`;
    return [
        draw(heads),
        rule,
        ...lines.map(line => draw(heads.map(head => line.get(head) ?? ""))),
        ...(rows.left > 0 ? [limits.more(rows.left, "row")] : []),
    ].join("\n");
};
