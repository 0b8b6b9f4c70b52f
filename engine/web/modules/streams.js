"use strict";
const { brands } = require("snapcell:idl");
const streams = require("web-streams-polyfill/dist/ponyfill.mjs");

// The classes are not destructured: the bundler would rename the package's.
brands.stream = value => (value instanceof streams.ReadableStream ? value : undefined);

// The signal of a WritableStream is seldom looked at.
Object.defineProperty(streams.WritableStreamDefaultController.prototype, "_abortController", {
    get() {
        const { AbortController } = require("snapcell:abort");
        const value = new AbortController();
        Object.defineProperty(this, "_abortController", { value });
        return value;
    },
});

exports.ByteLengthQueuingStrategy = streams.ByteLengthQueuingStrategy;
exports.CountQueuingStrategy = streams.CountQueuingStrategy;
exports.ReadableByteStreamController = streams.ReadableByteStreamController;
exports.ReadableStream = streams.ReadableStream;
exports.ReadableStreamBYOBReader = streams.ReadableStreamBYOBReader;
exports.ReadableStreamBYOBRequest = streams.ReadableStreamBYOBRequest;
exports.ReadableStreamDefaultController = streams.ReadableStreamDefaultController;
exports.ReadableStreamDefaultReader = streams.ReadableStreamDefaultReader;
exports.TransformStream = streams.TransformStream;
exports.TransformStreamDefaultController = streams.TransformStreamDefaultController;
exports.WritableStream = streams.WritableStream;
exports.WritableStreamDefaultController = streams.WritableStreamDefaultController;
exports.WritableStreamDefaultWriter = streams.WritableStreamDefaultWriter;

// --- For bodies ---

// Whether anything was ever read from a stream, or it was cancelled: the package keeps that here.
exports.isDisturbed = stream => stream._disturbed === true;

// A stream that gives the bytes that `make()` gives, once somebody reads.
exports.streamOf = make =>
    new streams.ReadableStream({
        type: "bytes",
        async pull(controller) {
            const bytes = await make();
            if (bytes.length > 0) controller.enqueue(bytes.slice());
            controller.close();
            controller.byobRequest?.respond(0);
        },
    });

function append(chunks, chunk) {
    if (!(chunk instanceof Uint8Array)) {
        throw new TypeError("a chunk of a body's stream is not a Uint8Array");
    }
    chunks.push(chunk);
    return chunk.length;
}

function concatenate(chunks, size) {
    if (chunks.length === 1) return chunks[0];
    const bytes = new Uint8Array(size);
    let offset = 0;
    for (const chunk of chunks) {
        bytes.set(chunk, offset);
        offset += chunk.length;
    }
    return bytes;
}

// All bytes of a stream that nobody else reads.
exports.readAll = async stream => {
    const reader = stream.getReader();
    const chunks = [];
    let size = 0;
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return concatenate(chunks, size);
            size += append(chunks, value);
        }
    } catch (error) {
        reader.cancel(error).catch(() => {});
        throw error;
    }
};
