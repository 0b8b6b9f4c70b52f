import { area, bytes, equal, ok, same, test, throws } from "../harness.js";

test("encode", () => {
    const encoder = new TextEncoder();
    equal(encoder.encoding, "utf-8");
    same([...encoder.encode("aé€😀")], [97, 195, 169, 226, 130, 172, 240, 159, 152, 128]);
    same([...encoder.encode("\u00e9\u00ff")], [195, 169, 195, 191]);
    same([...encoder.encode("\ud800x\udc00")], [239, 191, 189, 120, 239, 191, 189]);
    same([...encoder.encode()], []);
    same([...encoder.encode(undefined)], []);
    same([...encoder.encode(null)], [110, 117, 108, 108]);
    equal(encoder.encode("x".repeat(100000)).length, 100000);
    ok(encoder.encode("x") instanceof Uint8Array);
});

test("encodeInto stops before a character that does not fit", () => {
    const target = new Uint8Array(5);
    same(new TextEncoder().encodeInto("a😀b", target), { read: 3, written: 5 });
    same(new TextEncoder().encodeInto("€€", target), { read: 1, written: 3 });
    same(new TextEncoder().encodeInto("abc", target.subarray(0, 0)), { read: 0, written: 0 });
    same(new TextEncoder().encodeInto("\ud83d", target), { read: 1, written: 3 });
    const part = new Uint8Array(8);
    new TextEncoder().encodeInto("xy", part.subarray(3, 5));
    same([...part], [0, 0, 0, 120, 121, 0, 0, 0]);
    throws(TypeError, () => new TextEncoder().encodeInto("x", new Uint16Array(2)));
});

test("decode", () => {
    const decoder = new TextDecoder();
    equal(decoder.encoding, "utf-8");
    equal(decoder.fatal, false);
    equal(decoder.ignoreBOM, false);
    equal(decoder.decode(bytes(97, 195, 169, 226, 130, 172, 240, 159, 152, 128)), "aé€😀");
    equal(decoder.decode(), "");
    equal(decoder.decode(bytes(0xef, 0xbb, 0xbf, 97)), "a");
    equal(decoder.decode(bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf)), "\ufeff");
    equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(0xef, 0xbb, 0xbf)), "\ufeff");
    equal(decoder.decode(new DataView(bytes(97, 98, 99).buffer, 1, 2)), "bc");
    equal(decoder.decode(bytes(98, 99).buffer), "bc");
    throws(TypeError, () => decoder.decode("text"));
});

const malformed = [
    [[0xff], "\ufffd"],
    [[0x80], "\ufffd"],
    [[0xc0, 0x80], "\ufffd\ufffd"],
    [[0xe2, 0x82], "\ufffd"],
    [[0xe2, 0x28, 0xa1], "\ufffd(\ufffd"],
    [[0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd"],
    [[0xf0, 0x80, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    [[0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd"],
    [[0xf0, 0x9f, 0x98], "\ufffd"],
    [[97, 97, 97, 97, 97, 97, 97, 97, 97, 0xf8], "aaaaaaaaa\ufffd"],
];

test("decode what is malformed", () => {
    for (const [input, expected] of malformed) {
        equal(new TextDecoder().decode(bytes(...input)), expected, String(input));
        throws(
            TypeError,
            () => new TextDecoder("utf-8", { fatal: true }).decode(bytes(...input)),
            String(input)
        );
        const streaming = new TextDecoder();
        let text = "";
        for (const byte of input) text += streaming.decode(bytes(byte), { stream: true });
        equal(text + streaming.decode(), expected, `${input} in pieces`);
    }
});

test("decode in pieces", () => {
    const text = "\ufeffaé€😀z";
    const all = new TextEncoder().encode(text);
    for (const size of [1, 2, 3, 4, 5]) {
        for (const ignoreBOM of [false, true]) {
            const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM });
            let got = "";
            for (let i = 0; i < all.length; i += size) {
                got += decoder.decode(all.subarray(i, i + size), { stream: true });
            }
            equal(got + decoder.decode(), ignoreBOM ? text : text.slice(1), `pieces of ${size}`);
        }
    }
    const decoder = new TextDecoder("utf-8", { fatal: true });
    decoder.decode(bytes(0xe2, 0x82), { stream: true });
    throws(TypeError, () => decoder.decode());
    equal(decoder.decode(bytes(97)), "a");
});

test("labels and other encodings", () => {
    equal(new TextDecoder(" UTF8\n").encoding, "utf-8");
    equal(new TextDecoder("latin1").encoding, "windows-1252");
    equal(new TextDecoder("ascii").decode(bytes(0x80, 0xe9)), "€é");
    equal(new TextDecoder("utf-16").encoding, "utf-16le");
    equal(new TextDecoder("utf-16le").decode(bytes(0xff, 0xfe, 97, 0, 0x3d, 0xd8, 0, 0xde)), "a😀");
    equal(new TextDecoder("utf-16be").decode(bytes(0, 97, 0xd8, 0x3d, 0xde, 0)), "a😀");
    equal(new TextDecoder("utf-16le").decode(bytes(0, 0xd8, 97, 0)), "\ufffda");
    equal(new TextDecoder("utf-16le").decode(bytes(97)), "\ufffd");
    throws(TypeError, () => new TextDecoder("utf-16le", { fatal: true }).decode(bytes(0, 0xd8)));
    const decoder = new TextDecoder("utf-16le");
    let text = "";
    for (const byte of [0x3d, 0xd8, 0, 0xde]) text += decoder.decode(bytes(byte), { stream: true });
    equal(text + decoder.decode(), "😀");
    throws(RangeError, () => new TextDecoder("nothing"));
});

test("atob and btoa", () => {
    const pairs = [
        ["", ""],
        ["f", "Zg=="],
        ["fo", "Zm8="],
        ["foo", "Zm9v"],
        ["foob", "Zm9vYg=="],
        ["\xff\x00\x80", "/wCA"],
    ];
    for (const [plain, encoded] of pairs) {
        equal(btoa(plain), encoded);
        equal(atob(encoded), plain);
    }
    equal(atob(" Z g\t=\n="), "f");
    equal(atob("Zg"), "f");
    equal(atob("Zm8"), "fo");
    equal(atob("ab=="), "i");
    for (const bad of [
        "Z",
        "Zg=",
        "Zg===",
        "=",
        "====",
        "Z=g=",
        "Zm9v=",
        "Zm9vY",
        "Zm9vY=",
        "a-b_",
        "é",
        "ab\vcd",
        "ab\u00a0cd",
    ]) {
        throws("InvalidCharacterError", () => atob(bad), `atob(${bad})`);
    }
    // A blank, or what is none of its digits, at each place.
    const long = "AZaz09+/Zm9vYmFyZm9v";
    const plain = atob(long);
    for (let i = 0; i <= long.length; i++) {
        equal(atob(`${long.slice(0, i)}\n${long.slice(i)}`), plain, `a blank at ${i}`);
        const bad = `${long.slice(0, i)}-AAA${long.slice(i)}`;
        throws("InvalidCharacterError", () => atob(bad), bad);
    }
    throws("InvalidCharacterError", () => btoa("€"));
    throws(TypeError, () => atob());
    equal(btoa(undefined), "dW5kZWZpbmVk");
    equal(btoa(String.fromCharCode(...Array(256).keys())).length, 344);
});

test("text streams", async () => {
    const encoded = ["a\ud83d", "\ude00b", "\ud800"];
    const stream = new ReadableStream({
        start(controller) {
            for (const piece of encoded) controller.enqueue(piece);
            controller.close();
        },
    });
    let text = "";
    for await (const chunk of stream
        .pipeThrough(new TextEncoderStream())
        .pipeThrough(new TextDecoderStream())) {
        text += chunk;
    }
    equal(text, "a😀b\ufffd");
});

test("UTF-16 that ends amid a character", () => {
    const decode = (encoding, ...values) => new TextDecoder(encoding).decode(bytes(...values));
    equal(decode("utf-16le", 0x3d, 0xd8, 65), "\ufffd");
    equal(decode("utf-16be", 0xd8, 0x3d, 65), "\ufffd");
    equal(decode("utf-16le", 65, 0, 65), "A\ufffd");
    equal(decode("utf-16le", 0x3d, 0xd8), "\ufffd");
    equal(decode("utf-16le", 0x3d, 0xd8, 0x3d, 0xd8, 65), "\ufffd\ufffd");
    equal(decode("utf-16le", 0, 0xdc, 65), "\ufffd\ufffd");
    const long = new Uint8Array(8193).fill(65);
    long.set([0x3d, 0xd8], 8190);
    equal(new TextDecoder("utf-16le").decode(long), `${"\u4141".repeat(4095)}\ufffd`);
    const decoder = new TextDecoder("utf-16le");
    equal(decoder.decode(bytes(65, 0, 0x3d), { stream: true }), "A");
    equal(decoder.decode(bytes(0xd8), { stream: true }), "");
    equal(decoder.decode(bytes(65), { stream: true }), "");
    equal(decoder.decode(), "\ufffd");
    equal(decoder.decode(bytes(66, 0)), "B");
    throws(TypeError, () =>
        new TextDecoder("utf-16le", { fatal: true }).decode(bytes(0x3d, 0xd8, 65))
    );
});

test("options of TextDecoder", () => {
    for (const options of [5, "x", true, Symbol()]) {
        throws(TypeError, () => new TextDecoder("utf-8", options));
        throws(TypeError, () => new TextDecoder().decode(bytes(), options));
    }
    equal(new TextDecoder("utf-8", null).decode(bytes(65), null), "A");
    const log = [];
    const options = new Proxy({}, { get: (target, name) => void log.push(name) });
    throws(RangeError, () => new TextDecoder("none", options));
    new TextDecoder().decode(bytes(), options);
    same(log, ["fatal", "ignoreBOM", "stream"]);
});

export default area;
