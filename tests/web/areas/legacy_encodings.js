import { area, equal, ok, throws, test } from "../harness.js";

const decode = (label, bytes, options) =>
    new TextDecoder(label, options).decode(Uint8Array.from(bytes));

test("labels", () => {
    const names = {
        " KOI8_R ": "koi8-r",
        cp1251: "windows-1251",
        "iso-8859-9": "windows-1254",
        latin2: "iso-8859-2",
        sjis: "shift_jis",
        gb2312: "gbk",
        GB18030: "gb18030",
        "big5-hkscs": "big5",
        "x-euc-jp": "euc-jp",
        csiso2022jp: "iso-2022-jp",
        "ks_c_5601-1987": "euc-kr",
        866: "ibm866",
        mac: "macintosh",
        visual: "iso-8859-8",
        logical: "iso-8859-8-i",
        "x-user-defined": "x-user-defined",
    };
    for (const [label, name] of Object.entries(names)) {
        equal(new TextDecoder(label).encoding, name, label);
    }
    for (const label of [
        "hz-gb-2312",
        "iso-2022-kr",
        "replacement",
        "utf-7",
        "",
        "x",
        "utf\u20108",
    ]) {
        throws(RangeError, () => new TextDecoder(label), label);
    }
});

test("single-byte encodings", () => {
    equal(decode("koi8-r", [0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]), "Привет");
    equal(decode("windows-1251", [0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), "Привет");
    equal(decode("iso-8859-2", [0xb3, 0xf3, 0xbf]), "łóż");
    equal(decode("iso-8859-7", [0xe1, 0xe2, 0xa4]), "αβ€");
    equal(decode("windows-1253", [0xd2]), "\ufffd");
    throws(TypeError, () => decode("windows-1253", [0xd2], { fatal: true }));
    equal(decode("x-user-defined", [0x41, 0x80, 0xff]), "A\uf780\uf7ff");
    equal(decode("ibm866", [0x8f, 0xe0]), "Пр");
    equal(decode("macintosh", [0x8a, 0xdb]), "ä€");
});

test("multi-byte encodings", () => {
    equal(
        decode("shift_jis", [0x82, 0xb1, 0x82, 0xf1, 0xb1]),
        "こんア".normalize("NFKC").replace("ア", "ｱ")
    );
    equal(decode("euc-jp", [0xa4, 0xb3, 0x8f, 0xb0, 0xa1]), "こ丂");
    equal(decode("iso-2022-jp", [0x1b, 0x24, 0x42, 0x24, 0x33, 0x1b, 0x28, 0x42, 0x41]), "こA");
    equal(decode("gbk", [0xc4, 0xe3, 0xba, 0xc3]), "你好");
    equal(decode("gb18030", [0x94, 0x39, 0xda, 0x33]), "\u{1f4a9}");
    equal(decode("big5", [0xa7, 0x41, 0xa6, 0x6e]), "你好");
    equal(decode("big5", [0x88, 0x62]), "\u00ca\u0304");
    equal(decode("euc-kr", [0xbe, 0xc8, 0xb3, 0xe7]), "안녕");
    equal(decode("euc-kr", [0xbe]), "\ufffd");
    throws(TypeError, () => decode("shift_jis", [0x82], { fatal: true }));
    throws(TypeError, () => decode("gb18030", [0xff], { fatal: true }));
});

test("in pieces", () => {
    const decoder = new TextDecoder("shift_jis");
    equal(decoder.decode(Uint8Array.of(0x82), { stream: true }), "");
    equal(decoder.decode(Uint8Array.of(0xb1, 0x82), { stream: true }), "こ");
    equal(decoder.decode(Uint8Array.of(0xf1)), "ん");
    equal(decoder.decode(Uint8Array.of(0x41)), "A");
    ok(new TextDecoder("koi8-r").fatal === false);
    // A mark is not a mark in these encodings.
    equal(decode("windows-1251", [0xef, 0xbb, 0xbf]), "п»ї");
});

export default area;
