"use strict";
// BlockList of node:net.
const { checkInteger, checkString, failure, invalidType, invalidValue } = require("./errors.cjs");

const sizes = { ipv4: 32, ipv6: 128 };

const ofV4 = text => text.split(".").reduce((value, byte) => value * 256n + BigInt(byte), 0n);

function ofV6(text) {
    const plain = text.replace(/%.*$/, "").replace(/(\d+\.\d+\.\d+\.\d+)$/, v4 => {
        const value = ofV4(v4);
        return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
    });
    const [head, tail] = plain.split("::").map(half => (half === "" ? [] : half.split(":")));
    const groups = tail
        ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail]
        : head;
    return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group || 0}`), 0n);
}

const mapped = 0xffffn << 32n; // where IPv4 is in IPv6

function numberOf(address, family, name) {
    checkString(address, name);
    checkString(family, "family");
    const { isIPv4, isIPv6 } = require("./net.cjs");
    if (!(family in sizes)) throw invalidValue("family", family);
    if (!(family === "ipv4" ? isIPv4 : isIPv6)(address))
        throw failure(Error, "ERR_INVALID_ADDRESS", "Invalid address");
    return family === "ipv4" ? ofV4(address) : ofV6(address);
}

class BlockList {
    #ranges = []; // [family, first, last, text]

    addAddress(address, family = "ipv4") {
        const value = numberOf(address, family, "address");
        this.#ranges.unshift([family, value, value, `Address: ${named(family)} ${address}`]);
    }

    addRange(start, end, family = "ipv4") {
        const [first, last] = [numberOf(start, family, "start"), numberOf(end, family, "end")];
        if (first > last) throw invalidValue("start", start, "must come before end");
        this.#ranges.unshift([family, first, last, `Range: ${named(family)} ${start}-${end}`]);
    }

    addSubnet(net, prefix, family = "ipv4") {
        const value = numberOf(net, family, "net");
        checkInteger(prefix, "prefix", 0, sizes[family]);
        const rest = BigInt(sizes[family] - prefix);
        const first = (value >> rest) << rest;
        const text = `Subnet: ${named(family)} ${net}/${prefix}`;
        this.#ranges.unshift([family, first, first + (1n << rest) - 1n, text]);
    }

    check(address, family = "ipv4") {
        if (typeof address !== "string") throw invalidType("address", "string", address);
        let value;
        try {
            value = numberOf(address, family, "address");
        } catch {
            return false;
        }
        const isV4 = family === "ipv6" && value >> 32n === 0xffffn;
        return this.#ranges.some(
            ([kind, first, last]) =>
                (kind === family && value >= first && value <= last) ||
                (kind === "ipv4" && isV4 && value - mapped >= first && value - mapped <= last)
        );
    }

    get rules() {
        return this.#ranges.map(([, , , text]) => text);
    }

    static isBlockList(value) {
        return value instanceof BlockList;
    }
}

const named = family => (family === "ipv4" ? "IPv4" : "IPv6");

module.exports = { BlockList };
