"use strict";
const { brands, bytesOf, cloners, expose, need } = require("snapcell:idl");

function partBytes(part, endings) {
    const bytes = bytesOf(part);
    if (bytes) return bytes.slice();
    const blob = typeof part === "object" && part !== null && brands.blob(part);
    if (blob) return blob.bytes;
    const text = `${part}`;
    return native.utf8Encode(endings === "native" ? text.replace(/\r\n?/g, "\n") : text);
}

function concatenate(parts, endings) {
    if (typeof parts !== "object" || parts === null || parts[Symbol.iterator] === undefined) {
        throw new TypeError("Blob: the parts must be an array or another iterable object");
    }
    const chunks = Array.from(parts, part => partBytes(part, endings));
    if (chunks.length === 1) return chunks[0];
    const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
        bytes.set(chunk, offset);
        offset += chunk.length;
    }
    return bytes;
}

// A type with other than printable ASCII characters counts as none.
const normalType = type => (/^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "");

class Blob {
    #state; // the bytes never change

    static {
        brands.blob = value => (#state in value ? value.#state : undefined);
        // Blobs never change, so a copy shares the bytes.
        exports.share = (blob, state) => {
            blob.#state = state;
            return blob;
        };
    }

    constructor(parts = [], options = undefined) {
        checkOptions(options, "Blob");
        const endings = options?.endings === undefined ? "transparent" : `${options.endings}`;
        if (endings !== "transparent" && endings !== "native") {
            throw new TypeError(
                `Blob: endings must be "transparent" or "native", not "${endings}"`
            );
        }
        const type = options?.type === undefined ? "" : normalType(`${options.type}`);
        this.#state = { bytes: concatenate(parts, endings), type };
    }

    get size() {
        return this.#state.bytes.length;
    }

    get type() {
        return this.#state.type;
    }

    slice(start = 0, end = undefined, type = "") {
        const { bytes } = this.#state;
        const blob = emptyBlob();
        blob.#state = {
            bytes: bytes.subarray(
                toOffset(start),
                end === undefined ? bytes.length : toOffset(end)
            ),
            type: normalType(`${type}`),
        };
        return blob;
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
const emptyBlob = () => new Blob();

function checkOptions(options, what) {
    if (options === undefined || options === null) return;
    if (typeof options === "object" || typeof options === "function") return;
    throw new TypeError(`${what}: the options must be an object`);
}

const toOffset = value =>
    Math.min(
        Math.max(Math.trunc(Number(value)) || 0, -Number.MAX_SAFE_INTEGER),
        Number.MAX_SAFE_INTEGER
    );

class File extends Blob {
    #name;
    #lastModified;

    constructor(parts, name, options = undefined) {
        need(2, arguments.length, "File");
        super(parts, options);
        this.#name = `${name}`.toWellFormed();
        const modified = options?.lastModified;
        this.#lastModified =
            modified === undefined ? Date.now() : Math.trunc(Number(modified)) || 0;
    }

    get name() {
        return this.#name;
    }

    get lastModified() {
        return this.#lastModified;
    }

    get webkitRelativePath() {
        return "";
    }
}
expose(File);

const { share } = exports;
delete exports.share;

cloners.push(object => {
    const state = brands.blob(object);
    if (!state) return undefined;
    if (!(object instanceof File)) return () => share(new Blob(), state);
    const { name, lastModified } = object;
    return () => share(new File([], name, { lastModified }), state);
});

exports.Blob = Blob;
exports.File = File;
