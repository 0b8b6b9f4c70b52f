import zlib from "node:zlib";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { inherits, promisify } from "node:util";
import { behaviours } from "./behaviours.js";

const text = "some text, some text, some text ".repeat(50);

export const handler = () =>
    behaviours({
        gzip: () => zlib.gunzipSync(zlib.gzipSync(text)).toString() === text,
        "gzip's head": () => [...zlib.gzipSync("a").subarray(0, 4)],
        deflate: () => zlib.inflateSync(zlib.deflateSync(Buffer.from(text))).toString() === text,
        raw: () => zlib.inflateRawSync(zlib.deflateRawSync(text)).toString() === text,
        unzip: () =>
            [zlib.gzipSync("g"), zlib.deflateSync("d")].map(bytes => String(zlib.unzipSync(bytes))),
        "from Node": () => String(zlib.inflateSync(Buffer.from("eJzLSM3JyQcABiwCFQ==", "base64"))),
        level: () => zlib.gzipSync(text, { level: 0 }).length > text.length,
        "level, bad": () => zlib.gzipSync(text, { level: 10 }),
        callback: async () => String(await promisify(zlib.gunzip)(await promisify(zlib.gzip)("x"))),
        streams: async () => {
            const unzipped = zlib.createGunzip();
            const done = pipeline(Readable.from([text, text]), zlib.createGzip(), unzipped);
            const all = await buffer(unzipped);
            await done;
            return all.length;
        },
        "class names": () => [
            zlib.createGzip() instanceof zlib.Gzip,
            zlib.createInflate().constructor.name,
        ],
        "coders of before classes": async () => {
            function Own(options) {
                zlib.Gunzip.call(this, options);
                this.own = 1;
            }
            Own.prototype.twice = () => 2;
            inherits(Own, zlib.Gunzip);
            const own = new Own();
            own.end(zlib.gzipSync(text));
            const all = await buffer(own);
            return [all.length, own.own, own.twice(), own instanceof zlib.Gunzip];
        },
        "a coder's handle": () => {
            const coder = zlib.createInflate({ chunkSize: 64 });
            const from = zlib.deflateSync(text);
            const parts = [];
            let [left, room] = [from.length, 0];
            while (room === 0) {
                const to = Buffer.alloc(coder._chunkSize);
                const at = from.length - left;
                const state = coder._handle.writeSync(4, from, at, left, to, 0, 64);
                [left, room] = state ?? [...coder._writeState].reverse();
                parts.push(to.subarray(0, 64 - room));
            }
            coder._handle.close();
            coder._handle = null;
            return [String(Buffer.concat(parts)) === text, coder._handle];
        },
        crc32: () => [zlib.crc32("hello"), zlib.crc32(Buffer.from("lo"), zlib.crc32("hel"))],
        "crc32, bad": () => zlib.crc32(5),
        constants: () => [zlib.constants.Z_BEST_COMPRESSION, zlib.codes.Z_DATA_ERROR],
        "not compressed": () => zlib.inflateSync(Buffer.from("nothing")),
        "cut short": () => zlib.gunzipSync(zlib.gzipSync(text).subarray(0, 20)),
        "bad input": () => zlib.gzipSync(5),
        "too large": () => {
            try {
                zlib.gunzipSync(zlib.gzipSync(text), { maxOutputLength: 10 });
            } catch (error) {
                return [error.name, error.code];
            }
            return "fits";
        },
    });
