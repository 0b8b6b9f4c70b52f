"use strict";
const { brands, bytesOf, cloners, dictionary, expose, joinBytes, need } = require("snapcell:idl");

// What a part stands for: bytes, or a text whose line ends may still change.
function convertPart(part) {
    const bytes = bytesOf(part);
    if (bytes) return bytes.slice();
    const blob = typeof part === "object" && part !== null && brands.blob(part);
    return blob ? blob.bytes : `${part}`;
}

function convertParts(parts, what) {
    const usable = (typeof parts === "object" && parts !== null) || typeof parts === "function";
    if (!usable || parts[Symbol.iterator] === undefined || parts[Symbol.iterator] === null) {
        throw new TypeError(`${what}: the parts must be an array or another iterable object`);
    }
    return Array.from(parts, convertPart);
}

function bytesOfParts(parts, endings) {
    const encode = text =>
        native.utf8Encode(endings === "native" ? text.replace(/\r\n?/g, "\n") : text);
    return joinBytes(parts.map(part => (typeof part === "string" ? encode(part) : part)));
}

// {endings, type}, read in this order.
function convertOptions(options, what) {
    const given = dictionary(options, what);
    let { endings = "transparent" } = given;
    endings = `${endings}`;
    if (endings !== "transparent" && endings !== "native") {
        throw new TypeError(`${what}: endings must be "transparent" or "native", not "${endings}"`);
    }
    const { type = "" } = given;
    return { endings, type: normalType(`${type}`) };
}

// A type with other than printable ASCII characters counts as none.
const normalType = type => (/^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "");

const ready = {}; // the first argument when the second is a state: blobs never change, so they share it

class Blob {
    #state;

    static {
        brands.blob = value => (#state in value ? value.#state : undefined);
    }

    constructor(parts = undefined, options = undefined) {
        if (parts === ready) {
            this.#state = options;
            return;
        }
        const chunks = parts === undefined ? [] : convertParts(parts, "Blob");
        const { endings, type } = convertOptions(options, "Blob");
        this.#state = { bytes: bytesOfParts(chunks, endings), type };
    }

    get size() {
        return this.#state.bytes.length;
    }

    get type() {
        return this.#state.type;
    }

    slice(start = 0, end = undefined, type = "") {
        const { bytes } = this.#state;
        const { clamped } = require("snapcell:convert");
        const from = clamped(start);
        const to = end === undefined ? bytes.length : clamped(end);
        return ofState({ bytes: bytes.subarray(from, to), type: normalType(`${type}`) });
    }

    async arrayBuffer() {
        return this.#state.bytes.slice().buffer;
    }

    async bytes() {
        return this.#state.bytes.slice();
    }

    async text() {
        return native.utf8Decode(this.#state.bytes, false, false);
    }

    stream() {
        const { bytes } = this.#state;
        return require("snapcell:streams").streamOf(() => bytes.slice());
    }
}
expose(Blob);
const ofState = state => new Blob(ready, state);

class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options = undefined) {
        if (parts === ready) {
            super(ready, name.state);
            this.#name = name.name;
            this.#lastModified = name.lastModified;
            return;
        }
        need(2, arguments.length, "File");
        const chunks = convertParts(parts, "File");
        name = `${name}`.toWellFormed();
        const { endings, type } = convertOptions(options, "File");
        const modified = options?.lastModified;
        super(ready, { bytes: bytesOfParts(chunks, endings), type });
        this.#name = name;
        this.#lastModified =
            modified === undefined ? Date.now() : require("snapcell:convert").signed(modified);
    }

    get name() {
        return this.#name;
    }

    get lastModified() {
        return this.#lastModified;
    }

    get webkitRelativePath() {
        this.#name;
        return "";
    }
}
expose(File);

cloners.push(object => {
    const state = brands.blob(object);
    if (!state) return undefined;
    if (!(object instanceof File)) return () => ofState(state);
    const { name, lastModified } = object;
    return () => new File(ready, { state, name, lastModified });
});

Object.assign(exports, { ofState });
exports.Blob = Blob;
exports.File = File;
