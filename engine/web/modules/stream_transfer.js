"use strict";
// Streams that are transferred: the Streams standard's cross-realm transforms. One end stays and is
// piped to or from a port; the other is made again at the port's other end.
const { brands } = require("snapcell:idl");
const { MessageChannel } = require("snapcell:messages");
const { ReadableStream, WritableStream } = require("snapcell:streams");

const send = (port, type, value) => port.postMessage({ type, value });

// What cannot be cloned is told to the other end as the failure to clone it.
function sendOrFail(port, type, value) {
    try {
        send(port, type, value);
    } catch (error) {
        sendFailure(port, error);
        throw error;
    }
}

function sendFailure(port, error) {
    try {
        send(port, "error", error);
    } catch {
        send(port, "error", undefined);
    }
    port.close();
}

function listen(port, receive) {
    port.onmessage = ({ data }) => receive(data.type, data.value);
}

function readableFrom(port) {
    return new ReadableStream(
        {
            start(controller) {
                listen(port, (type, value) => {
                    if (type === "chunk") return controller.enqueue(value);
                    if (type === "close") controller.close();
                    else controller.error(value);
                    port.close();
                });
            },
            pull: () => send(port, "pull"),
            cancel: reason => sendFailure(port, reason),
        },
        { highWaterMark: 0 }
    );
}

function writableTo(port) {
    let wanted = Promise.withResolvers(); // settled once the other end asks for a chunk
    return new WritableStream({
        start(controller) {
            listen(port, (type, value) => {
                if (type === "error") {
                    controller.error(value);
                    port.close();
                }
                wanted.resolve();
            });
        },
        async write(chunk) {
            await wanted.promise;
            wanted = Promise.withResolvers();
            sendOrFail(port, "chunk", chunk);
        },
        close() {
            send(port, "close");
            port.close();
        },
        abort: reason => sendFailure(port, reason),
    });
}

const handled = promise => promise.catch(() => {});

function moveReadable(stream) {
    const { port1, port2 } = new MessageChannel();
    handled(stream.pipeTo(writableTo(port1)));
    return readableFrom(port2);
}

function moveWritable(stream) {
    const { port1, port2 } = new MessageChannel();
    handled(readableFrom(port1).pipeTo(stream));
    return writableTo(port2);
}

function moveTransform({ readable, writable }) {
    const { TransformStream } = require("snapcell:streams");
    const moved = Object.create(TransformStream.prototype);
    const ends = { readable: moveReadable(readable), writable: moveWritable(writable) };
    for (const name of ["readable", "writable"])
        Object.defineProperty(moved, name, { value: ends[name] });
    return moved;
}

exports.isLocked = stream =>
    brands.transform(stream) ? stream.readable.locked || stream.writable.locked : stream.locked;

exports.move = stream => {
    if (brands.transform(stream)) return moveTransform(stream);
    return brands.writable(stream) ? moveWritable(stream) : moveReadable(stream);
};
