// The next tenant: looks at all memory that it can get without writing to it. Answers with what is not zero.
const found = [];

function look(what, buffer) {
    const bytes = new Uint8Array(buffer);
    for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] === 0) continue;
        const text = String.fromCharCode(...bytes.slice(i, i + 40).filter(c => c > 31 && c < 127));
        found.push(`${what} of ${bytes.length} at ${i}: ${text}`);
        return;
    }
}

function lookAtBuffers() {
    for (const size of [8, 16, 40, 64, 500, 4096, 40_000, 300_000, 3_000_000]) {
        for (let i = 0; i < (size < 5000 ? 50 : 2); i++) look("ArrayBuffer", new ArrayBuffer(size));
        look("typed array", new Float64Array(size / 8).buffer);
        look("of a length", Uint8Array.from({ length: Math.min(size, 500) }).buffer);
        look("grown", new ArrayBuffer(8).transfer?.(size) ?? new ArrayBuffer(0));
        const resizable = new ArrayBuffer(8, { maxByteLength: size });
        resizable.resize?.(size);
        look("resized", resizable);
    }
    const memory = new WebAssembly.Memory({ initial: 2 });
    look("WebAssembly memory", memory.buffer);
    memory.grow(3);
    look("grown WebAssembly memory", memory.buffer);
}

// What follows the bytes that natives write: the rest of the buffers they make.
async function lookAtApis() {
    const target = new Uint8Array(5000);
    new TextEncoder().encodeInto("", target);
    look("encodeInto", target.buffer);
    look("after encode()", new TextEncoder().encode("").buffer);
    for (const value of [new Uint8Array(0), new Uint8Array(3000)]) {
        look("clone", structuredClone(value).buffer);
        look("blob", await new Blob([value]).arrayBuffer());
        const packed = new Response(value).body.pipeThrough(new CompressionStream("deflate"));
        const plain = packed.pipeThrough(new DecompressionStream("deflate"));
        for await (const chunk of plain) look("decompressed", chunk.buffer);
    }
    const array = new Array(5000);
    if (array.some(() => true)) found.push("an array's holes");
}

export default {
    async fetch() {
        lookAtBuffers();
        await lookAtApis();
        return new Response(found.slice(0, 5).join("\n"));
    },
};
