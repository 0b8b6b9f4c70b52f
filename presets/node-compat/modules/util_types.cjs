"use strict";
// node:util/types, by tags.
const support = require("./support.mjs").default;

const tagOf = value => Object.prototype.toString.call(value).slice(8, -1);
const isObject = value => typeof value === "object" && value !== null;
const viewTag = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag
).get;

const types = {
    isAnyArrayBuffer: value => types.isArrayBuffer(value) || types.isSharedArrayBuffer(value),
    isArgumentsObject: value => isObject(value) && tagOf(value) === "Arguments",
    isArrayBufferView: value => ArrayBuffer.isView(value),
    isAsyncFunction: value => typeof value === "function" && /^Async/.test(tagOf(value)),
    isBoxedPrimitive: value =>
        isObject(value) && /^(Number|String|Boolean|Symbol|BigInt)$/.test(tagOf(value)),
    isDate: value => value instanceof Date,
    isGeneratorFunction: value =>
        typeof value === "function" && /GeneratorFunction$/.test(tagOf(value)),
    isGeneratorObject: value => isObject(value) && tagOf(value) === "Generator",
    isMap: value => value instanceof Map,
    isMapIterator: value => isObject(value) && tagOf(value) === "Map Iterator",
    isNativeError: value => value instanceof Error && tagOf(value) === "Error",
    isPromise: value => value instanceof Promise,
    isProxy: value => support.proxyParts(value) !== undefined,
    isRegExp: value => value instanceof RegExp,
    isSet: value => value instanceof Set,
    isSetIterator: value => isObject(value) && tagOf(value) === "Set Iterator",
    isTypedArray: value => isObject(value) && viewTag.call(value) !== undefined,
    isUint8Array: value => isObject(value) && viewTag.call(value) === "Uint8Array",
    isWeakMap: value => value instanceof WeakMap,
    isWeakSet: value => value instanceof WeakSet,
    isModuleNamespaceObject: value => isObject(value) && tagOf(value) === "Module",
};

for (const name of ["ArrayBuffer", "SharedArrayBuffer", "DataView"])
    types[`is${name}`] = value => isObject(value) && tagOf(value) === name;
for (const name of [
    "Int8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "BigInt64Array",
    "BigUint64Array",
])
    types[`is${name}`] = value => isObject(value) && viewTag.call(value) === name;
for (const name of ["BigInt", "Boolean", "Number", "String", "Symbol"])
    types[`is${name}Object`] = value => isObject(value) && tagOf(value) === name;

Object.assign(types, {
    isExternal: () => false,
    isFloat16Array: value => isObject(value) && viewTag.call(value) === "Float16Array",
    isKeyObject: value => isObject(value) && tagOf(value) === "KeyObject",
    isCryptoKey: value => isObject(value) && /^Crypto.ey$/.test(tagOf(value)),
});

module.exports = types;
