"use strict";
// How console shows values; loaded when something other than a string is written.
const inspect = require("object-inspect");

const options = { depth: 4, maxStringLength: 10000 };

function errorText(error, depth) {
    const { stack } = error;
    let text = typeof stack === "string" && stack !== "" ? native.cleanStack(stack) : String(error);
    const own = Object.keys(error);
    if (own.length > 0) {
        const shown = Object.fromEntries(own.map(key => [key, error[key]]));
        text += ` ${inspect(shown, options)}`;
    }
    if (error.cause !== undefined && depth < 8)
        text += `\n  [cause]: ${show(error.cause, depth + 1)}`;
    if (Array.isArray(error.errors) && depth < 8) {
        for (const one of error.errors) text += `\n  [errors]: ${show(one, depth + 1)}`;
    }
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

exports.inspect = value => {
    try {
        return show(value);
    } catch {
        return Object.prototype.toString.call(value);
    }
};

const cell = value => (typeof value === "string" ? `'${value}'` : exports.inspect(value));
const entries = value => (Array.isArray(value) ? [...value.entries()] : Object.entries(value));
const isRow = value => typeof value === "object" && value !== null;

// Lines of a table of an array or object, as console.table shows them.
exports.table = (data, columns) => {
    const rows =
        data instanceof Map || data instanceof Set ? [...data.entries()].entries() : entries(data);
    const heads = ["(index)"];
    const lines = Array.from(rows, ([index, value]) => {
        const line = new Map([["(index)", String(index)]]);
        if (!isRow(value)) line.set("Values", cell(value));
        for (const [key, item] of isRow(value) ? entries(value) : []) {
            if (!columns || columns.includes(String(key))) line.set(String(key), cell(item));
        }
        for (const key of line.keys())
            if (key !== "Values" && !heads.includes(key)) heads.push(key);
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
    ].join("\n");
};
