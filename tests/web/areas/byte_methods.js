// Uint8Array's methods for base64 and hex (ECMAScript 2026).
import { area, bytes, equal, ok, same, test, throws } from "../harness.js";

const list = array => [...array].join(" ");
const decode = (text, options) => list(Uint8Array.fromBase64(text, options));
const wrong = (text, options) =>
    throws(SyntaxError, () => Uint8Array.fromBase64(text, options), text);

// Made at top level, from what a bundler writes for a binary file.
const kept = Uint8Array.fromBase64("AQID");

test("kept from top level", () => {
    equal(list(kept), "1 2 3");
    equal(kept.toHex(), "010203");
});

test("they look like other methods", () => {
    const methods = [
        [Uint8Array, { fromBase64: 1, fromHex: 1 }],
        [Uint8Array.prototype, { setFromBase64: 1, setFromHex: 1, toBase64: 0, toHex: 0 }],
    ];
    for (const [holder, lengths] of methods) {
        for (const [name, length] of Object.entries(lengths)) {
            const found = Object.getOwnPropertyDescriptor(holder, name);
            ok(found.writable && found.configurable && !found.enumerable, name);
            equal(found.value, holder[name], name);
            equal(found.value.name, name);
            equal(found.value.length, length, name);
            equal("prototype" in found.value, false);
            ok(String(found.value).includes("[native code]"));
            throws(TypeError, () => new found.value("00"));
        }
    }
    equal(Object.hasOwn(Int8Array, "fromHex"), false);
    equal("toHex" in Uint8ClampedArray.prototype, false);
});

test("toBase64", () => {
    const texts = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    texts.forEach((text, length) => {
        const array = new TextEncoder().encode("foobar".slice(0, length));
        equal(array.toBase64(), text);
        equal(array.toBase64({ omitPadding: true }), text.replace(/=/g, ""));
    });
    const array = bytes(199, 239, 242, 255);
    equal(array.toBase64(), "x+/y/w==");
    equal(array.toBase64({ alphabet: "base64" }), "x+/y/w==");
    equal(array.toBase64({ alphabet: "base64url" }), "x-_y_w==");
    equal(array.toBase64({ alphabet: "base64url", omitPadding: 1 }), "x-_y_w");
    equal(array.subarray(1, 3).toBase64(), "7/I=");
    for (const options of [null, "", 1, { alphabet: "other" }, { alphabet: Object("base64") }]) {
        throws(TypeError, () => array.toBase64(options), JSON.stringify(options));
    }
    const { toBase64 } = Uint8Array.prototype;
    for (const other of [undefined, [], new Int8Array(1), new Uint8ClampedArray(1)]) {
        throws(TypeError, () => toBase64.call(other));
    }
});

test("options are read in order, once", () => {
    const log = [];
    const options = values =>
        new Proxy(values, {
            get(target, name) {
                log.push(name);
                return target[name];
            },
        });
    bytes(1).toBase64(options({}));
    Uint8Array.fromBase64("", options({ lastChunkHandling: "strict" }));
    bytes(1).setFromBase64("", options({}));
    throws(TypeError, () => bytes(1).toBase64(options({ alphabet: 1 })));
    throws(TypeError, () => Uint8Array.fromBase64("AA", options({ alphabet: null })));
    throws(TypeError, () => Uint8Array.fromBase64(Object("AA"), options({})));
    equal(
        log.join(" "),
        "alphabet omitPadding alphabet lastChunkHandling alphabet lastChunkHandling alphabet alphabet"
    );
    throws(RangeError, () =>
        Uint8Array.fromBase64("", {
            get alphabet() {
                throw new RangeError();
            },
        })
    );
});

test("arrays whose buffer shrank", () => {
    const calls = [
        array => array.toHex(),
        array => array.toBase64(),
        array => array.setFromHex(""),
        array => array.setFromBase64(""),
    ];
    const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
    const cut = [
        new Uint8Array(buffer, 0, 4),
        new Uint8Array(buffer, 2, 2),
        new Uint8Array(buffer, 3),
    ];
    const empty = [new Uint8Array(buffer, 2, 0), new Uint8Array(buffer, 2)];
    buffer.resize(2);
    for (const call of calls) {
        for (const array of cut) throws(TypeError, () => call(array));
        for (const array of empty) ok(["string", "object"].includes(typeof call(array)));
    }
    buffer.resize(4);
    equal(cut[0].toHex(), "00000000");
});

test("detached arrays", () => {
    for (const call of [
        array => array.toHex(),
        array => array.toBase64(),
        array => array.setFromHex("00"),
        array => array.setFromBase64("AA=="),
        array =>
            array.toBase64({
                get omitPadding() {
                    structuredClone(array, { transfer: [array.buffer] });
                    return false;
                },
            }),
    ]) {
        const array = bytes(1, 2);
        if (call.length === 1 && !String(call).includes("transfer")) {
            structuredClone(array, { transfer: [array.buffer] });
        }
        throws(TypeError, () => call(array), String(call));
    }
});

test("fromBase64", () => {
    equal(decode(""), "");
    equal(decode("Zm9vYmFy"), "102 111 111 98 97 114");
    equal(decode(" Z m9\tv\n\f\r"), "102 111 111");
    equal(decode("x+/y"), "199 239 242");
    equal(decode("x-_y", { alphabet: "base64url" }), "199 239 242");
    wrong("x-_y");
    wrong("x+/y", { alphabet: "base64url" });
    for (const text of [
        "Zm.9v",
        "Zm9v^",
        "Zg==&",
        "Zm9v\u{1f600}",
        "\u00ff",
        "\u0100AAA",
        "A\u00a0AA",
    ])
        wrong(text);
    const made = Uint8Array.fromBase64.call(Int8Array, "AQ==");
    equal(Object.getPrototypeOf(made), Uint8Array.prototype);
    equal(made.buffer.byteLength, 1);
    for (const text of [undefined, null, 5, {}, Object("AQID")]) {
        throws(TypeError, () => Uint8Array.fromBase64(text));
    }
});

test("last chunks", () => {
    const handlings = ["loose", "strict", "stop-before-partial"];
    const cases = {
        "ZXhhZg==": ["101 120 97 102", "101 120 97 102", "101 120 97 102"],
        ZXhhZg: ["101 120 97 102", null, "101 120 97"],
        "ZXhhZh==": ["101 120 97 102", null, "101 120 97 102"],
        ZXhhZh: ["101 120 97 102", null, "101 120 97"],
        "ZXhhZg=": [null, null, "101 120 97"],
        "ZXhhZ=": [null, null, null],
        "ZXhhZ===": [null, null, null],
        ZXhhZ: [null, null, "101 120 97"],
        "ZXhhZg=== ": [null, null, null],
        "ZXhhZg= =": ["101 120 97 102", "101 120 97 102", "101 120 97 102"],
        "ZXhh=": [null, null, null],
        "ZXhhZgA=": ["101 120 97 102 0", "101 120 97 102 0", "101 120 97 102 0"],
        "ZXhhZgB=": ["101 120 97 102 0", null, "101 120 97 102 0"],
        ZXhhZgA: ["101 120 97 102 0", null, "101 120 97"],
        "ZXhhZgA=A": [null, null, null],
        "=": [null, null, null],
        " ": ["", "", ""],
    };
    for (const [text, results] of Object.entries(cases)) {
        handlings.forEach((lastChunkHandling, i) => {
            if (results[i] === null) wrong(text, { lastChunkHandling });
            else
                equal(
                    decode(text, { lastChunkHandling }),
                    results[i],
                    `${text} ${lastChunkHandling}`
                );
        });
    }
    throws(TypeError, () => decode("", { lastChunkHandling: "lax" }));
});

test("setFromBase64", () => {
    const set = (size, text, options) => {
        const array = new Uint8Array(size + 1).fill(255);
        const result = array.subarray(0, size).setFromBase64(text, options);
        return `${result.read} ${result.written}: ${list(array)}`;
    };
    equal(set(4, "Zm9v"), "4 3: 102 111 111 255 255");
    equal(set(3, "Zm9vYmFy"), "4 3: 102 111 111 255");
    equal(set(5, "Zm9vYmFy"), "4 3: 102 111 111 255 255 255");
    equal(set(6, "Zm9vYmFy"), "8 6: 102 111 111 98 97 114 255");
    equal(set(4, "Zm9vYg=="), "8 4: 102 111 111 98 255");
    equal(set(4, "Zm9vYg"), "6 4: 102 111 111 98 255");
    equal(set(4, "Zm9vYmE="), "4 3: 102 111 111 255 255");
    equal(set(0, "!"), "0 0: 255");
    equal(set(3, "Zm9v!"), "4 3: 102 111 111 255");
    equal(set(3, "Zm9v  "), "4 3: 102 111 111 255");
    equal(set(4, "Zm9v  "), "6 3: 102 111 111 255 255");
    equal(set(1, "Zg"), "2 1: 102 255");
    equal(set(2, "Zm8"), "3 2: 102 111 255");
    equal(set(1, "Zm8"), "0 0: 255 255");
    same(Object.keys(bytes().setFromBase64("")), ["read", "written"]);
    equal(Object.getPrototypeOf(bytes().setFromBase64("")), Object.prototype);
    const array = new Uint8Array(6).fill(255);
    throws(SyntaxError, () => array.setFromBase64("Zm9vYm!y"));
    equal(list(array), "102 111 111 255 255 255");
});

test("hex", () => {
    equal(bytes(0, 15, 160, 255).toHex(), "000fa0ff");
    equal(bytes().toHex(), "");
    equal(list(Uint8Array.fromHex("000fA0fF")), "0 15 160 255");
    for (const text of ["a", "abc", "0g", "g0", " 00", "0x00", "00\u{1f600}", "\uff10\uff10"]) {
        throws(SyntaxError, () => Uint8Array.fromHex(text), text);
    }
    throws(TypeError, () => Uint8Array.fromHex(12));
    const array = new Uint8Array(4).fill(255);
    same(array.setFromHex("0102"), { read: 4, written: 2 });
    equal(list(array), "1 2 255 255");
    same(array.setFromHex("0a0b0c0d0e0f"), { read: 8, written: 4 });
    throws(SyntaxError, () => array.setFromHex("010"));
    equal(list(array), "10 11 12 13");
    throws(SyntaxError, () => array.setFromHex("0102zz"));
    equal(list(array), "1 2 12 13");
    same(array.subarray(0, 1).setFromHex("07zz"), { read: 2, written: 1 });
    throws(TypeError, () => Uint8Array.prototype.setFromHex.call([], "00"));
});

test("long ones", () => {
    const array = Uint8Array.from({ length: 100001 }, (_, i) => i * 7);
    equal(list(Uint8Array.fromBase64(array.toBase64())), list(array));
    equal(list(Uint8Array.fromHex(array.toHex())), list(array));
    equal(array.toBase64(), btoa(Array.from(array, byte => String.fromCharCode(byte)).join("")));
});

export default area;
