import stream, {
    Duplex,
    PassThrough,
    Readable,
    Transform,
    Writable,
    finished,
    pipeline,
} from "node:stream";
import { pipeline as piped } from "node:stream/promises";

const upper = () =>
    new Transform({
        transform(chunk, encoding, done) {
            done(null, chunk.toString().toUpperCase());
        },
    });

async function collected(readable) {
    const chunks = [];
    for await (const chunk of readable) chunks.push(String(chunk));
    return chunks;
}

async function transformed() {
    const chunks = [];
    const target = new Writable({
        decodeStrings: false,
        write(chunk, encoding, done) {
            chunks.push([String(chunk), encoding]);
            done();
        },
    });
    await piped(Readable.from(["a", "ü"]), upper(), target);
    return chunks;
}

function failing() {
    return new Promise(resolve => {
        const source = new Readable({
            read() {
                this.destroy(new Error("broken"));
            },
        });
        pipeline(source, new PassThrough(), error => resolve([error.message, source.destroyed]));
    });
}

async function pushed() {
    const seen = [];
    const source = new Readable({ objectMode: true, read() {} });
    source.on("data", value => seen.push(value)).on("end", () => seen.push("end"));
    [1, { two: 2 }, null].forEach(value => source.push(value));
    await new Promise(resolve => finished(source, resolve));
    return seen;
}

async function backpressure() {
    const target = new Writable({
        highWaterMark: 3,
        write: (chunk, encoding, done) => queueMicrotask(done),
    });
    const answers = [target.write("ab"), target.write("cd"), target.writableLength];
    await new Promise(resolve => target.once("drain", resolve));
    target.end();
    await new Promise(resolve => target.once("finish", resolve));
    return [...answers, target.writableEnded, target.writableFinished];
}

function written() {
    const target = new PassThrough();
    target.end("x");
    return new Promise(resolve => {
        target.once("error", error => resolve([error.code, error.name]));
        target.write("late");
    });
}

export const handler = async () => ({
    collected: await collected(Readable.from(["a", "b"]).map(x => x + x)),
    encoded: await collected(
        Readable.from([Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)], {
            objectMode: false,
        }).setEncoding("utf8")
    ),
    transformed: await transformed(),
    failing: await failing(),
    pushed: await pushed(),
    backpressure: await backpressure(),
    written: await written(),
    duplex: await collected(
        Duplex.from(async function* () {
            yield "d";
        })
    ),
    classes: [
        stream.Readable === Readable,
        new PassThrough() instanceof stream,
        typeof stream.promises.finished,
    ],
});
