"use strict";
// node:buffer. A Buffer is a Uint8Array of its own memory; wherever Node takes a Buffer it takes any
// Uint8Array.
const errors = require("./errors.cjs");
const { encodings, nameOf, writeInto } = require("./buffer_encodings.cjs");
const { addNumbers, beyondBuffer } = require("./buffer_numbers.cjs");

const { checkInteger, checkNumber, checkString, failure, invalidType, invalidValue, outOfRange } =
    errors;

const kMaxLength = Number.MAX_SAFE_INTEGER;
const kStringMaxLength = 0x1fffffe8;
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

class FastBuffer extends Uint8Array {}

function Buffer(value, encodingOrOffset, length) {
    if (typeof value !== "number") return Buffer.from(value, encodingOrOffset, length);
    if (typeof encodingOrOffset === "string") throw invalidType("string", "string", value);
    return Buffer.alloc(value);
}
Object.setPrototypeOf(Buffer, Uint8Array);
Object.defineProperty(Buffer, "name", { value: "Buffer" }); // bundlers rename
Buffer.prototype = FastBuffer.prototype;
Object.defineProperty(FastBuffer.prototype, "constructor", {
    value: Buffer,
    writable: true,
    configurable: true,
});

const isUint8Array = value => value instanceof Uint8Array;
const isAnyBuffer = value =>
    value instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer === "function" && value instanceof SharedArrayBuffer);

const unknownEncoding = encoding =>
    failure(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);

function encodingOf(encoding) {
    if (encoding === undefined) return "utf8";
    const name = nameOf(`${encoding}`);
    if (name === undefined) throw unknownEncoding(encoding);
    return name;
}

function checkBytes(value, name) {
    if (!isUint8Array(value)) throw invalidType(name, ["Buffer", "Uint8Array"], value);
}

const viewed = bytes => new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);

// --- Making buffers ---

function fromText(text, encoding) {
    const name = typeof encoding === "string" && encoding ? encodingOf(encoding) : "utf8";
    return text.length === 0 ? new FastBuffer() : viewed(encodings[name].encode(text));
}

function fromArrayBuffer(buffer, offset, length) {
    const start = offset === undefined ? 0 : +offset || 0;
    const most = buffer.byteLength - start;
    if (most < 0) throw beyondBuffer("offset");
    if (length === undefined) return new FastBuffer(buffer, start, most);
    const size = +length > 0 ? +length : 0;
    if (size > most) throw beyondBuffer("length");
    return new FastBuffer(buffer, start, size);
}

const fromList = list => (list.length > 0 ? new FastBuffer(list) : new FastBuffer());

function fromObject(object) {
    if (object.length !== undefined || isAnyBuffer(object.buffer))
        return typeof object.length === "number" ? fromList(object) : new FastBuffer();
    return object.type === "Buffer" && Array.isArray(object.data)
        ? fromList(object.data)
        : undefined;
}

Buffer.from = function from(value, encodingOrOffset, length) {
    if (typeof value === "string") return fromText(value, encodingOrOffset);
    if (typeof value === "object" && value !== null) {
        if (isAnyBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
        const inner = value.valueOf?.();
        if (
            inner !== null &&
            inner !== value &&
            (typeof inner === "string" || typeof inner === "object")
        )
            return Buffer.from(inner, encodingOrOffset, length);
        const made = fromObject(value);
        if (made) return made;
        const primitive = value[Symbol.toPrimitive]?.("string");
        if (typeof primitive === "string") return fromText(primitive, encodingOrOffset);
    }
    const kinds = ["string", "Buffer", "ArrayBuffer", "Array", "Array-like Object"];
    throw invalidFirst(kinds, value);
};

function invalidFirst(kinds, value) {
    const message =
        `The first argument must be of type string or an instance of ${kinds.slice(1, -1).join(", ")}` +
        ` or ${"an Array-like Object"}. ${errors.received(value)}`;
    return failure(
        TypeError,
        "ERR_INVALID_ARG_TYPE",
        message.replace(", Array or an", ", or Array or an")
    );
}

Buffer.copyBytesFrom = function copyBytesFrom(view, offset, length) {
    if (!ArrayBuffer.isView(view) || view instanceof DataView)
        throw invalidType("view", ["TypedArray"], view);
    const start = offset ?? 0;
    if (offset !== undefined) checkInteger(offset, "offset", 0);
    if (start >= view.length) return new FastBuffer();
    if (length !== undefined) checkInteger(length, "length", 0);
    const copy = view.slice(start, length === undefined ? view.length : start + length);
    return viewed(copy);
};

Buffer.of = (...values) => fromList(values);

const checkedSize = size => {
    checkNumber(size, "size", 0, kMaxLength);
    return size;
};

Buffer.alloc = function alloc(size, fill, encoding) {
    const buffer = new FastBuffer(checkedSize(size));
    return fill !== undefined && fill !== 0 && size > 0 ? buffer.fill(fill, encoding) : buffer;
};
Buffer.allocUnsafe = size => new FastBuffer(checkedSize(size));
Buffer.allocUnsafeSlow = size => new FastBuffer(checkedSize(size));
Buffer.poolSize = 8192;

// --- Of no buffer alone ---

Buffer.isBuffer = value => value instanceof Buffer;
Buffer.isEncoding = encoding =>
    typeof encoding === "string" && encoding.length > 0 && nameOf(encoding) !== undefined;

Buffer.byteLength = function byteLength(value, encoding) {
    if (typeof value === "string") return encodings[nameOf(encoding) ?? "utf8"].size(value);
    if (ArrayBuffer.isView(value) || isAnyBuffer(value)) return value.byteLength;
    throw invalidType("string", ["string", "Buffer", "ArrayBuffer"], value);
};

function order(a, b) {
    const size = Math.min(a.length, b.length);
    for (let i = 0; i < size; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
}

Buffer.compare = function compare(a, b) {
    checkBytes(a, "buf1");
    checkBytes(b, "buf2");
    return order(a, b);
};

Buffer.concat = function concat(list, length) {
    if (!Array.isArray(list)) throw invalidType("list", "Array", list);
    if (list.length === 0) return new FastBuffer();
    if (length !== undefined) checkInteger(length, "length", 0);
    let size = 0;
    list.forEach((bytes, i) => {
        checkBytes(bytes, `list[${i}]`);
        size += bytes.length;
    });
    const buffer = new FastBuffer(length ?? size);
    let at = 0;
    for (const bytes of list) {
        if (at >= buffer.length) break;
        buffer.set(bytes.subarray(0, buffer.length - at), at);
        at += bytes.length;
    }
    return buffer;
};

// --- Texts ---

const methods = {
    toString(encoding, start, end) {
        const { length } = this;
        const first = start > 0 ? Math.trunc(start) || 0 : 0;
        const last = end === undefined || end >= length ? length : Math.trunc(end) || 0;
        if (last <= first) return "";
        return encodings[encodingOf(encoding)].decode(
            Uint8Array.prototype.subarray.call(this, first, last)
        );
    },

    write(text, offset, length, encoding) {
        if (typeof text !== "string")
            throw failure(TypeError, "ERR_INVALID_ARG_TYPE", "argument must be a string");
        if (typeof offset === "string" && length === undefined) [encoding, offset] = [offset, 0];
        if (offset === undefined) return writeInto("utf8", this, text);
        checkInteger(offset, "offset", 0, this.length);
        if (typeof length === "string") [encoding, length] = [length, undefined];
        if (length !== undefined) checkInteger(length, "length", 0, this.length);
        const end = length === undefined ? this.length : Math.min(offset + length, this.length);
        const room = Uint8Array.prototype.subarray.call(this, offset, end);
        return writeInto(encoding ? encodingOf(encoding) : "utf8", room, text);
    },

    fill(value, offset, end, encoding) {
        if (typeof value === "string") {
            if (offset === undefined || typeof offset === "string")
                [encoding, offset, end] = [offset, undefined, undefined];
            else if (typeof end === "string") [encoding, end] = [end, undefined];
            if (encoding !== undefined && encoding !== null) checkString(encoding, "encoding");
        }
        const pattern = patternOf(value, encoding || undefined);
        if (offset !== undefined) checkInteger(offset, "offset", 0);
        if (offset !== undefined && end !== undefined) checkInteger(end, "end", 0, this.length);
        const first = offset ?? 0;
        const last = offset === undefined ? this.length : (end ?? this.length);
        if (first >= last) return this;
        if (typeof pattern === "number")
            return Uint8Array.prototype.fill.call(this, pattern, first, last);
        if (pattern.length === 0) throw invalidValue("value", value);
        for (let at = first; at < last; at += pattern.length)
            this.set(pattern.subarray(0, last - at), at);
        return this;
    },

    toJSON() {
        return { type: "Buffer", data: Array.from(this) };
    },

    [inspectCustom]() {
        const max = module.exports.INSPECT_MAX_BYTES;
        const shown = [...Uint8Array.prototype.subarray.call(this, 0, max)];
        const hex = shown.map(byte => byte.toString(16).padStart(2, "0")).join(" ");
        const more = this.length - max;
        const rest = more > 0 ? ` ... ${more} more byte${more > 1 ? "s" : ""}` : "";
        return `<${this.constructor.name}${hex ? " " : ""}${hex}${rest}>`;
    },

    // --- Comparing and searching ---

    equals(other) {
        checkBytes(other, "otherBuffer");
        return this === other || (this.length === other.length && order(this, other) === 0);
    },

    compare(target, targetStart = 0, targetEnd, sourceStart = 0, sourceEnd) {
        checkBytes(target, "target");
        checkInteger(targetStart, "targetStart", 0);
        if (targetEnd !== undefined) checkInteger(targetEnd, "targetEnd", 0, target.length);
        checkInteger(sourceStart, "sourceStart", 0);
        if (sourceEnd !== undefined) checkInteger(sourceEnd, "sourceEnd", 0, this.length);
        const part = (bytes, start, end) =>
            Uint8Array.prototype.subarray.call(bytes, start, Math.max(start, end ?? bytes.length));
        return order(part(this, sourceStart, sourceEnd), part(target, targetStart, targetEnd));
    },

    indexOf(value, offset, encoding) {
        return search(this, value, offset, encoding, true);
    },

    lastIndexOf(value, offset, encoding) {
        return search(this, value, offset, encoding, false);
    },

    includes(value, offset, encoding) {
        return search(this, value, offset, encoding, true) >= 0;
    },

    // --- Parts ---

    copy(target, targetStart, sourceStart, sourceEnd) {
        if (!ArrayBuffer.isView(target))
            throw invalidType("target", ["Buffer", "Uint8Array"], target);
        const to = position(targetStart, 0);
        const from = position(sourceStart, 0);
        const end = position(sourceEnd, this.byteLength);
        if (to < 0) throw outOfRange("targetStart", ">= 0", to);
        if (from < 0 || from > this.byteLength)
            throw outOfRange("sourceStart", `>= 0 && <= ${this.byteLength}`, from);
        if (end < 0) throw outOfRange("sourceEnd", ">= 0", end);
        const all = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
        const size = Math.min(end - from, all.length - to, this.length - from);
        if (to >= all.length || size <= 0) return 0;
        all.set(Uint8Array.prototype.subarray.call(this, from, from + size), to);
        return size;
    },

    subarray(start, end) {
        const { length } = this;
        const at = value => {
            const offset = Math.trunc(value) || 0;
            return offset < 0 ? Math.max(offset + length, 0) : Math.min(offset, length);
        };
        const first = at(start);
        const last = end === undefined ? length : at(end);
        return new FastBuffer(this.buffer, this.byteOffset + first, Math.max(last - first, 0));
    },

    slice(start, end) {
        return methods.subarray.call(this, start, end);
    },
};
methods.toLocaleString = methods.toString;
methods.inspect = methods[inspectCustom];

function position(value, otherwise) {
    if (value === undefined) return otherwise;
    const number = Math.floor(+value);
    return Number.isSafeInteger(number) ? number : 0;
}

function patternOf(value, encoding) {
    if (typeof value === "string")
        return value === ""
            ? (encodingOf(encoding), 0)
            : encodings[encodingOf(encoding)].encode(value);
    if (ArrayBuffer.isView(value))
        return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return Number(value) & 255;
}

// --- Searching ---

// Where a search begins, as Node counts; -1 for nowhere.
function startOf(length, offset, size, forward) {
    if (offset < 0) {
        if (offset + length >= 0) return length + offset;
        return forward || size === 0 ? 0 : -1;
    }
    if (offset + size <= length) return offset;
    if (size === 0) return length;
    return forward ? -1 : length - 1;
}

function search(buffer, value, offset, encoding, forward) {
    if (!ArrayBuffer.isView(buffer))
        throw invalidType("buffer", ["Buffer", "TypedArray", "DataView"], buffer);
    if (typeof offset === "string") [encoding, offset] = [offset, undefined];
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    let at = Math.min(Math.max(Math.trunc(+offset), -(2 ** 31)), 2 ** 31 - 1);
    if (Number.isNaN(at)) at = forward ? 0 : bytes.length;
    if (typeof value === "number") return searchByte(bytes, value & 255, at, forward);
    const unit = encodings[nameOf(encoding) ?? "utf8"].unit;
    if (typeof value === "string") {
        const needle = encodings[encodingOf(encoding)].encode(value);
        return searchBytes(bytes, needle, at, unit, forward);
    }
    if (isUint8Array(value)) return searchBytes(bytes, value, at, unit, forward);
    throw invalidType("value", ["number", "string", "Buffer", "Uint8Array"], value);
}

function searchByte(bytes, byte, offset, forward) {
    const start = startOf(bytes.length, offset, 1, forward);
    if (start < 0 || bytes.length === 0) return -1;
    return forward ? bytes.indexOf(byte, start) : bytes.lastIndexOf(byte, start);
}

function searchBytes(bytes, needle, offset, unit, forward) {
    const start = startOf(bytes.length, offset, needle.length, forward);
    if (needle.length === 0) return start;
    const last = bytes.length - needle.length;
    if (start < 0 || last < 0 || (unit === 2 && needle.length < 2)) return -1;
    const step = forward ? 1 : -1;
    const fits = at => at % unit === 0 && needle.every((byte, i) => bytes[at + i] === byte);
    const next = at =>
        forward ? bytes.indexOf(needle[0], at) : at < 0 ? -1 : bytes.lastIndexOf(needle[0], at);
    let at = next(forward ? start : Math.min(start, last));
    while (at >= 0 && at <= last) {
        if (fits(at)) return at;
        at = next(at + step);
    }
    return -1;
}

// --- All methods ---

for (const name of Reflect.ownKeys(methods))
    Object.defineProperty(Buffer.prototype, name, {
        value: methods[name],
        writable: true,
        configurable: true,
        enumerable: typeof name === "string",
    });

const shortNames = { ucs2: "utf16le" };
for (const short of ["ascii", "base64", "base64url", "latin1", "hex", "ucs2", "utf8"]) {
    const name = shortNames[short] ?? short;
    Buffer.prototype[`${short}Slice`] = function (start = 0, end = this.length) {
        return methods.toString.call(this, name, start, end);
    };
    Buffer.prototype[`${short}Write`] = function (text, offset = 0, length = this.length - offset) {
        checkString(text, "argument");
        if (offset < 0 || offset > this.length) throw beyondBuffer("offset");
        return methods.write.call(this, text, offset, Math.min(length, this.length - offset), name);
    };
}

function addSwap(size) {
    Buffer.prototype[`swap${size * 8}`] = function () {
        if (this.length % size !== 0)
            throw failure(
                RangeError,
                "ERR_INVALID_BUFFER_SIZE",
                `Buffer size must be a multiple of ${size * 8}-bits`
            );
        for (let at = 0; at < this.length; at += size)
            Uint8Array.prototype.subarray.call(this, at, at + size).reverse();
        return this;
    };
}
[2, 4, 8].forEach(addSwap);
addNumbers(Buffer.prototype);

for (const [name, key] of [
    ["parent", "buffer"],
    ["offset", "byteOffset"],
])
    Object.defineProperty(Buffer.prototype, name, {
        enumerable: true,
        get() {
            return this instanceof Buffer ? this[key] : undefined;
        },
    });

// Old packages call it without `new`.
function SlowBuffer(size) {
    return Buffer.allocUnsafeSlow(size);
}
Object.setPrototypeOf(SlowBuffer.prototype, Uint8Array.prototype);
Object.setPrototypeOf(SlowBuffer, Uint8Array);

// --- The module ---

const allBytes = (value, name) => {
    if (ArrayBuffer.isView(value))
        return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (isAnyBuffer(value)) return new Uint8Array(value);
    throw invalidType(name, ["ArrayBuffer", "Buffer", "TypedArray"], value);
};

function isUtf8(input) {
    try {
        new TextDecoder("utf-8", { fatal: true }).decode(allBytes(input, "input"));
        return true;
    } catch (error) {
        if (error.code === "ERR_INVALID_ARG_TYPE") throw error;
        return false;
    }
}

const transcodable = ["utf8", "utf16le", "latin1", "ascii"];

// A character that the other encoding does not have becomes "?".
function transcode(source, from, to) {
    checkBytes(source, "source");
    const names = [nameOf(from), nameOf(to)];
    if (!names.every(name => transcodable.includes(name)))
        throw Object.assign(new Error("Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]"), {
            code: "U_ILLEGAL_ARGUMENT_ERROR",
            errno: 1,
        });
    const text = encodings[names[0]].decode(source);
    const most = { latin1: 0xff, ascii: 0x7f }[names[1]];
    const kept =
        most === undefined
            ? text
            : Array.from(text, c => (c.codePointAt(0) > most ? "?" : c)).join("");
    return viewed(encodings[names[1]].encode(kept));
}

module.exports = {
    Buffer,
    SlowBuffer,
    INSPECT_MAX_BYTES: 50,
    kMaxLength,
    kStringMaxLength,
    constants: { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength },
    isUtf8,
    isAscii: input => allBytes(input, "input").every(byte => byte < 0x80),
    transcode,
    // Looked up on first use: a web API that nothing touches is in no snapshot.
    resolveObjectURL: url => {
        throw errors.failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            `buffer.resolveObjectURL(${url}) is not in presets/node-compat`
        );
    },
    get Blob() {
        return globalThis.Blob;
    },
    get File() {
        return globalThis.File;
    },
    atob: text => globalThis.atob(text),
    btoa: text => globalThis.btoa(text),
};

// For packages that look it up in the global object.
const { define, register } = require("./global_object.cjs");
define("Buffer", Buffer);
register("buffer", module.exports);
