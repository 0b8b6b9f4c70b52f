"use strict";
// URL.createObjectURL(): blobs by URL, as long as the instance lives or until they are revoked.
const { brands } = require("snapcell:idl");

const blobs = new Map();
let count = 0;

// Nobody outside of the instance could use it, so it need not be unguessable; random values are not to
// be had at build time.
function newUrl() {
    const digits = (++count).toString(16).padStart(12, "0");
    return `blob:null/00000000-0000-4000-8000-${digits}`;
}

exports.create = object => {
    const blob = typeof object === "object" && object !== null && brands.blob?.(object);
    if (!blob) throw new TypeError("URL.createObjectURL: the argument must be a Blob");
    const url = newUrl();
    blobs.set(url, object);
    return url;
};

exports.revoke = url => {
    blobs.delete(url.replace(/#[^]*/, ""));
};

// The Blob of a URL, or undefined.
exports.find = url => blobs.get(url.replace(/#[^]*/, ""));

// --- fetch() of such a URL (Fetch, 4.3) ---

// The first and the last byte of a header "range" with one range; null when it is not one.
function rangeOf(text, size) {
    const match = /^bytes[\t ]*=[\t ]*(\d*)[\t ]*-[\t ]*(\d*)$/.exec(text);
    if (!match || (match[1] === "" && match[2] === "")) return null;
    const [first, last] = [Number(match[1]), Number(match[2])];
    if (match[1] === "") return last === 0 ? null : [Math.max(size - last, 0), size - 1];
    const end = match[2] === "" ? size - 1 : Math.min(last, size - 1);
    return first >= size || (match[2] !== "" && first > last) ? null : [first, end];
}

function valueOf(list, name) {
    const index = list.findIndex((item, i) => i % 2 === 0 && item === name);
    return index < 0 ? null : list[index + 1];
}

exports.respond = async request => {
    const { createResponse, headerList } = require("snapcell:fetch");
    const object = request.blob ?? exports.find(request.url);
    if (!object) throw new TypeError(`fetch: there is no Blob at ${request.url}`);
    if (request.method !== "GET") throw new TypeError("fetch: a blob: URL takes GET alone");
    const { bytes, type } = brands.blob(object);
    const list = ["content-length", `${bytes.length}`, "content-type", type];
    const values = { status: 200, statusText: "OK", list, source: bytes, shared: true };
    const asked = valueOf(headerList(request), "range");
    if (asked !== null) {
        const range = rangeOf(asked, bytes.length);
        if (range === null) throw new TypeError(`fetch: the Blob has no such range: ${asked}`);
        Object.assign(values, { status: 206, statusText: "Partial Content" });
        values.source = bytes.slice(range[0], range[1] + 1);
        list[1] = `${values.source.length}`;
        list.push("content-range", `bytes ${range[0]}-${range[1]}/${bytes.length}`);
    }
    return createResponse({ ...values, url: request.url.replace(/#[^]*/, ""), redirected: false });
};
