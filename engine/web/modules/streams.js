"use strict";
const { brands, bytesOf, joinBytes } = require("snapcell:idl");
const streams = require("web-streams-polyfill/dist/ponyfill.mjs");

// The classes are not destructured: the bundler would rename the package's.
brands.stream = value => (value instanceof streams.ReadableStream ? value : undefined);
brands.writable = value => (value instanceof streams.WritableStream ? value : undefined);
brands.transform = value => (value instanceof streams.TransformStream ? value : undefined);

// The signal of a WritableStream is seldom looked at.
Object.defineProperty(streams.WritableStreamDefaultController.prototype, "_abortController", {
    get() {
        const { AbortController } = require("snapcell:abort");
        const value = new AbortController();
        Object.defineProperty(this, "_abortController", { value });
        return value;
    },
});

// Of an older version of the standard.
delete streams.WritableStreamDefaultController.prototype.abortReason;

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

// Reads into found.chunk; a promise of false at the end. What a reader's read() promises is an object,
// on which a `then` is looked up.
function nextChunk(reader, found) {
    return new Promise((resolve, reject) => {
        streams.readSteps(reader, {
            _chunkSteps(chunk) {
                found.chunk = chunk;
                resolve(true);
            },
            _closeSteps: () => resolve(false),
            _errorSteps: reject,
        });
    });
}

exports.isByteStream = stream =>
    stream._readableStreamController instanceof streams.ReadableByteStreamController;

exports.nextChunk = nextChunk;

// What a body that was read has for a stream: one that is locked and was read from.
exports.useUp = stream => {
    stream.cancel();
    stream.getReader();
    return stream;
};

// A stream of what another gives, which counts as read from at once.
exports.passOn = stream => {
    const reader = stream.getReader();
    stream._disturbed = true;
    return new streams.ReadableStream(
        {
            async pull(controller) {
                const found = { chunk: undefined };
                if (await nextChunk(reader, found)) controller.enqueue(found.chunk);
                else controller.close();
            },
            cancel: reason => reader.cancel(reason),
        },
        { highWaterMark: 0 }
    );
};

// A stream that gives the bytes that `make()` gives, once somebody reads: they become the reader's.
exports.streamOf = make =>
    new streams.ReadableStream(
        {
            type: "bytes",
            async pull(controller) {
                const bytes = await make();
                if (bytes.length > 0) controller.enqueue(bytes);
                controller.close();
                controller.byobRequest?.respond(0);
            },
        },
        { __proto__: null }
    );

// A stream that was made of a body that is there knows it: a Response of another one's body need not read
// its stream.
class Marked {
    constructor(stream) {
        return stream;
    }
}
class Whole extends Marked {
    #body;
    constructor(stream, body) {
        super(stream);
        this.#body = body;
    }
    static of(stream) {
        return #body in stream ? stream.#body : undefined;
    }
}

exports.markWhole = (stream, body) => new Whole(stream, body);

// The body of a stream that nobody has touched, which is used up by that; undefined for any other.
exports.takeWhole = stream => {
    const body = Whole.of(stream);
    if (body === undefined || stream.locked || stream._disturbed) return undefined;
    exports.useUp(stream);
    return body;
};

// A stream of the bytes that a function gives piece by piece, null at the end.
exports.pullStream = next =>
    new streams.ReadableStream(
        {
            type: "bytes",
            async pull(controller) {
                let chunk = next();
                if (chunk instanceof Promise) chunk = await chunk;
                if (chunk !== null) return controller.enqueue(chunk);
                controller.close();
                controller.byobRequest?.respond(0);
            },
        },
        { highWaterMark: 0 }
    );

function chunkOf(value) {
    if (typeof value === "string") return native.utf8Encode(value);
    const bytes = bytesOf(value);
    if (bytes) return bytes;
    throw new TypeError("a chunk of a body's iterator is neither bytes nor a string");
}

// A stream of what an async iterable gives: bytes, or text, which is encoded.
exports.iterableStream = iterable => {
    const iterator = iterable[Symbol.asyncIterator]();
    return new streams.ReadableStream(
        {
            __proto__: null,
            async pull(controller) {
                const { done, value } = await iterator.next();
                if (done) controller.close();
                else controller.enqueue(chunkOf(value));
            },
            async cancel(reason) {
                await iterator.return?.(reason);
            },
        },
        { __proto__: null, highWaterMark: 0 }
    );
};

// Reads a stream that nobody else reads: `take` gets each chunk, and tells, or promises to tell,
// whether it wants more. Gives whether it wanted more to the end.
async function readWith(stream, take) {
    const reader = stream.getReader();
    const found = { chunk: undefined };
    try {
        while (await nextChunk(reader, found)) {
            if (!(found.chunk instanceof Uint8Array)) {
                throw new TypeError("a chunk of a body's stream is not a Uint8Array");
            }
            let more = take(found.chunk);
            if (more instanceof Promise) more = await more;
            if (more) continue;
            reader.releaseLock();
            return false;
        }
        return true;
    } catch (error) {
        reader.cancel(error).catch(() => {});
        throw error;
    }
}

// The bytes are the caller's alone: a chunk may be kept by who made it.
exports.readAll = async (stream, convert) => {
    const chunks = [];
    // One whose buffer was transferred has no length, and cannot be copied.
    await readWith(stream, chunk => chunk.length === 0 || chunks.push(chunk));
    return convert(chunks.length === 1 ? chunks[0].slice() : joinBytes(chunks), false);
};

exports.sendAll = readWith;
exports.stop = (stream, reason) => stream.cancel(reason);
