"use strict";
const { bytesOf, expose } = require("snapcell:idl");
const { TransformStream } = require("snapcell:streams");
const { TextDecoder } = require("snapcell:encoding");

class TextEncoderStream {
    #transform;

    constructor() {
        let lead = ""; // a high surrogate whose other half may be in the next chunk
        this.#transform = new TransformStream({
            transform(chunk, controller) {
                let text = lead + `${chunk}`;
                lead = "";
                const last = text.charCodeAt(text.length - 1);
                if (last >= 0xd800 && last <= 0xdbff) {
                    lead = text.at(-1);
                    text = text.slice(0, -1);
                }
                if (text) controller.enqueue(native.utf8Encode(text));
            },
            flush(controller) {
                if (lead) controller.enqueue(native.utf8Encode("\ufffd"));
            },
        });
    }

    get encoding() {
        this.#transform;
        return "utf-8";
    }

    get readable() {
        return this.#transform.readable;
    }

    get writable() {
        return this.#transform.writable;
    }
}
expose(TextEncoderStream);

class TextDecoderStream {
    #decoder;
    #transform;

    constructor(label = "utf-8", options = undefined) {
        const decoder = new TextDecoder(label, options);
        this.#decoder = decoder;
        this.#transform = new TransformStream({
            transform(chunk, controller) {
                if (!bytesOf(chunk, true)) {
                    throw new TypeError(
                        "TextDecoderStream: a chunk must be an ArrayBuffer or a view"
                    );
                }
                const text = decoder.decode(chunk, { stream: true });
                if (text) controller.enqueue(text);
            },
            flush(controller) {
                const text = decoder.decode();
                if (text) controller.enqueue(text);
            },
        });
    }

    get encoding() {
        return this.#decoder.encoding;
    }

    get fatal() {
        return this.#decoder.fatal;
    }

    get ignoreBOM() {
        return this.#decoder.ignoreBOM;
    }

    get readable() {
        return this.#transform.readable;
    }

    get writable() {
        return this.#transform.writable;
    }
}
expose(TextDecoderStream);

exports.TextEncoderStream = TextEncoderStream;
exports.TextDecoderStream = TextDecoderStream;
