"use strict";
// The methods of Buffer that read and write numbers, with Node's names for each.
const { checkNumber, failure, invalidType, outOfRange } = require("./errors.cjs");

const beyondBuffer = name =>
    failure(
        RangeError,
        "ERR_BUFFER_OUT_OF_BOUNDS",
        name
            ? `"${name}" is outside of buffer bounds`
            : "Attempt to access memory outside buffer bounds"
    );

// An offset that is none, or lies beyond the last place where a number fits.
function badOffset(value, last, name) {
    if (Math.floor(value) !== value) return outOfRange(name ?? "offset", "an integer", value);
    if (last < 0) return beyondBuffer();
    return outOfRange(name ?? "offset", `>= ${name ? 1 : 0} and <= ${last}`, value);
}

function checkOffset(buffer, offset, size) {
    checkNumber(offset, "offset");
    if (buffer[offset] === undefined || buffer[offset + size - 1] === undefined)
        throw badOffset(offset, buffer.length - size);
}

function checkSize(size) {
    if (typeof size !== "number") throw invalidType("byteLength", "number", size);
    if (!Number.isInteger(size) || size < 1 || size > 6) throw badOffset(size, 6, "byteLength");
}

const viewOf = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength);

// The range as Node tells it; `size` in bytes.
function rangeOf(size, signed, isBig) {
    const n = isBig ? "n" : "";
    const bits = size * 8;
    if (size > 4)
        return signed
            ? `>= -(2${n} ** ${bits - 1}${n}) and < 2${n} ** ${bits - 1}${n}`
            : `>= 0${n} and < 2${n} ** ${bits}${n}`;
    return signed
        ? `>= ${-(2 ** (bits - 1))} and <= ${2 ** (bits - 1) - 1}`
        : `>= 0 and <= ${2 ** bits - 1}`;
}

function checkValue(value, size, signed) {
    const isBig = typeof value === "bigint";
    const base = isBig ? 2n : 2;
    const bits = isBig ? BigInt(size * 8) : size * 8;
    const one = isBig ? 1n : 1;
    const min = signed ? -(base ** (bits - one)) : isBig ? 0n : 0;
    const end = signed ? base ** (bits - one) : base ** bits;
    if (value < min || value > end - one)
        throw outOfRange("value", rangeOf(size, signed, isBig), value);
}

// --- One to six bytes, by arithmetic ---

function readInteger(buffer, offset, size, little, signed) {
    let value = 0;
    for (let i = 0; i < size; i++)
        value = value * 256 + buffer[offset + (little ? size - 1 - i : i)];
    return signed && value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value;
}

function writeInteger(buffer, value, offset, size, little) {
    let rest = Math.trunc(value) || 0;
    if (rest < 0) rest += 2 ** (size * 8);
    for (let i = 0; i < size; i++) {
        buffer[offset + (little ? i : size - 1 - i)] = rest % 256;
        rest = Math.floor(rest / 256);
    }
    return offset + size;
}

function addSized(prototype, name, size, little, signed) {
    prototype[`read${name}`] = function (offset = 0) {
        checkOffset(this, offset, size);
        return readInteger(this, offset, size, little, signed);
    };
    prototype[`write${name}`] = function (value, offset = 0) {
        value = +value;
        if (size === 1) checkNumber(offset, "offset");
        checkValue(value, size, signed);
        checkOffset(this, offset, size);
        return writeInteger(this, value, offset, size, little);
    };
}

function addUnsized(prototype, name, little, signed) {
    prototype[`read${name}`] = function (offset, size) {
        if (offset === undefined) throw invalidType("offset", "number", offset);
        checkSize(size);
        checkOffset(this, offset, size);
        return readInteger(this, offset, size, little, signed);
    };
    prototype[`write${name}`] = function (value, offset, size) {
        checkSize(size);
        value = +value;
        checkValue(value, size, signed);
        checkOffset(this, offset, size);
        return writeInteger(this, value, offset, size, little);
    };
}

// --- What a DataView reads ---

function addViewed(prototype, name, size, little, kind, check) {
    prototype[`read${name}`] = function (offset = 0) {
        checkOffset(this, offset, size);
        return viewOf(this)[`get${kind}`](offset, little);
    };
    prototype[`write${name}`] = function (value, offset = 0) {
        const number = check(value);
        checkOffset(this, offset, size);
        if (size === 8 && kind.startsWith("Big")) refuseNumber(value);
        viewOf(this)[`set${kind}`](offset, number, little);
        return offset + size;
    };
}

function refuseNumber(value) {
    if (typeof value === "bigint") return;
    throw new TypeError("Cannot mix BigInt and other types, use explicit conversions");
}

function checkBig(value, signed) {
    checkValue(value, 8, signed);
    return value;
}

exports.beyondBuffer = beyondBuffer;

exports.addNumbers = prototype => {
    for (const [end, little] of [
        ["LE", true],
        ["BE", false],
    ]) {
        for (const bits of [16, 32]) {
            addSized(prototype, `Int${bits}${end}`, bits / 8, little, true);
            for (const u of ["UInt", "Uint"])
                addSized(prototype, `${u}${bits}${end}`, bits / 8, little, false);
        }
        addUnsized(prototype, `Int${end}`, little, true);
        for (const u of ["UInt", "Uint"]) {
            addUnsized(prototype, `${u}${end}`, little, false);
            addViewed(prototype, `Big${u}64${end}`, 8, little, "BigUint64", value =>
                checkBig(value, false)
            );
        }
        addViewed(prototype, `BigInt64${end}`, 8, little, "BigInt64", value =>
            checkBig(value, true)
        );
        addViewed(prototype, `Float${end}`, 4, little, "Float32", Number);
        addViewed(prototype, `Double${end}`, 8, little, "Float64", Number);
    }
    addSized(prototype, "Int8", 1, true, true);
    for (const u of ["UInt", "Uint"]) addSized(prototype, `${u}8`, 1, true, false);
};
