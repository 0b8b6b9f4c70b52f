import { area, equal, ok, rejects, same, test, throws } from "../harness.js";

const bytesOf = async stream => new Uint8Array(await new Response(stream).arrayBuffer());
const fromHex = text => Uint8Array.from(text.match(/../g), pair => parseInt(pair, 16));
const through = (bytes, stream) => new Blob([bytes]).stream().pipeThrough(stream);
const compress = (bytes, format) => bytesOf(through(bytes, new CompressionStream(format)));
const decompress = (bytes, format) => bytesOf(through(bytes, new DecompressionStream(format)));

test("round trips", async () => {
    const random = crypto.getRandomValues(new Uint8Array(60000));
    const texts = ["", "a", "expected output", "repeat ".repeat(50000)];
    for (const format of ["gzip", "deflate", "deflate-raw"]) {
        for (const data of [...texts.map(text => new TextEncoder().encode(text)), random]) {
            const packed = await compress(data, format);
            const back = await decompress(packed, format);
            equal(back.length, data.length, format);
            ok(
                back.every((byte, i) => byte === data[i]),
                `${format} of ${data.length} bytes`
            );
        }
    }
    ok((await compress(new Uint8Array(100000), "gzip")).length < 500);
});

test("what others compressed", async () => {
    const cases = {
        deflate: "789c4bad28484d2e494d51c82f2d29282d010030ad0624",
        "deflate-raw": "4bad28484d2e494d51c82f2d29282d0100",
        gzip: "1f8b08000000000002034bad28484d2e494d51c82f2d29282d0100b00139b30f000000",
    };
    for (const format in cases) {
        const bytes = await decompress(fromHex(cases[format]), format);
        equal(new TextDecoder().decode(bytes), "expected output", format);
    }
});

test("byte by byte", async () => {
    const packed = await compress(new TextEncoder().encode("one by one ".repeat(100)), "gzip");
    const stream = new DecompressionStream("gzip");
    const text = new Response(stream.readable).text();
    const writer = stream.writable.getWriter();
    for (const byte of packed) await writer.write(Uint8Array.of(byte));
    await writer.close();
    equal(await text, "one by one ".repeat(100));
});

test("bad data", async () => {
    const good = await compress(new TextEncoder().encode("some text"), "deflate");
    await rejects(TypeError, decompress(good.subarray(0, good.length - 1), "deflate"), "cut");
    await rejects(TypeError, decompress(good, "gzip"), "of another format");
    await rejects(TypeError, decompress(new Uint8Array(0), "gzip"), "nothing");
    const longer = new Uint8Array(good.length + 1);
    longer.set(good);
    await rejects(TypeError, decompress(longer, "deflate"), "too long");
    const changed = good.slice();
    changed[changed.length - 1] ^= 1;
    await rejects(TypeError, decompress(changed, "deflate"), "a wrong checksum");
    throws(TypeError, () => new CompressionStream("br!"));
    throws(TypeError, () => new DecompressionStream());
    throws(TypeError, () => new CompressionStream("toString"));
    const stream = new CompressionStream("gzip");
    const result = bytesOf(stream.readable);
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    await rejects(TypeError, writer.write("text"), "text");
    await rejects(TypeError, result, "what comes out of text");
});

test("many streams do not fill the memory", async () => {
    for (let i = 0; i < 300; i++) {
        const stream = new CompressionStream("deflate-raw");
        const writer = stream.writable.getWriter();
        writer.write(new Uint8Array(10)).catch(() => {});
        stream.readable.cancel();
    }
    same([...(await decompress(await compress(Uint8Array.of(1, 2), "gzip"), "gzip"))], [1, 2]);
});

test("16 MiB stream through, a piece at a time", async () => {
    const piece = new Uint8Array(65536).map((_, i) => i * 7);
    let left = 256;
    const source = new ReadableStream({
        pull(controller) {
            if (left-- > 0) controller.enqueue(piece);
            else controller.close();
        },
    });
    let size = 0;
    const both = source
        .pipeThrough(new CompressionStream("gzip"))
        .pipeThrough(new DecompressionStream("gzip"));
    for await (const chunk of both) size += chunk.length;
    equal(size, 256 * 65536);
});

export default area;
