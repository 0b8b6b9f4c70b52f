"use strict";
const { brands, cloners, dictionary, met, need } = require("snapcell:idl");

// Objects of the platform that have no copies.
const opaque = [
    "event",
    "form",
    "headers",
    "params",
    "request",
    "response",
    "stream",
    "target",
    "url",
];
const opaqueTag =
    /^\[object (?:\w+Stream|\w+Stream\w+|Crypto|SubtleCrypto|TextEncoder|TextDecoder|URLPattern|Performance\w+|Navigator)\]$/;

function refuse(message) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(message, "DataCloneError");
}

// A function that makes the copy of an object of the platform; undefined for any other object.
function describe(object, transferred) {
    for (const cloner of cloners) {
        const copy = cloner(object, transferred);
        if (copy) return copy;
    }
    const tag = Object.prototype.toString.call(object);
    if (opaque.some(name => brands[name]?.(object)) || opaqueTag.test(tag)) {
        throw refuse(`structuredClone: ${tag} cannot be cloned`);
    }
    return undefined;
}

const isObject = value => typeof value === "object" && value !== null;

const isStream = value =>
    isObject(value) &&
    Boolean(["stream", "writable", "transform"].find(name => brands[name]?.(value)));

const isPort = value => isObject(value) && Boolean(brands.port?.(value));

// Whether something of a transfer list is there to be taken.
function isFree(item) {
    if (item instanceof ArrayBuffer) return !item.detached;
    if (isPort(item)) return !brands.port(item).detached;
    return !require("snapcell:stream_transfer").isLocked(item);
}

const endsOf = ({ readable, writable }) => [readable, writable];

function checkTransfer(list) {
    list.forEach((item, index) => {
        if (!(item instanceof ArrayBuffer) && !isPort(item) && !isStream(item)) {
            throw refuse(
                "structuredClone: only an ArrayBuffer, a MessagePort or a stream can be transferred"
            );
        }
        if (!isFree(item)) {
            throw refuse("structuredClone: what is transferred is detached already, or locked");
        }
        if (list.indexOf(item) !== index) {
            throw refuse("structuredClone: an object is in the transfer list twice");
        }
        const parts = isObject(item) && brands.transform?.(item) ? endsOf(item) : [];
        if (parts.some(part => list.includes(part))) {
            throw refuse("structuredClone: a side of a transferred stream is transferred, too");
        }
    });
}

// What takes the place of a port or a stream, made once.
function move(item, moved) {
    if (isPort(item)) return brands.port(item).move(moved);
    if (!moved.get(item)) moved.set(item, require("snapcell:stream_transfer").move(item));
    return moved.get(item);
}

cloners.push((object, moved) =>
    moved.has(object) && isStream(object) ? () => move(object, moved) : undefined
);

// --- Exceptions ---
// V8 clones a DOMException as the Error that it is. Afterwards the copies are walked in parallel with
// what they are copies of, and each such Error replaced.

const ownValue = (object, key) => Object.getOwnPropertyDescriptor(object, key)?.value;

function restoreProperties(value, copy, done) {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
    const keys = Object.keys(copy);
    if (value instanceof Error && Object.hasOwn(copy, "cause")) keys.push("cause");
    for (const key of keys) {
        const was = ownValue(copy, key);
        const is = restore(ownValue(value, key), was, done);
        if (is !== was) Object.defineProperty(copy, key, { value: is });
    }
}

function restoreItems(value, copy, done) {
    const [items, copies] = [[...value], [...copy]];
    copy.clear();
    copies.forEach((item, i) => {
        if (value instanceof Set) copy.add(restore(items[i], item, done));
        else copy.set(restore(items[i][0], item[0], done), restore(items[i][1], item[1], done));
    });
}

// The copy of `value`, or what takes its place. `done`: what was gone through.
function restore(value, copy, done) {
    if (!isObject(value) || !isObject(copy)) return copy;
    if (done.has(value)) return done.get(value);
    const made = brands.exception(value) ? require("snapcell:exception").copyOf(value) : copy;
    done.set(value, made);
    if (made !== copy) return made;
    if (value instanceof Map || value instanceof Set) restoreItems(value, copy, done);
    restoreProperties(value, copy, done);
    return made;
}

// The transfer list of a call's options.
exports.transferOf = (options, what) => {
    const { transfer } = dictionary(options, what);
    if (transfer === undefined) return [];
    return require("snapcell:convert").sequence(transfer, `${what}: the transfer list`);
};

// {value, ports}: a copy, and the ports that stand for the transferred ones.
exports.cloneWith = (value, list) => {
    checkTransfer(list);
    const buffers = list.filter(item => item instanceof ArrayBuffer);
    const moved = new Map(); // from transferred ports to those that take their place
    for (const item of list) if (!(item instanceof ArrayBuffer)) moved.set(item, undefined);
    met.exception = false;
    let copy = native.clone(value, buffers, refuse, object => describe(object, moved));
    if (met.exception) copy = restore(value, copy, new Map());
    for (const item of moved.keys()) move(item, moved);
    return { value: copy, ports: [...moved.values()].filter(isPort) };
};

const functions = {
    structuredClone(value, options = undefined) {
        need(1, arguments.length, "structuredClone");
        return exports.cloneWith(value, exports.transferOf(options, "structuredClone")).value;
    },
};

exports.structuredClone = functions.structuredClone;
