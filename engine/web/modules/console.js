"use strict";
const DEBUG = 0;
const INFO = 1;
const WARN = 2;
const ERROR = 3;

const DEPTH_MAX = 50; // of groups; what lies deeper is indented no more

let depth = 0;
let indent = "";
const counts = new Map();
const started = new Map();

const inspect = value => require("snapcell:inspect").inspect(value);
const show = value => (typeof value === "string" ? value : inspect(value));

// Before values are shown: all that are in one line have a bound together.
function begin(values) {
    if (values.some(value => typeof value !== "string")) require("snapcell:inspect").begin();
}

function setDepth(wanted) {
    depth = Math.max(wanted, 0);
    indent = "  ".repeat(Math.min(depth, DEPTH_MAX));
}

function substitute(directive, value) {
    const numeric = typeof value !== "symbol" && typeof value !== "object";
    switch (directive) {
        case "s":
            return typeof value === "symbol" ? String(value) : show(value);
        case "d":
            return typeof value === "bigint" ? `${value}n` : String(numeric ? Number(value) : NaN);
        case "i":
            return typeof value === "bigint"
                ? `${value}n`
                : String(numeric ? parseInt(value, 10) : NaN);
        case "f":
            return String(typeof value === "symbol" ? NaN : parseFloat(value));
        case "j":
            return JSON.stringify(value) ?? "undefined";
        case "c":
            return "";
        default:
            return inspect(value);
    }
}

// What cannot be converted is shown as it is: to log must not fail.
function substituteSafely(directive, value) {
    try {
        return substitute(directive, value);
    } catch {
        return inspect(value);
    }
}

function format(values) {
    begin(values);
    if (values.length === 1) return show(values[0]);
    let next = 0;
    let text = "";
    if (typeof values[0] === "string") {
        next = 1;
        text = values[0].replace(/%([sdifjoOc%])/g, (match, directive) => {
            if (directive === "%") return "%";
            return next < values.length ? substituteSafely(directive, values[next++]) : match;
        });
    }
    const rest = values.slice(next).map(show);
    return (next > 0 ? [text, ...rest] : rest).join(" ");
}

function tableText(data, columns) {
    begin([data]);
    try {
        return require("snapcell:inspect").table(data, columns);
    } catch {
        return inspect(data);
    }
}

function write(level, text) {
    native.consoleWrite(level, indent ? indent + text.replaceAll("\n", `\n${indent}`) : text);
}

function elapsed(label) {
    return `${label}: ${(native.now() - started.get(label)).toFixed(3)}ms`;
}

const console = {
    __proto__: {}, // as Web IDL has it of this namespace
    debug(...values) {
        write(DEBUG, format(values));
    },
    log(...values) {
        write(INFO, format(values));
    },
    info(...values) {
        write(INFO, format(values));
    },
    warn(...values) {
        write(WARN, format(values));
    },
    error(...values) {
        write(ERROR, format(values));
    },
    trace(...values) {
        const holder = {};
        Error.captureStackTrace(holder, console.trace);
        const frames = native.cleanStack(holder.stack.slice(holder.stack.indexOf("\n") + 1));
        write(ERROR, `Trace${values.length > 0 ? `: ${format(values)}` : ""}\n${frames}`);
    },
    assert(condition = false, ...values) {
        if (condition) return;
        write(ERROR, `Assertion failed${values.length > 0 ? `: ${format(values)}` : ""}`);
    },
    dir(value = undefined) {
        begin([value]);
        write(INFO, inspect(value));
    },
    dirxml(...values) {
        write(INFO, format(values));
    },
    table(data = undefined, columns = undefined) {
        if (typeof data !== "object" || data === null) write(INFO, format([data]));
        else write(INFO, tableText(data, columns));
    },
    group(...values) {
        if (values.length > 0) write(INFO, format(values));
        setDepth(depth + 1);
    },
    groupCollapsed(...values) {
        console.group(...values);
    },
    groupEnd() {
        setDepth(depth - 1);
    },
    count(label = "default") {
        label = `${label}`;
        const count = (counts.get(label) ?? 0) + 1;
        counts.set(label, count);
        write(INFO, `${label}: ${count}`);
    },
    countReset(label = "default") {
        label = `${label}`;
        if (!counts.delete(label)) write(WARN, `Count for '${label}' does not exist`);
    },
    time(label = "default") {
        label = `${label}`;
        if (started.has(label)) write(WARN, `Timer '${label}' already exists`);
        else started.set(label, native.now());
    },
    timeLog(label = "default", ...values) {
        label = `${label}`;
        if (!started.has(label)) write(WARN, `Timer '${label}' does not exist`);
        else {
            begin(values);
            write(INFO, [elapsed(label), ...values.map(show)].join(" "));
        }
    },
    timeEnd(label = "default") {
        label = `${label}`;
        if (!started.has(label)) write(WARN, `Timer '${label}' does not exist`);
        else write(INFO, elapsed(label));
        started.delete(label);
    },
    clear() {},
};
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });

exports.console = console;
