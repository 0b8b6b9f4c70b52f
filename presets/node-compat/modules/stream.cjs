"use strict";
// node:stream: Node's own, as the package readable-stream publishes it, and what it leaves out.
const stream = require("readable-stream/lib/stream.js");
const { invalidType } = require("./errors.cjs");

const adapter =
    name =>
    (...args) =>
        require("./stream_adapters.cjs")[name](...args);
stream.Readable.toWeb = adapter("readableToWeb");
stream.Readable.fromWeb = adapter("readableFromWeb");
stream.Writable.toWeb = adapter("writableToWeb");
stream.Writable.fromWeb = adapter("writableFromWeb");
stream.Duplex.toWeb = adapter("duplexToWeb");
stream.Duplex.fromWeb = adapter("duplexFromWeb");

// Node names more of what a chunk may be than the package does.
const { write } = stream.Writable.prototype;
stream.Writable.prototype.write = function (chunk, ...rest) {
    const isBad = chunk !== null && typeof chunk !== "string" && !ArrayBuffer.isView(chunk);
    if (isBad && !this._writableState?.objectMode)
        throw invalidType("chunk", ["string", "Buffer", "TypedArray", "DataView"], chunk);
    return write.call(this, chunk, ...rest);
};

// Two ends of one pipe.
stream.duplexPair ??= function duplexPair(options) {
    const ends = [0, 1].map(
        side =>
            new stream.Duplex({
                ...options,
                read() {
                    const done = this.taken;
                    this.taken = undefined;
                    done?.();
                },
                write(chunk, encoding, done) {
                    const other = ends[1 - side];
                    if (chunk.length === 0) return queueMicrotask(done);
                    other.push(chunk);
                    other.taken = done;
                },
                final(done) {
                    ends[1 - side].on("end", done);
                    ends[1 - side].push(null);
                },
            })
    );
    return ends;
};
stream.setDefaultHighWaterMark?.(false, 65536);

module.exports = stream;
require("./global_object.cjs").register("stream", module.exports);
