"use strict";
const { brands, need } = require("snapcell:idl");

// Objects of the platform whose state V8 does not see; none of them can be cloned here.
const opaque = [
    "blob",
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

function refuse(message) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(message, "DataCloneError");
}

function checkClonable(value) {
    if (typeof value !== "object" || value === null) return;
    for (const name of opaque) {
        if (brands[name]?.(value)) {
            throw refuse(
                `structuredClone: ${Object.prototype.toString.call(value)} cannot be cloned`
            );
        }
    }
}

function checkTransfer(list) {
    list.forEach((item, index) => {
        if (!(item instanceof ArrayBuffer)) {
            throw refuse("structuredClone: only an ArrayBuffer can be transferred");
        }
        if (item.detached) throw refuse("structuredClone: the ArrayBuffer is detached already");
        if (list.indexOf(item) !== index) {
            throw refuse("structuredClone: an ArrayBuffer is in the transfer list twice");
        }
    });
}

exports.structuredClone = function structuredClone(value, options = undefined) {
    need(1, arguments.length, "structuredClone");
    const transfer = options?.transfer === undefined ? [] : [...options.transfer];
    checkTransfer(transfer);
    checkClonable(value);
    return native.clone(value, transfer, refuse);
};
