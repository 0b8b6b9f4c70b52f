import {
    Duplex,
    PassThrough,
    Readable,
    Transform,
    Writable,
    duplexPair,
    pipeline,
} from "node:stream";
import { buffer, json, text } from "node:stream/consumers";
import { pipeline as piped } from "node:stream/promises";
import { ReadableStream as WebStream } from "node:stream/web";
import { behaviours } from "./behaviours.js";

const upper = () =>
    new Transform({
        transform(chunk, encoding, done) {
            done(null, String(chunk).toUpperCase());
        },
    });
async function all(stream) {
    const chunks = [];
    for await (const chunk of stream)
        chunks.push(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk));
    return chunks;
}

export const handler = () =>
    behaviours({
        toWeb: () => all(Readable.toWeb(Readable.from(["a", "b"]))),
        "toWeb, bytes": async () => {
            const [chunk] = await Array.fromAsync(
                Readable.toWeb(Readable.from(Buffer.from("ab"), { objectMode: false }))
            );
            return [chunk.constructor.name, chunk.length];
        },
        "toWeb, failing": () =>
            all(
                Readable.toWeb(
                    new Readable({
                        read() {
                            this.destroy(new RangeError("bad"));
                        },
                    })
                )
            ),
        fromWeb: () => all(Readable.fromWeb(new Response("hey").body)),
        "fromWeb, failing": () =>
            all(Readable.fromWeb(new WebStream({ pull: c => c.error(new RangeError("bad")) }))),
        "fromWeb, bad": () => Readable.fromWeb({}),
        "Writable.toWeb": async () => {
            const got = [];
            const sink = new Writable({
                write(chunk, encoding, done) {
                    got.push(String(chunk));
                    done();
                },
            });
            const writer = Writable.toWeb(sink).getWriter();
            await writer.write("a");
            await writer.write("b");
            await writer.close();
            return got;
        },
        "Writable.fromWeb": async () => {
            const got = [];
            const sink = Writable.fromWeb(
                new WritableStream({
                    write: chunk => void got.push(new TextDecoder().decode(chunk)),
                })
            );
            await piped(Readable.from(["a", "b"]), sink);
            return got;
        },
        "Duplex.fromWeb": async () => {
            const duplex = Duplex.fromWeb(new TransformStream());
            duplex.end("x");
            return all(duplex);
        },
        pipeline: () =>
            new Promise((resolve, reject) => {
                const end = new PassThrough();
                pipeline(Readable.from(["a", "b"]), upper(), end, error =>
                    error ? reject(error) : null
                );
                all(end).then(chunks => resolve(chunks.join("")));
            }),
        consumers: async () => [
            await text(Readable.from(["a", "ü"])),
            await json(Readable.from(['{"a":', "1}"])),
            (await buffer(new Response("xyz").body)).toString(),
        ],
        duplexPair: async () => {
            const [a, b] = duplexPair();
            a.end("over");
            return all(b);
        },
        operators: () =>
            Readable.from([1, 2, 3])
                .map(x => x * 2)
                .filter(x => x > 2)
                .toArray(),
        "web response": () =>
            new Response(Readable.toWeb(Readable.from(["p", "q"]).pipe(upper()))).text(),
    });
