"use strict";
// node:stream/web: the web's own, looked up on first use.
const names = ["ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader"];
names.push("ReadableStreamBYOBRequest", "ReadableByteStreamController");
names.push(
    "ReadableStreamDefaultController",
    "TransformStream",
    "TransformStreamDefaultController"
);
names.push("WritableStream", "WritableStreamDefaultController", "WritableStreamDefaultWriter");
names.push("ByteLengthQueuingStrategy", "CountQueuingStrategy", "TextEncoderStream");
names.push("TextDecoderStream", "CompressionStream", "DecompressionStream");

for (const name of names)
    Object.defineProperty(exports, name, { enumerable: true, get: () => globalThis[name] });
