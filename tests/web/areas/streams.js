// The Streams standard; its byte streams are in byte_streams.js.
import { all, area, bytes, equal, ok, rejects, same, test, throws, tick } from "../harness.js";

// --- ReadableStream ---

test("a queue is filled to its high-water mark", async () => {
    let pulls = 0;
    const stream = new ReadableStream(
        {
            pull(controller) {
                controller.enqueue(pulls++);
            },
        },
        { highWaterMark: 3 }
    );
    await tick();
    equal(pulls, 3);
    const reader = stream.getReader();
    same(await reader.read(), { value: 0, done: false });
    await tick();
    equal(pulls, 4);
});

test("start is awaited, pull waits for the one before", async () => {
    const seen = [];
    let begin, step;
    const stream = new ReadableStream(
        {
            start: () => new Promise(resolve => (begin = resolve)),
            pull(controller) {
                seen.push("pull");
                controller.enqueue("a");
                return new Promise(resolve => (step = resolve));
            },
        },
        { highWaterMark: 2 }
    );
    await tick();
    same(seen, []);
    begin();
    await tick();
    same(seen, ["pull"]);
    step();
    await tick();
    same(seen, ["pull", "pull"]);
    equal(stream.locked, false);
});

test("closing, and what is left in the queue", async () => {
    let controller;
    const stream = new ReadableStream({ start: c => void (controller = c) });
    controller.enqueue(1);
    controller.close();
    throws(TypeError, () => controller.enqueue(2));
    throws(TypeError, () => controller.close());
    equal(controller.desiredSize, 0);
    const reader = stream.getReader();
    let closed = false;
    reader.closed.then(() => (closed = true));
    await tick();
    equal(closed, false);
    same(await reader.read(), { value: 1, done: false });
    const last = await reader.read();
    equal(last.done, true);
    equal("value" in last, true);
    equal(await reader.closed, undefined);
});

test("errors reach readers and forget the queue", async () => {
    let controller;
    const failure = new Error("failed");
    const stream = new ReadableStream({ start: c => void (controller = c) });
    const reader = stream.getReader();
    const pending = reader.read();
    controller.error(failure);
    equal(await rejects(Error, pending), failure);
    equal(await rejects(Error, reader.closed), failure);
    equal(await rejects(Error, reader.read()), failure);
    equal(await rejects(Error, reader.cancel()), failure);
    equal(controller.desiredSize, null);
    throws(TypeError, () => controller.enqueue(1));
    controller.error(new Error("later")); // which is nothing
});

test("what start, pull and size throw", async () => {
    const failure = new RangeError("no");
    const fail = () => {
        throw failure;
    };
    equal(
        throws(RangeError, () => new ReadableStream({ start: fail })),
        failure
    );
    equal(
        await rejects(RangeError, new ReadableStream({ pull: fail }).getReader().read()),
        failure
    );
    let controller;
    const stream = new ReadableStream({ start: c => void (controller = c) }, { size: fail });
    equal(
        throws(RangeError, () => controller.enqueue(1)),
        failure
    );
    equal(await rejects(RangeError, stream.getReader().read()), failure);
    for (const size of [NaN, -1, Infinity]) {
        const bad = new ReadableStream({ start: c => void (controller = c) }, { size: () => size });
        throws(RangeError, () => controller.enqueue(1));
        await rejects(RangeError, bad.getReader().read());
    }
    for (const highWaterMark of [NaN, -1, "x"]) {
        throws(RangeError, () => new ReadableStream({}, { highWaterMark }));
    }
    throws(TypeError, () => new ReadableStream({ pull: 1 }));
    throws(TypeError, () => new ReadableStream({ type: "octets" }));
    throws(TypeError, () => new ReadableStream(null));
    throws(RangeError, () => new ReadableStream({ type: "bytes" }, { size: () => 1 }));
});

test("cancel reaches the source", async () => {
    const seen = [];
    const stream = new ReadableStream({
        pull(controller) {
            controller.enqueue("a");
        },
        cancel(reason) {
            seen.push(reason);
            return tick();
        },
    });
    equal(await stream.cancel("why"), undefined);
    same(seen, ["why"]);
    equal((await stream.getReader().read()).done, true);
    const failing = new ReadableStream({
        cancel() {
            throw new RangeError("no");
        },
    });
    await rejects(RangeError, failing.cancel());
    failing.getReader();
    await rejects(TypeError, failing.cancel());
});

test("locks", async () => {
    const stream = new ReadableStream();
    const reader = stream.getReader();
    equal(stream.locked, true);
    throws(TypeError, () => stream.getReader());
    throws(TypeError, () => stream.tee());
    throws(TypeError, () => stream.pipeThrough(new TransformStream()));
    throws(TypeError, () => stream[Symbol.asyncIterator]());
    await rejects(TypeError, stream.pipeTo(new WritableStream()));
    const pending = reader.read();
    reader.releaseLock();
    await rejects(TypeError, pending);
    await rejects(TypeError, reader.closed);
    await rejects(TypeError, reader.read());
    equal(stream.locked, false);
    throws(TypeError, () => stream.getReader({ mode: "byob" }));
    throws(TypeError, () => stream.getReader({ mode: "other" }));
    new ReadableStreamDefaultReader(stream);
    equal(stream.locked, true);
});

test("async iteration", async () => {
    const source = () => ReadableStream.from(["a", "b", "c"]);
    same(await all(source()), ["a", "b", "c"]);
    const cancelled = [];
    const endless = () =>
        new ReadableStream({
            pull: c => c.enqueue(1),
            cancel: reason => void cancelled.push(reason),
        });
    for await (const value of endless()) if (value) break;
    same(cancelled, [null]);
    const kept = endless();
    const keeping = kept.values({ preventCancel: true });
    await keeping.next();
    await keeping.return("x");
    equal(cancelled.length, 1);
    equal(kept.locked, false);
    const iterator = endless().values();
    same(await iterator.return("given"), { value: "given", done: true });
    equal(cancelled[1], "given");
    same(await iterator.next(), { done: true });
    await rejects(
        Error,
        all(
            new ReadableStream({
                start(c) {
                    c.error(new Error("x"));
                },
            })
        )
    );
    equal(ReadableStream.prototype.values, ReadableStream.prototype[Symbol.asyncIterator]);
});

test("from", async () => {
    same(await all(ReadableStream.from(new Set([1, 2]))), [1, 2]);
    same(await all(ReadableStream.from("ab")), ["a", "b"]);
    same(await all(ReadableStream.from([Promise.resolve(1)])), [1]);
    const seen = [];
    async function* generate() {
        try {
            yield 1;
            yield 2;
        } finally {
            seen.push("ended");
        }
    }
    const stream = ReadableStream.from(generate());
    const reader = stream.getReader();
    equal((await reader.read()).value, 1);
    await reader.cancel("why");
    same(seen, ["ended"]);
    for (const value of [null, undefined, 1, {}, { [Symbol.iterator]: 1 }]) {
        throws(TypeError, () => ReadableStream.from(value));
    }
    async function* fails() {
        yield 1;
        throw new RangeError("no");
    }
    await rejects(RangeError, all(ReadableStream.from(fails())));
    equal(ReadableStream.from.length, 1);
});

test("tee", async () => {
    const reasons = [];
    const [one, two] = new ReadableStream({
        start(c) {
            c.enqueue("a");
            c.enqueue("b");
            c.close();
        },
    }).tee();
    same(await all(one), ["a", "b"]);
    same(await all(two), ["a", "b"]);
    const [left, right] = new ReadableStream({ cancel: reason => void reasons.push(reason) }).tee();
    const first = left.cancel("l");
    await tick();
    same(reasons, []);
    await right.cancel("r");
    await first;
    same(reasons, [["l", "r"]]);
    const [bad, worse] = new ReadableStream({ pull: () => Promise.reject(new RangeError()) }).tee();
    await rejects(RangeError, bad.getReader().read());
    await rejects(RangeError, worse.getReader().read());
});

// --- WritableStream ---

test("writes go one by one, with back-pressure", async () => {
    const seen = [];
    let step;
    const stream = new WritableStream(
        {
            write(chunk, controller) {
                ok(controller instanceof WritableStreamDefaultController);
                seen.push(chunk);
                return new Promise(resolve => (step = resolve));
            },
            close: () => void seen.push("closed"),
        },
        new CountQueuingStrategy({ highWaterMark: 2 })
    );
    const writer = stream.getWriter();
    equal(writer.desiredSize, 2);
    await writer.ready;
    const first = writer.write("a");
    writer.write("b");
    equal(writer.desiredSize, 0);
    let ready = false;
    writer.ready.then(() => (ready = true));
    await tick();
    same(seen, ["a"]);
    equal(ready, false);
    step();
    equal(await first, undefined);
    await tick();
    equal(ready, true);
    same(seen, ["a", "b"]);
    const closed = writer.close();
    await rejects(TypeError, writer.write("c"));
    await rejects(TypeError, writer.close());
    step();
    await closed;
    await writer.closed;
    same(seen, ["a", "b", "closed"]);
    equal(writer.desiredSize, 0);
});

test("abort", async () => {
    const seen = [];
    let signal;
    const stream = new WritableStream({
        start(controller) {
            signal = controller.signal;
        },
        write: () => new Promise(resolve => signal.addEventListener("abort", () => resolve())),
        abort: reason => void seen.push(reason),
    });
    const writer = stream.getWriter();
    const failure = new Error("enough");
    const first = writer.write(1);
    const second = writer.write(2);
    await tick();
    equal(signal.aborted, false);
    const aborted = writer.abort(failure);
    equal(signal.aborted, true);
    equal(signal.reason, failure);
    equal(await aborted, undefined);
    equal(await first, undefined);
    equal(await rejects(Error, second), failure);
    equal(await rejects(Error, writer.closed), failure);
    equal(await rejects(Error, writer.ready), failure);
    same(seen.length, 1);
    equal(writer.desiredSize, null);
    equal(await writer.abort(), undefined);
});

test("a sink that fails", async () => {
    const failure = new RangeError("full");
    const stream = new WritableStream({
        write() {
            throw failure;
        },
    });
    const writer = stream.getWriter();
    equal(await rejects(RangeError, writer.write(1)), failure);
    equal(await rejects(RangeError, writer.closed), failure);
    equal(await rejects(RangeError, writer.write(2)), failure);
    let controller;
    const errored = new WritableStream({ start: c => void (controller = c) });
    controller.error(failure);
    equal(await rejects(RangeError, errored.getWriter().closed), failure);
    throws(RangeError, () => new WritableStream({ type: "bytes" }));
    equal(
        throws(
            RangeError,
            () =>
                new WritableStream({
                    start() {
                        throw failure;
                    },
                })
        ),
        failure
    );
    await rejects(
        RangeError,
        new WritableStream({
            close() {
                throw failure;
            },
        }).close()
    );
});

test("a writer's lock", async () => {
    const stream = new WritableStream();
    const writer = stream.getWriter();
    equal(stream.locked, true);
    throws(TypeError, () => stream.getWriter());
    await rejects(TypeError, stream.abort());
    await rejects(TypeError, stream.close());
    writer.releaseLock();
    throws(TypeError, () => writer.desiredSize);
    await rejects(TypeError, writer.closed);
    await rejects(TypeError, writer.write(1));
    new WritableStreamDefaultWriter(stream).releaseLock();
    await stream.close();
});

// --- Pipes ---

test("pipeTo and its options", async () => {
    const seen = [];
    const sink = () =>
        new WritableStream({
            write: chunk => void seen.push(chunk),
            close: () => void seen.push("closed"),
            abort: reason => void seen.push(`aborted ${reason}`),
        });
    equal(await ReadableStream.from([1, 2]).pipeTo(sink()), undefined);
    same(seen.splice(0), [1, 2, "closed"]);
    const open = sink();
    await ReadableStream.from([1]).pipeTo(open, { preventClose: true });
    same(seen.splice(0), [1]);
    equal(open.locked, false);
    const failing = () =>
        new ReadableStream({
            start(c) {
                c.error("broken");
            },
        });
    equal(await failing().pipeTo(sink()).catch(String), "broken");
    same(seen.splice(0), ["aborted broken"]);
    await failing()
        .pipeTo(open, { preventAbort: true })
        .catch(() => {});
    same(seen.splice(0), []);
    await open.close();
});

test("pipeTo cancels its source", async () => {
    const seen = [];
    const source = () =>
        new ReadableStream({
            pull: c => c.enqueue(1),
            cancel: reason => void seen.push(String(reason)),
        });
    const bad = () =>
        new WritableStream({
            write() {
                throw "full";
            },
        });
    equal(await source().pipeTo(bad()).catch(String), "full");
    same(seen.splice(0), ["full"]);
    const kept = source();
    await kept.pipeTo(bad(), { preventCancel: true }).catch(() => {});
    same(seen.splice(0), []);
    equal(kept.locked, false);
    const closed = new WritableStream();
    await closed.close();
    await rejects(TypeError, source().pipeTo(closed));
    equal(seen.splice(0).length, 1);
});

test("pipeTo with a signal", async () => {
    const seen = [];
    const controller = new AbortController();
    const piped = new ReadableStream({ cancel: reason => void seen.push(reason) }).pipeTo(
        new WritableStream({ abort: reason => void seen.push(reason) }),
        { signal: controller.signal }
    );
    controller.abort("stop");
    equal(await piped.catch(String), "stop");
    same(seen, ["stop", "stop"]);
    const stream = new ReadableStream();
    const sink = new WritableStream();
    equal(
        await stream.pipeTo(sink, { signal: AbortSignal.abort("before") }).catch(String),
        "before"
    );
    await rejects(TypeError, new ReadableStream().pipeTo(new WritableStream(), { signal: 1 }));
    await rejects(TypeError, new ReadableStream().pipeTo({}));
});

test("pipeThrough", async () => {
    const upper = new TransformStream({
        transform: (chunk, c) => c.enqueue(chunk.toUpperCase()),
        flush: c => c.enqueue("end"),
    });
    same(await all(ReadableStream.from(["a", "b"]).pipeThrough(upper)), ["A", "B", "end"]);
    throws(TypeError, () => new ReadableStream().pipeThrough({}));
    throws(TypeError, () => new ReadableStream().pipeThrough({ readable: 1, writable: 2 }));
    const identity = new TransformStream();
    same(await all(ReadableStream.from([1]).pipeThrough(identity)), [1]);
});

// --- TransformStream ---

test("back-pressure of a transform", async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    equal(writer.desiredSize, 1);
    let written = false;
    writer.write("a").then(() => (written = true));
    await tick();
    equal(written, false);
    const reader = readable.getReader();
    equal((await reader.read()).value, "a");
    await tick();
    equal(written, true);
    writer.close();
    equal((await reader.read()).done, true);
});

test("a transform that fails, ends or is cancelled", async () => {
    const failing = new TransformStream({
        transform() {
            throw new RangeError("no");
        },
    });
    const writer = failing.writable.getWriter();
    const reading = failing.readable.getReader().read();
    await rejects(RangeError, writer.write(1));
    await rejects(RangeError, reading);

    let controller;
    const ending = new TransformStream({ start: c => void (controller = c) });
    controller.terminate();
    equal((await ending.readable.getReader().read()).done, true);
    await rejects(TypeError, ending.writable.getWriter().write(1));

    const seen = [];
    const make = () => new TransformStream({ cancel: reason => void seen.push(reason) });
    await make().readable.cancel("read side");
    await make().writable.abort("write side");
    same(seen, ["read side", "write side"]);
    const cancelled = make();
    await cancelled.readable.cancel("why");
    equal(await cancelled.writable.getWriter().closed.catch(String), "why");
    throws(RangeError, () => new TransformStream({ readableType: "bytes" }));
    throws(RangeError, () => new TransformStream({ writableType: "bytes" }));
});

test("strategies", () => {
    const count = new CountQueuingStrategy({ highWaterMark: 4 });
    equal(count.highWaterMark, 4);
    equal(count.size(), 1);
    equal(count.size, new CountQueuingStrategy({ highWaterMark: 1 }).size);
    const length = new ByteLengthQueuingStrategy({ highWaterMark: "5" });
    equal(length.highWaterMark, 5);
    equal(length.size({ byteLength: 9 }), 9);
    throws(TypeError, () => length.size());
    throws(TypeError, () => new CountQueuingStrategy());
    throws(TypeError, () => new ByteLengthQueuingStrategy({}));
});

test("names, tags and constructors", () => {
    for (const name of [
        "ReadableStream",
        "WritableStream",
        "TransformStream",
        "CountQueuingStrategy",
        "ByteLengthQueuingStrategy",
        "ReadableStreamDefaultReader",
        "ReadableStreamBYOBReader",
        "WritableStreamDefaultWriter",
    ]) {
        equal(globalThis[name].name, name);
        equal(globalThis[name].prototype[Symbol.toStringTag], name);
        throws(TypeError, () => globalThis[name]());
    }
    for (const name of [
        "ReadableStreamDefaultController",
        "ReadableByteStreamController",
        "ReadableStreamBYOBRequest",
        "WritableStreamDefaultController",
        "TransformStreamDefaultController",
    ]) {
        throws(TypeError, () => new globalThis[name]());
    }
    ok(Object.keys(ReadableStream.prototype).includes("pipeTo"), "members are enumerable");
    throws(TypeError, () => ReadableStream.prototype.getReader.call({}));
});

// --- Text and compression ---

test("TextDecoderStream puts split characters together", async () => {
    const text = "\ufeffa\u00e9\u20ac\u{1f600}z";
    const encoded = [0xef, 0xbb, 0xbf, ...new TextEncoder().encode(text.slice(1))];
    for (const size of [1, 2, 3, 5]) {
        const chunks = [];
        for (let i = 0; i < encoded.length; i += size) {
            chunks.push(new Uint8Array(encoded.slice(i, i + size)));
        }
        const decoded = ReadableStream.from(chunks).pipeThrough(new TextDecoderStream());
        equal((await all(decoded)).join(""), text.slice(1));
    }
    const cut = ReadableStream.from([bytes(0x61, 0xe2, 0x82)]);
    equal((await all(cut.pipeThrough(new TextDecoderStream()))).join(""), "a\ufffd");
    const fatal = ReadableStream.from([bytes(0xe2, 0x82)]);
    await rejects(
        TypeError,
        all(fatal.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })))
    );
    const kept = ReadableStream.from([bytes(0xef), bytes(0xbb, 0xbf, 0x61)]);
    equal(
        (await all(kept.pipeThrough(new TextDecoderStream("utf-8", { ignoreBOM: true })))).join(""),
        "\ufeffa"
    );
    const utf16 = ReadableStream.from([bytes(0x3d), bytes(0xd8, 0x00), bytes(0xde)]);
    equal((await all(utf16.pipeThrough(new TextDecoderStream("utf-16le")))).join(""), "\u{1f600}");
    throws(RangeError, () => new TextDecoderStream("nothing"));
    await rejects(
        TypeError,
        all(ReadableStream.from(["text"]).pipeThrough(new TextDecoderStream()))
    );
});

test("TextEncoderStream puts split surrogates together", async () => {
    const encode = async (...chunks) =>
        (await all(ReadableStream.from(chunks).pipeThrough(new TextEncoderStream()))).flatMap(
            chunk => [...chunk]
        );
    same(await encode("\ud83d", "\ude00"), [0xf0, 0x9f, 0x98, 0x80]);
    same(await encode("\ud83d", "", "\ude00"), [0xf0, 0x9f, 0x98, 0x80]);
    same(await encode("\ud83d", "a"), [0xef, 0xbf, 0xbd, 0x61]);
    same(await encode("a\ud83d"), [0x61, 0xef, 0xbf, 0xbd]);
    same(await encode(1, null), [0x31, ...new TextEncoder().encode("null")]);
    same(await encode(""), []);
    await rejects(TypeError, encode(Symbol("x")));
});

export default area;
