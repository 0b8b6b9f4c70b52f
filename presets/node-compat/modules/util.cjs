"use strict";
// node:util: inspect and format are Node's own in node-inspect-extracted, comparisons are those of the package assert.
const {
    checkFunction,
    checkInteger,
    checkString,
    invalidType,
    invalidValue,
    missingAll,
} = require("./errors.cjs");
const types = require("./util_types.cjs");
const { proxyParts } = require("./support.mjs").default;

// What is large is evaluated when it is first called.
const inspecting = () => require("node-inspect-extracted");
const comparing = () => require("assert/build/internal/util/comparisons");

const custom = Symbol.for("nodejs.util.promisify.custom");

function promisify(original) {
    checkFunction(original, "original");
    if (original[custom]) return original[custom];
    function promised(...args) {
        return new Promise((resolve, reject) => {
            original.call(this, ...args, (error, value) =>
                error ? reject(error) : resolve(value)
            );
        });
    }
    Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
    return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;

function callbackify(original) {
    checkFunction(original, "original");
    return function (...args) {
        const done = args.pop();
        const failed = reason => done(reason || falsyRejection(reason));
        Reflect.apply(original, this, args).then(
            value => queueMicrotask(() => done(null, value)),
            reason => queueMicrotask(() => failed(reason))
        );
    };
}

function falsyRejection(reason) {
    const error = new Error("Promise was rejected with falsy value");
    return Object.assign(error, { code: "ERR_FALSY_VALUE_REJECTION", reason });
}

// Packages' inherits() give the constructor another prototype: what its own had by then would be lost.
function inherits(constructor, base) {
    if (constructor === undefined || constructor === null)
        throw invalidType("ctor", "Function", constructor);
    if (base === undefined || base === null) throw invalidType("superCtor", "Function", base);
    if (base.prototype === undefined)
        throw invalidType("superCtor.prototype", "Object", base.prototype);
    const value = { value: base, writable: true, configurable: true };
    Object.defineProperty(constructor, "super_", value);
    Object.setPrototypeOf(constructor.prototype, base.prototype);
}

function deprecate(original, message, code) {
    let warned = false;
    return function (...args) {
        if (!warned) console.warn(`DeprecationWarning: ${message}`, code ?? "");
        warned = true;
        return new.target
            ? Reflect.construct(original, args, new.target)
            : Reflect.apply(original, this, args);
    };
}

// There is no NODE_DEBUG: nothing is logged.
const debuglog = () => Object.assign(() => {}, { enabled: false });

// --- Texts of terminals, environments and systems ---

const colorOf = name => inspecting().inspect.colors[name];

function styleText(formats, text) {
    if (typeof text !== "string") throw invalidType("text", "string", text);
    const codes = []
        .concat(formats)
        .filter(name => name !== "none")
        .map(name => {
            const color = colorOf(name);
            if (!color)
                throw invalidValue(
                    "format",
                    name,
                    `must be one of: ${Object.keys(inspecting().inspect.colors)
                        .map(known => `'${known}'`)
                        .join(", ")}`
                );
            return color;
        });
    const escape = code => `\u001b[${code}m`;
    return (
        codes.map(([on]) => escape(on)).join("") +
        text +
        codes
            .map(([, off]) => escape(off))
            .reverse()
            .join("")
    );
}

const line =
    /^\s*(?:export\s+)?([\w.-]+)\s*=[^\S\n]*("(?:\\"|[^"])*"|'[^']*'|`[^`]*`|[^#\n]*)?[^\S\n]*(?:#.*)?$/gm;

function parseEnv(content) {
    checkString(content, "content");
    const values = {};
    for (const [, name, given = ""] of content.matchAll(line)) {
        const text = given.trim();
        const quote = /^(["'`])([^]*)\1$/.exec(text);
        values[name] = quote
            ? quote[1] === '"'
                ? quote[2].replaceAll("\\n", "\n")
                : quote[2]
            : text;
    }
    return values;
}

const systemErrors = () => Object.entries(require("./os_constants.cjs").errno);

function getSystemErrorName(number) {
    checkInteger(number, "err", -(2 ** 31), -1);
    return (
        systemErrors().find(([, value]) => value === -number)?.[0] ??
        `Unknown system error ${number}`
    );
}

// `resource` is kept alive by no more than the caller.
async function aborted(signal, resource) {
    if (typeof signal !== "object" || signal === null || !("aborted" in signal))
        throw invalidType("signal", "AbortSignal", signal);
    if ((typeof resource !== "object" && typeof resource !== "function") || resource === null)
        throw invalidType("resource", "Object", resource);
    if (signal.aborted) return undefined;
    return new Promise(resolve => signal.addEventListener("abort", resolve, { once: true }));
}

// A Proxy inside of what is shown looks like its target.
function inspect(value, ...options) {
    const parts = options[0]?.showProxy && types.isProxy(value) ? proxyParts(value) : undefined;
    if (parts) return `Proxy ${inspecting().inspect(parts, ...options)}`;
    return inspecting().inspect(value, ...options);
}
inspect.custom = Symbol.for("nodejs.util.inspect.custom");
Object.defineProperty(inspect, "defaultOptions", {
    get: () => inspecting().inspect.defaultOptions,
});
const format = (...args) => inspecting().format(...args);

const more = () => require("./util_more.cjs");
const absent = ["getCallSite"];
absent.push("setTraceSigInt", "transferableAbortController", "transferableAbortSignal");

module.exports = {
    ...missingAll("util", absent),
    _extend: (target, source) => Object.assign(target, source),
    aborted,
    callbackify,
    diff: (actual, expected) => more().diff(actual, expected),
    getCallSites: (...args) => more().getCallSites(...args),
    getSystemErrorMap: () => more().getSystemErrorMap(),
    getSystemErrorMessage: number => more().getSystemErrorMessage(number),
    debug: debuglog,
    debuglog,
    deprecate,
    format,
    formatWithOptions: (...args) => inspecting().formatWithOptions(...args),
    inherits,
    getSystemErrorName,
    inspect,
    isArray: Array.isArray,
    isDeepStrictEqual: (a, b) => comparing().isDeepStrictEqual(a, b),
    parseArgs: config => require("./util_args.cjs").parseArgs(config),
    parseEnv,
    promisify,
    stripVTControlCharacters: text => inspecting().stripVTControlCharacters(text),
    styleText,
    toUSVString: value => String(value).toWellFormed(),
    types,
    get MIMEParams() {
        return require("./util_mime.cjs").MIMEParams;
    },
    get MIMEType() {
        return require("./util_mime.cjs").MIMEType;
    },
    get TextDecoder() {
        return globalThis.TextDecoder;
    },
    get TextEncoder() {
        return globalThis.TextEncoder;
    },
};
require("./global_object.cjs").register("util", module.exports);
