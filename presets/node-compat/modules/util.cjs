"use strict";
// node:util from unenv, which has no more than names for some: inspect and format are Node's own
// in node-inspect-extracted, comparisons are those of the package assert.
const { MIMEParams, MIMEType, inherits } = require("unenv/node/util");
const types = require("./util_types.cjs");

// What is large is evaluated when it is first called.
const inspecting = () => require("node-inspect-extracted");
const comparing = () => require("assert/build/internal/util/comparisons");

const custom = Symbol.for("nodejs.util.promisify.custom");

function promisify(original) {
    if (typeof original !== "function") throw typeError("original", "of type function", original);
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
    if (typeof original !== "function") throw typeError("original", "of type function", original);
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

function typeError(name, expected, got) {
    const message = `The "${name}" argument must be ${expected}. Received ${format("%s", got)}`;
    return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
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

const inspect = (value, ...options) => inspecting().inspect(value, ...options);
inspect.custom = Symbol.for("nodejs.util.inspect.custom");
Object.defineProperty(inspect, "defaultOptions", {
    get: () => inspecting().inspect.defaultOptions,
});
const format = (...args) => inspecting().format(...args);

module.exports = {
    MIMEParams,
    MIMEType,
    callbackify,
    debug: debuglog,
    debuglog,
    deprecate,
    format,
    formatWithOptions: (...args) => inspecting().formatWithOptions(...args),
    inherits,
    inspect,
    isArray: Array.isArray,
    isDeepStrictEqual: (a, b) => comparing().isDeepStrictEqual(a, b),
    promisify,
    stripVTControlCharacters: text => inspecting().stripVTControlCharacters(text),
    toUSVString: value => String(value).toWellFormed(),
    types,
    get TextDecoder() {
        return globalThis.TextDecoder;
    },
    get TextEncoder() {
        return globalThis.TextEncoder;
    },
};
