"use strict";
// Node's streams as the web's and back.
const { Duplex, Readable, Writable, finished } = require("readable-stream/lib/stream.js");
const { invalidType } = require("./errors.cjs");

const bare = chunk =>
    chunk instanceof Uint8Array && chunk.constructor !== Uint8Array
        ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : chunk;

// What ended too early was aborted, for who reads on the other side.
function reasonOf(error) {
    if (error?.code !== "ERR_STREAM_PREMATURE_CLOSE") return error;
    const reason = new Error("The operation was aborted", { cause: error });
    reason.name = "AbortError";
    return Object.assign(reason, { code: "ABORT_ERR" });
}

function strategyOf(stream, objectMode, size) {
    if (objectMode) return new CountQueuingStrategy({ highWaterMark: size });
    return { highWaterMark: size, size: chunk => chunk.byteLength ?? chunk.length ?? 1 };
}

// --- To the web ---

function readableToWeb(stream, options = {}) {
    if (typeof stream?._readableState !== "object")
        throw invalidType("streamReadable", "stream.Readable", stream);
    if (stream.destroyed || stream.readable === false) {
        const closed = new ReadableStream();
        closed.cancel();
        return closed;
    }
    let controller;
    let ended = false;
    const strategy =
        options.strategy ??
        strategyOf(stream, stream.readableObjectMode, stream.readableHighWaterMark);
    stream.pause();
    const cleanup = finished(stream, { writable: false }, error => {
        cleanup();
        stream.on("error", () => {});
        if (ended) return;
        ended = true;
        if (error) controller.error(reasonOf(error));
        else controller.close();
    });
    stream.on("data", chunk => {
        controller.enqueue(stream.readableObjectMode ? chunk : bare(chunk));
        if (controller.desiredSize <= 0) stream.pause();
    });
    return new ReadableStream(
        {
            start(given) {
                controller = given;
            },
            pull: () => void stream.resume(),
            cancel(reason) {
                ended = true;
                stream.destroy(reason);
            },
        },
        strategy
    );
}

function writableToWeb(stream) {
    if (typeof stream?._writableState !== "object")
        throw invalidType("streamWritable", "stream.Writable", stream);
    let controller;
    let closed;
    let drained;
    const settle = (promise, error) => (error ? promise?.reject(error) : promise?.resolve());
    const cleanup = finished(stream, { readable: false }, error => {
        cleanup();
        stream.on("error", () => {});
        const reason = reasonOf(error);
        if (reason) settle(drained, reason);
        if (closed) settle(closed, reason);
        else if (reason) controller.error(reason);
    });
    stream.on("drain", () => settle(drained));
    return new WritableStream(
        {
            start(given) {
                controller = given;
            },
            write(chunk) {
                if (stream.write(chunk)) return undefined;
                drained = Promise.withResolvers();
                return drained.promise.finally(() => (drained = undefined));
            },
            abort: reason => void stream.destroy(reason),
            close() {
                closed = Promise.withResolvers();
                stream.end();
                return closed.promise;
            },
        },
        strategyOf(stream, stream.writableObjectMode, stream.writableHighWaterMark)
    );
}

const duplexToWeb = stream => ({
    readable: readableToWeb(stream),
    writable: writableToWeb(stream),
});

// --- From the web ---

const isStream = (value, method) =>
    typeof value === "object" && typeof value?.[method] === "function";

function reading(stream) {
    const reader = stream.getReader();
    return {
        reader,
        async read() {
            try {
                const { done, value } = await reader.read();
                this.push(done ? null : value);
            } catch (error) {
                this.destroy(error);
            }
        },
    };
}

function readableFromWeb(stream, options = {}) {
    if (!isStream(stream, "getReader"))
        throw invalidType("readableStream", "ReadableStream", stream);
    const { reader, read } = reading(stream);
    let closed = false;
    reader.closed.then(
        () => (closed = true),
        error => {
            closed = true;
            readable.destroy(error);
        }
    );
    const readable = new Readable({
        highWaterMark: options.highWaterMark,
        encoding: options.encoding,
        objectMode: options.objectMode,
        signal: options.signal,
        read,
        destroy(error, done) {
            const finish = () => queueMicrotask(() => done(error));
            if (closed) finish();
            else reader.cancel(error).then(finish, finish);
        },
    });
    return readable;
}

function writing(stream) {
    const writer = stream.getWriter();
    return {
        writer,
        write(chunk, encoding, done) {
            const bytes =
                typeof chunk === "string" && !this.writableObjectMode
                    ? new TextEncoder().encode(chunk)
                    : chunk;
            writer.ready.then(() => writer.write(bare(bytes))).then(() => done(), done);
        },
        final: done => void writer.close().then(() => done(), done),
    };
}

function writableFromWeb(stream, options = {}) {
    if (!isStream(stream, "getWriter"))
        throw invalidType("writableStream", "WritableStream", stream);
    const { writer, write, final } = writing(stream);
    writer.closed.catch(error => writable.destroy(error));
    const writable = new Writable({
        highWaterMark: options.highWaterMark,
        objectMode: options.objectMode,
        decodeStrings: options.decodeStrings,
        signal: options.signal,
        write,
        final,
        destroy(error, done) {
            const finish = () => queueMicrotask(() => done(error));
            if (error) writer.abort(error).then(finish, finish);
            else finish();
        },
    });
    return writable;
}

function duplexFromWeb(pair, options = {}) {
    if (!isStream(pair?.readable, "getReader") || !isStream(pair?.writable, "getWriter"))
        throw invalidType("pair", ["ReadableWritablePair"], pair);
    const { reader, read } = reading(pair.readable);
    const { writer, write, final } = writing(pair.writable);
    reader.closed.catch(error => duplex.destroy(error));
    writer.closed.catch(error => duplex.destroy(error));
    const duplex = new Duplex({
        allowHalfOpen: options.allowHalfOpen,
        objectMode: options.objectMode,
        encoding: options.encoding,
        decodeStrings: options.decodeStrings,
        highWaterMark: options.highWaterMark,
        signal: options.signal,
        read,
        write,
        final,
        destroy(error, done) {
            const finish = () => queueMicrotask(() => done(error));
            const ends = error ? [writer.abort(error), reader.cancel(error)] : [reader.cancel()];
            Promise.allSettled(ends).then(finish);
        },
    });
    return duplex;
}

module.exports = {
    duplexFromWeb,
    duplexToWeb,
    readableFromWeb,
    readableToWeb,
    writableFromWeb,
    writableToWeb,
};
