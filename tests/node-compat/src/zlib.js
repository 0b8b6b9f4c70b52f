import zlib from "node:zlib";
import { pipeline } from "node:stream/promises";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { promisify } from "node:util";
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
