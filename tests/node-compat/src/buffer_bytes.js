// Where Node says Buffer it takes any Uint8Array; and how errors are told.
import { Buffer, constants, kMaxLength, transcode } from "node:buffer";
import { inspect } from "node:util";
import { behaviours } from "./behaviours.js";

const utf8 = text => new TextEncoder().encode(text);
const hex = buffer => buffer.toString("hex");

export const handler = () =>
    behaviours({
        indexOf: () => Buffer.from("abc").indexOf(utf8("b")),
        includes: () => Buffer.from("abc").includes(utf8("bc")),
        lastIndexOf: () => Buffer.from("abcab").lastIndexOf(utf8("ab")),
        "indexOf of nothing": () => Buffer.from("abc").indexOf(utf8("")),
        compare: () => Buffer.compare(Buffer.from("a"), utf8("b")),
        equals: () => Buffer.from("a").equals(utf8("a")),
        concat: () => Buffer.concat([utf8("a"), utf8("bc")]).toString(),
        "from bytes": () => hex(Buffer.from(utf8("ab"))),
        "from wide numbers": () => hex(Buffer.from(new Uint16Array([1, 258]))),
        fill: () => Buffer.alloc(5).fill(utf8("bc")).toString(),
        "methods on bytes": () => Buffer.prototype.indexOf.call(utf8("abc"), utf8("c")),
        copy: () => {
            const target = new Uint8Array(4);
            return [Buffer.from("xyz").copy(target, 1, 1), ...target];
        },
        copyBytesFrom: () => hex(Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1)),
        byteLength: () => [utf8("abc"), new ArrayBuffer(3), "zwölf"].map(v => Buffer.byteLength(v)),
        "write, whole characters": () => {
            const buffer = Buffer.alloc(4);
            return [buffer.write("aü€"), hex(buffer), buffer.write("ab", 1, "utf16le")];
        },
        "write, hex and base64": () => {
            const buffer = Buffer.alloc(6);
            return [buffer.write("616263zz", "hex"), buffer.write("YWI", 3, "base64"), hex(buffer)];
        },
        slices: () => [
            Buffer.from("é").latin1Slice(),
            Buffer.from("abc").hexSlice(1, 2),
            Buffer.from("abc").base64urlSlice(),
            Buffer.from("ab").ucs2Slice(),
        ],
        json: () => JSON.stringify(Buffer.from("ab")),
        inspect: () => [inspect(Buffer.from("ab")), inspect(Buffer.alloc(60)).length],
        parent: () => [Buffer.from("a").parent instanceof ArrayBuffer, Buffer.alloc(1).offset],
        constants: () => [kMaxLength, constants.MAX_LENGTH, constants.MAX_STRING_LENGTH],
        isEncoding: () => ["utf-16le", "UCS-2", "base64url", "x", "", 1].map(Buffer.isEncoding),
        transcode: () => [hex(transcode(Buffer.from("€ü"), "utf8", "latin1"))],
        isBuffer: () => [Buffer.isBuffer(Buffer.alloc(1)), Buffer.isBuffer(utf8("a"))],
        subclass: () => [
            Buffer.from("ab")
                .map(x => x + 1)
                .toString(),
            Buffer.name,
            Buffer.length,
        ],
        iterators: () => [...Buffer.from("ab").entries()],
        "numbers of any size": () => {
            const buffer = Buffer.alloc(12);
            buffer.writeIntBE(-123456789012, 0, 6);
            buffer.writeUIntLE(0xabcdef, 6, 3);
            return [hex(buffer), buffer.readIntBE(0, 6), buffer.readUIntLE(6, 3)];
        },
        "bad: from a number": () => Buffer.from(5),
        "bad: from nothing": () => Buffer.from(null),
        "bad: encoding": () => Buffer.from("a", "x"),
        "bad: size": () => Buffer.alloc(-1),
        "bad: value": () => Buffer.alloc(1).writeUInt8(256),
        "bad: offset": () => Buffer.alloc(1).readUInt8(1),
        "bad: no room": () => Buffer.alloc(1).readUInt32LE(0),
        "bad: list": () => Buffer.concat(["a"]),
        "bad: equals": () => Buffer.from("a").equals("a"),
        "bad: indexOf": () => Buffer.from("a").indexOf({}),
        "bad: byteLength": () => Buffer.byteLength(1),
        "bad: fill": () => Buffer.alloc(2).fill("zz", "hex"),
        "bad: swap": () => Buffer.alloc(3).swap16(),
    });
