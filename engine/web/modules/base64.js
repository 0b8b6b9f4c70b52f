"use strict";
const { need } = require("snapcell:idl");

function refuse(message) {
    const { DOMException } = require("snapcell:exception");
    return new DOMException(message, "InvalidCharacterError");
}

const functions = {
    atob(data) {
        need(1, arguments.length, "atob");
        const decoded = native.base64Decode(`${data}`);
        if (decoded === undefined) throw refuse("atob: the string is not correctly encoded base64");
        return decoded;
    },
    btoa(data) {
        need(1, arguments.length, "btoa");
        const encoded = native.base64Encode(`${data}`);
        if (encoded === undefined) {
            throw refuse("btoa: the string has characters outside of the Latin-1 range");
        }
        return encoded;
    },
};
exports.atob = functions.atob;
exports.btoa = functions.btoa;
