// What Node's documentation says of events, streams, string_decoder, readline and diagnostics_channel.
import diagnostics from "node:diagnostics_channel";
import EventEmitter, { captureRejectionSymbol, getEventListeners, on, once } from "node:events";
import readline from "node:readline";
import stream, {
    Duplex,
    PassThrough,
    Readable,
    Transform,
    Writable,
    addAbortSignal,
    compose,
} from "node:stream";
import { arrayBuffer, json, text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { TransformStream } from "node:stream/web";
import { StringDecoder } from "node:string_decoder";
import { behaviours } from "../src/behaviours.js";

const upper = () =>
    new Transform({
        transform: (chunk, encoding, done) => done(null, String(chunk).toUpperCase()),
    });

function sink() {
    const chunks = [];
    const writable = new Writable({
        write(chunk, encoding, done) {
            chunks.push(String(chunk));
            done();
        },
    });
    return { chunks, writable };
}

export const handler = () =>
    behaviours({
        "events: listeners run in the order they were added, prepended ones first": () => {
            const emitter = new EventEmitter();
            const order = [];
            emitter.on("a", () => order.push(1)).prependListener("a", () => order.push(0));
            emitter.once("a", () => order.push(2));
            return [emitter.emit("a"), emitter.emit("a"), order, emitter.emit("b")];
        },
        'events: an "error" event without listeners throws': () =>
            new EventEmitter().emit("error", new Error("boo")),
        'events: an "error" that is not an Error': () => new EventEmitter().emit("error", { a: 1 }),
        "events: newListener and removeListener": () => {
            const emitter = new EventEmitter();
            const seen = [];
            emitter.on("newListener", name => seen.push(`+${String(name)}`));
            emitter.on("removeListener", name => seen.push(`-${String(name)}`));
            const listener = () => {};
            emitter.on("a", listener).off("a", listener);
            return [seen, emitter.eventNames(), emitter.listenerCount("newListener")];
        },
        "events: once() as a promise": async () => {
            const emitter = new EventEmitter();
            setTimeout(() => emitter.emit("a", 1, 2), 1);
            return once(emitter, "a");
        },
        "events: once() is rejected by an error": async () => {
            const emitter = new EventEmitter();
            setTimeout(() => emitter.emit("error", new Error("no")), 1);
            return once(emitter, "a");
        },
        "events: on() iterates": async () => {
            const emitter = new EventEmitter();
            setTimeout(() => (emitter.emit("a", 1), emitter.emit("a", 2)), 1);
            const got = [];
            for await (const [value] of on(emitter, "a")) if (got.push(value) === 2) break;
            return got;
        },
        "events: once() and an AbortSignal": () =>
            once(new EventEmitter(), "a", { signal: AbortSignal.abort() }),
        "events: captureRejections": () =>
            new Promise(resolve => {
                const emitter = new EventEmitter({ captureRejections: true });
                emitter[captureRejectionSymbol] = (error, name) => resolve([error.message, name]);
                emitter.on("a", async () => {
                    throw new Error("late");
                });
                emitter.emit("a");
            }),
        "events: getEventListeners of an EventTarget": () => {
            const target = new EventTarget();
            target.addEventListener("a", () => {});
            return getEventListeners(target, "a").length;
        },
        "events: rawListeners": () => {
            const emitter = new EventEmitter();
            const listener = () => {};
            emitter.once("a", listener);
            return [
                emitter.rawListeners("a")[0].listener === listener,
                emitter.listeners("a")[0] === listener,
            ];
        },
        "events: a bad number of listeners": () => new EventEmitter().setMaxListeners(-1),
        "stream: Readable.from and for await": async () => {
            const got = [];
            for await (const chunk of Readable.from(["a", { b: 1 }, 3])) got.push(chunk);
            return got;
        },
        "stream: pipeline of a source, a transform and a sink": async () => {
            const { chunks, writable } = sink();
            await pipeline(Readable.from(["a", "b"]), upper(), writable);
            return chunks;
        },
        "stream: pipeline with an async generator": async () => {
            const { chunks, writable } = sink();
            await pipeline(
                ["x", "y"],
                async function* (source) {
                    for await (const chunk of source) yield `${chunk}${chunk}`;
                },
                writable
            );
            return chunks;
        },
        "stream: pipeline passes on an error": () =>
            pipeline(
                Readable.from(["a"]),
                new Transform({
                    transform: (chunk, encoding, done) => done(new Error("bad chunk")),
                }),
                new PassThrough()
            ),
        "stream: highWaterMark and drain": async () => {
            const writable = new Writable({
                highWaterMark: 3,
                write: (c, e, done) => setTimeout(done, 1),
            });
            const told = [writable.write("ab"), writable.write("cd"), writable.writableLength];
            await once(writable, "drain");
            return [...told, writable.writableLength, writable.writableNeedDrain];
        },
        "stream: setEncoding joins characters": async () => {
            const readable = new Readable({ read() {} });
            readable.setEncoding("utf8");
            for (const byte of [0xe2, 0x82, 0xac]) readable.push(Buffer.from([byte]));
            readable.push(null);
            return text(readable);
        },
        "stream: object mode and a transform's flush": async () => {
            const counter = new Transform({
                objectMode: true,
                transform(chunk, encoding, done) {
                    this.count = (this.count ?? 0) + chunk;
                    done();
                },
                flush(done) {
                    done(null, { count: this.count });
                },
            });
            return Readable.from([1, 2, 3]).pipe(counter).toArray();
        },
        "stream: map, filter, take, toArray": () =>
            Readable.from([1, 2, 3, 4, 5])
                .filter(n => n % 2)
                .map(async n => n * 2)
                .take(2)
                .toArray(),
        "stream: reduce, some, every, find, flatMap, drop": async () => {
            const numbers = () => Readable.from([1, 2, 3]);
            return [
                await numbers().reduce((sum, n) => sum + n, 0),
                await numbers().some(n => n > 2),
                await numbers().every(n => n > 2),
                await numbers().find(n => n > 1),
                await numbers()
                    .flatMap(n => [n, n])
                    .toArray(),
                await numbers().drop(2).toArray(),
            ];
        },
        "stream: destroy with an error": async () => {
            const readable = new Readable({ read() {} });
            setTimeout(() => readable.destroy(new Error("gone")), 1);
            return finished(readable);
        },
        "stream: premature close": async () => {
            const readable = new Readable({ read() {} });
            setTimeout(() => readable.destroy(), 1);
            return finished(readable);
        },
        "stream: addAbortSignal": async () => {
            const controller = new AbortController();
            const readable = addAbortSignal(controller.signal, new Readable({ read() {} }));
            setTimeout(() => controller.abort(), 1);
            return text(readable);
        },
        "stream: Duplex.from an async generator": () =>
            text(
                Readable.from(["a", "b"]).pipe(
                    Duplex.from(async function* (source) {
                        for await (const chunk of source) yield String(chunk).toUpperCase();
                    })
                )
            ),
        "stream: compose": async () => text(compose(Readable.from(["q"]), upper())),
        "stream: write after end": () =>
            new Promise(resolve => {
                const writable = new Writable({ write: (c, e, done) => done() });
                writable.on("error", error => resolve(error.code));
                writable.end();
                writable.write("x");
            }),
        "stream: push after the end": () =>
            new Promise(resolve => {
                const readable = new Readable({ read() {} });
                readable.on("error", error => resolve(error.code));
                readable.push(null);
                readable.push("x");
            }),
        "stream: cork and uncork": async () => {
            const sizes = [];
            const writable = new Writable({
                writev: (all, done) => (sizes.push(all.length), done()),
                write() {},
            });
            writable.cork();
            writable.write("a");
            writable.write("b");
            writable.uncork();
            writable.end();
            await finished(writable);
            return sizes;
        },
        "stream: unshift and read(n)": () => {
            const readable = new Readable({ read() {} });
            readable.push("bcd");
            readable.unshift("a");
            return [String(readable.read(2)), String(readable.read()), readable.read()];
        },
        "stream: toWeb of a Readable": async () =>
            new Response(Readable.toWeb(Readable.from([Buffer.from("ab")]))).text(),
        "stream: fromWeb of a ReadableStream": () =>
            text(Readable.fromWeb(new Response("hey").body)),
        "stream: Writable.toWeb": async () => {
            const { chunks, writable } = sink();
            await new Response("abc").body.pipeTo(Writable.toWeb(writable));
            return chunks;
        },
        "stream: Duplex.fromWeb of a TransformStream": async () => {
            const pair = new TransformStream({ transform: (chunk, c) => c.enqueue(`<${chunk}>`) });
            const duplex = Duplex.fromWeb(pair, { encoding: "utf8", objectMode: true });
            duplex.end("x");
            return text(duplex);
        },
        "stream: consumers": async () => [
            await json(Readable.from(['{"a":', "1}"])),
            (await arrayBuffer(Readable.from([Buffer.from("abc")]))).byteLength,
        ],
        "stream: static functions": () => [
            stream.isReadable(new Readable()),
            stream.isErrored(new Readable()),
            stream.getDefaultHighWaterMark(false),
            stream.getDefaultHighWaterMark(true),
        ],
        "stream: a bad chunk": () => new Writable().write(5),
        "string_decoder: parts of characters": () => {
            const decoder = new StringDecoder("utf8");
            return [
                decoder.write(Buffer.from([0xe2, 0x82])),
                decoder.write(Buffer.from([0xac])),
                decoder.end(Buffer.from([0xc3])),
            ];
        },
        "string_decoder: base64 and utf16le": () => {
            const [a, b] = ["base64", "utf16le"].map(name => new StringDecoder(name));
            return [
                a.write(Buffer.from("abcd")),
                a.end(),
                b.write(Buffer.from([0x61])),
                b.end(Buffer.from([0])),
            ];
        },
        "diagnostics_channel: publish and subscribe": () => {
            const seen = [];
            const channel = diagnostics.channel("documented");
            const listener = (message, name) => seen.push(message, name);
            channel.subscribe(listener);
            channel.publish({ a: 1 });
            return [
                channel.hasSubscribers,
                channel.unsubscribe(listener),
                channel.hasSubscribers,
                seen,
            ];
        },
        "readline: lines of a stream": async () => {
            const lines = [];
            for await (const line of readline.createInterface({
                input: Readable.from(["a\nb", "c\r\nd"]),
            }))
                lines.push(line);
            return lines;
        },
    });
