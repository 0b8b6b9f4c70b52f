"use strict";
const { bytesOf, expose, need } = require("snapcell:idl");
const { TransformStream } = require("snapcell:streams");

// zlib's way to name a format.
const asUsual = [undefined, false, undefined, undefined, new Uint8Array(0)];
const windowBits = { deflate: 15, "deflate-raw": -15, gzip: 31 };

function newTransform(inflates, format, what) {
    format = `${format}`;
    if (!Object.hasOwn(windowBits, format)) {
        throw new TypeError(
            `${what}: the format must be "gzip", "deflate" or "deflate-raw", not ` +
                JSON.stringify(format)
        );
    }
    let holder; // made with the first chunk: it takes memory
    const push = (bytes, finish, controller) => {
        holder ??= native.zlibNew(inflates, windowBits[format], ...asUsual);
        for (const chunk of native.zlibPush(holder, bytes, finish)) controller.enqueue(chunk);
    };
    return new TransformStream({
        transform(chunk, controller) {
            const bytes = bytesOf(chunk);
            if (!bytes) throw new TypeError(`${what}: a chunk must be an ArrayBuffer or a view`);
            push(bytes, false, controller);
        },
        flush(controller) {
            push(new Uint8Array(0), true, controller);
            holder = undefined;
        },
    });
}

class CompressionStream {
    #transform;

    constructor(format) {
        need(1, arguments.length, "CompressionStream");
        this.#transform = newTransform(false, format, "CompressionStream");
    }

    get readable() {
        return this.#transform.readable;
    }

    get writable() {
        return this.#transform.writable;
    }
}
expose(CompressionStream);

class DecompressionStream {
    #transform;

    constructor(format) {
        need(1, arguments.length, "DecompressionStream");
        this.#transform = newTransform(true, format, "DecompressionStream");
    }

    get readable() {
        return this.#transform.readable;
    }

    get writable() {
        return this.#transform.writable;
    }
}
expose(DecompressionStream);

exports.CompressionStream = CompressionStream;
exports.DecompressionStream = DecompressionStream;
