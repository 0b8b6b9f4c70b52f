import { Buffer, Blob, File, constants, isAscii, isUtf8 } from "node:buffer";
import bare from "buffer";
import { outcomes } from "./outcome.js";

const text = "zwölf 🥊 \ud800!";
const bytes = Buffer.from([0, 1, 2, 253, 254, 255, 62, 63]);
const encodings = [
    "utf8",
    "utf-8",
    "UTF8",
    "hex",
    "base64",
    "base64url",
    "latin1",
    "binary",
    "ascii",
];
const wide = ["utf16le", "ucs2"];

function numbers() {
    const target = Buffer.alloc(64);
    let at = target.writeUInt8(200);
    at = target.writeInt8(-3, at);
    at = target.writeUInt16BE(0x1234, at);
    at = target.writeInt16LE(-2, at);
    at = target.writeUInt32LE(0xdeadbeef, at);
    at = target.writeInt32BE(-70000, at);
    at = target.writeBigUInt64BE(0x0102030405060708n, at);
    at = target.writeBigInt64LE(-5n, at);
    at = target.writeFloatBE(1.5, at);
    at = target.writeDoubleLE(Math.PI, at);
    at = target.writeUIntBE(0x123456, at, 3);
    return [
        at,
        target.toString("hex"),
        target.readUInt16BE(2),
        target.readInt32BE(10),
        String(target.readBigUInt64BE(14)),
        String(target.readBigInt64LE(22)),
        target.readFloatBE(30),
        target.readDoubleLE(34),
        target.readUIntBE(42, 3),
    ];
}

export const handler = () => ({
    encoded: [...encodings, ...wide].map(name => [
        name,
        bytes.toString(name),
        bytes.toString(name, 1, 6),
    ]),
    decoded: [...encodings, ...wide].map(name => Buffer.from("QUJD_-AAff00", name).toString("hex")),
    lengths: [...encodings, ...wide].map(name => Buffer.byteLength("QUJD_-E", name)),
    known: ["utf8", "BASE64URL", "utf-16le", "none", ""].map(Buffer.isEncoding),
    numbers: numbers(),
    ...outcomes({
        utf8: () => Buffer.from(text).toString(),
        utf8Bytes: () => Buffer.from(text).toString("hex"),
        cutCharacter: () => Buffer.from(text).toString("utf8", 0, 4),
        bom: () => Buffer.from("\ufeffx").toString(),
        json: () => JSON.stringify(Buffer.from("ab")),
        fromJson: () => Buffer.from({ type: "Buffer", data: [1, 2] }).toString("hex"),
        fromArrayBuffer: () => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 2).toString("hex"),
        shares: () => {
            const owner = new Uint8Array([1, 2, 3]);
            Buffer.from(owner.buffer)[0] = 9;
            return owner[0];
        },
        concat: () => Buffer.concat([bytes, Buffer.from("x")], 10).toString("hex"),
        compare: () => [Buffer.compare(bytes, Buffer.from("a")), bytes.equals(Buffer.from(bytes))],
        find: () => [bytes.indexOf(253), bytes.indexOf("/v8=", 0, "base64"), bytes.includes("z")],
        last: () => Buffer.from("abcabc").lastIndexOf("abc"),
        write: () => {
            const target = Buffer.alloc(8, "-");
            return [
                target.write("ÿé", 1, "latin1"),
                target.write("_-8", 4, "base64url"),
                target.toString("hex"),
            ];
        },
        writeName: () => {
            const target = Buffer.alloc(12);
            return [target.write("base64url"), target.toString()];
        },
        fill: () =>
            Buffer.alloc(7, "abc").toString() + Buffer.alloc(4).fill("ff0", "hex").toString("hex"),
        slice: () => {
            const part = bytes.subarray(2, -2);
            part[0] = 7;
            const result = [Buffer.isBuffer(part), part.length, bytes[2]];
            part[0] = 2;
            return result;
        },
        swap: () => Buffer.from("0102030405060708", "hex").swap32().toString("hex"),
        copy: () => {
            const target = Buffer.alloc(4);
            return [bytes.copy(target, 1, 3), target.toString("hex")];
        },
        outOfRange: () => bytes.readUInt32BE(6),
        tooLarge: () => Buffer.alloc(2).writeUInt8(256),
        notText: () => Buffer.from(5),
        unknown: () => bytes.toString("none"),
        isUint8Array: () => [bytes instanceof Uint8Array, Buffer.isBuffer(new Uint8Array(1))],
        same: () => bare.Buffer === Buffer,
        global: () => globalThis.Buffer === undefined || typeof globalThis.Buffer === "function",
        checks: () => [
            isUtf8(Buffer.from(text)),
            isUtf8(bytes),
            isAscii(Buffer.from("a")),
            isAscii(bytes),
        ],
        web: () => [typeof Blob, typeof File, typeof constants.MAX_LENGTH],
    }),
});
