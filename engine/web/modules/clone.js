"use strict";
const { brands, cloners, need } = require("snapcell:idl");

// Objects of the platform that have no copies.
const opaque = [
    "event",
    "form",
    "headers",
    "key",
    "params",
    "request",
    "response",
    "stream",
    "target",
    "url",
];
const opaqueTag =
    /^\[object (?:\w+Stream|\w+Stream\w+|Crypto|TextEncoder|TextDecoder|URLPattern)\]$/;

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

function checkTransfer(list) {
    list.forEach((item, index) => {
        const port = typeof item === "object" && item !== null && brands.port?.(item);
        if (!port && !(item instanceof ArrayBuffer)) {
            throw refuse(
                "structuredClone: only an ArrayBuffer or a MessagePort can be transferred"
            );
        }
        if (port ? port.detached : item.detached) {
            throw refuse("structuredClone: what is transferred is detached already");
        }
        if (list.indexOf(item) !== index) {
            throw refuse("structuredClone: an object is in the transfer list twice");
        }
    });
}

// {value, ports}: a copy, and the ports that stand for the transferred ones.
exports.cloneWith = (value, transfer) => {
    const list = transfer === undefined ? [] : [...transfer];
    checkTransfer(list);
    const buffers = list.filter(item => item instanceof ArrayBuffer);
    const moved = new Map(); // from transferred ports to those that take their place
    for (const item of list) if (!(item instanceof ArrayBuffer)) moved.set(item, undefined);
    const copy = native.clone(value, buffers, refuse, object => describe(object, moved));
    for (const port of moved.keys()) brands.port(port).move(moved);
    return { value: copy, ports: [...moved.values()] };
};

exports.structuredClone = function structuredClone(value, options = undefined) {
    need(1, arguments.length, "structuredClone");
    return exports.cloneWith(value, options?.transfer).value;
};
