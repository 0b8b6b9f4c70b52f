// Byte streams of the Streams standard.
import { all, area, bytes, equal, ok, rejects, same, test, throws, tick } from "../harness.js";

test("a byte stream for a default reader", async () => {
    const stream = new ReadableStream({
        type: "bytes",
        start(c) {
            c.enqueue(bytes(1, 2, 3));
            throws(TypeError, () => c.enqueue("text"));
            throws(TypeError, () => c.enqueue(new Uint8Array(0)));
            equal(c.byobRequest, null);
            equal(c.desiredSize, -3);
        },
    });
    const { value } = await stream.getReader().read();
    same([...value], [1, 2, 3]);
    ok(value instanceof Uint8Array);
});

test("enqueue takes the buffer over", async () => {
    const chunk = bytes(1, 2);
    const stream = new ReadableStream({ type: "bytes", start: c => c.enqueue(chunk) });
    equal(chunk.byteLength, 0);
    same([...(await stream.getReader().read()).value], [1, 2]);
});

test("BYOB: the view is filled", async () => {
    const stream = new ReadableStream({
        type: "bytes",
        pull(c) {
            const { view } = c.byobRequest;
            equal(view.byteLength, 4);
            view[0] = 7;
            c.byobRequest.respond(1);
        },
    });
    const reader = stream.getReader({ mode: "byob" });
    const given = new Uint8Array(4);
    const { value, done } = await reader.read(given);
    equal(done, false);
    equal(given.byteLength, 0, "the view given is detached");
    same([...value], [7]);
    equal(value.buffer.byteLength, 4);
    await rejects(TypeError, reader.read(new Uint8Array(0)));
    await rejects(TypeError, reader.read());
    await rejects(TypeError, reader.read(given));
    throws(TypeError, () => new ReadableStreamBYOBReader(new ReadableStream()));
});

test("BYOB: other kinds of views, and elements that come in parts", async () => {
    let controller;
    const stream = new ReadableStream({ type: "bytes", start: c => void (controller = c) });
    const reader = stream.getReader({ mode: "byob" });
    const pending = reader.read(new Uint16Array(2));
    controller.enqueue(bytes(1));
    await tick();
    controller.enqueue(bytes(2, 3));
    const { value } = await pending;
    ok(value instanceof Uint16Array);
    same([...value], [0x0201]);
    const rest = await reader.read(new DataView(new ArrayBuffer(8), 2, 4));
    ok(rest.value instanceof DataView);
    equal(rest.value.byteOffset, 2);
    equal(rest.value.getUint8(0), 3);
    const odd = reader.read(new Uint16Array(1));
    controller.enqueue(bytes(9));
    throws(TypeError, () => controller.close());
    await rejects(TypeError, odd);
});

test("BYOB: respondWithNewView, close and cancel", async () => {
    let controller;
    const source = { type: "bytes", start: c => void (controller = c) };
    const stream = new ReadableStream(source);
    const reader = stream.getReader({ mode: "byob" });
    let pending = reader.read(new Uint8Array(4));
    await tick();
    let request = controller.byobRequest;
    throws(TypeError, () => request.respond(0));
    throws(RangeError, () => request.respond(5));
    throws(RangeError, () => request.respondWithNewView(new Uint8Array(8)));
    throws(TypeError, () => request.respondWithNewView([1]));
    const { view } = request;
    view.set([5, 6]);
    request.respondWithNewView(new Uint8Array(view.buffer.transfer(), 0, 2));
    same([...(await pending).value], [5, 6]);
    equal(request.view, null);
    throws(TypeError, () => request.respond(1));

    pending = reader.read(new Uint8Array(4));
    await tick();
    controller.close();
    request = controller.byobRequest;
    request.respond(0);
    const last = await pending;
    equal(last.done, true);
    equal(last.value.byteLength, 0);
    equal(last.value.buffer.byteLength, 4, "the buffer comes back");

    const other = new ReadableStream({ type: "bytes" }).getReader({ mode: "byob" });
    const waiting = other.read(new Uint8Array(1));
    await other.cancel();
    const cancelled = await waiting;
    equal(cancelled.done, true);
    equal(cancelled.value, undefined);
});

test("BYOB: min", async () => {
    let controller;
    let pulls = 0;
    const stream = new ReadableStream({
        type: "bytes",
        start: c => void (controller = c),
        pull: () => void pulls++,
    });
    const reader = stream.getReader({ mode: "byob" });
    let done = false;
    const pending = reader.read(new Uint8Array(8), { min: 3 });
    pending.then(() => (done = true));
    controller.enqueue(bytes(1, 2));
    await tick();
    equal(done, false);
    controller.enqueue(bytes(3, 4));
    same([...(await pending).value], [1, 2, 3, 4]);
    ok(pulls > 0);
    await rejects(TypeError, reader.read(new Uint8Array(2), { min: 0 }));
    await rejects(RangeError, reader.read(new Uint8Array(2), { min: 3 }));
    const short = reader.read(new Uint8Array(4), { min: 2 });
    controller.enqueue(bytes(9));
    controller.close();
    controller.byobRequest?.respond(0);
    const { value, done: ended } = await short;
    same([...value], [9]);
    equal(ended, true);
});

test("autoAllocateChunkSize", async () => {
    const stream = new ReadableStream({
        type: "bytes",
        autoAllocateChunkSize: 16,
        pull(c) {
            equal(c.byobRequest.view.byteLength, 16);
            c.byobRequest.view[0] = 3;
            c.byobRequest.respond(1);
        },
    });
    same([...(await stream.getReader().read()).value], [3]);
    throws(TypeError, () => new ReadableStream({ type: "bytes", autoAllocateChunkSize: 0 }));
});

test("tee of a byte stream", async () => {
    let pulls = 0;
    const stream = new ReadableStream({
        type: "bytes",
        pull(c) {
            if (pulls++ < 2) c.enqueue(bytes(pulls));
            else c.close();
        },
    });
    const [one, two] = stream.tee();
    const reader = one.getReader({ mode: "byob" });
    const first = (await reader.read(new Uint8Array(4))).value;
    first[0] = 100; // which the other branch must not see
    same(
        (await all(two)).map(chunk => [...chunk]),
        [[1], [2]]
    );
    same([...(await reader.read(new Uint8Array(4))).value], [2]);
    equal((await reader.read(new Uint8Array(4))).done, true);
});

export default area;
