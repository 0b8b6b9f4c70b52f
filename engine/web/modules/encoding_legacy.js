"use strict";
// The Encoding standard's labels and its single-byte encodings, from tables of a package.
const labels = ENCODING_LABELS; // build.mjs puts them in: see tables.mjs

const multibyte = ["big5", "euc-kr", "euc-jp", "iso-2022-jp", "shift_jis", "gbk", "gb18030"];

// The name of the encoding with this label; null when there is none to decode.
exports.nameOf = label => {
    if (/[^\w\t\n\f\r .:-]/.test(label)) return null;
    const line = labels.indexOf(`,${label.trim().toLowerCase()},`);
    return line < 0
        ? null
        : labels.slice(labels.indexOf(">", line) + 1, labels.indexOf("\n", line));
};

// A function (bytes, stream) -> string that throws a TypeError when it is fatal.
exports.newDecoder = (encoding, fatal) => {
    if (multibyte.includes(encoding)) {
        return require("snapcell:encoding_multibyte").newDecoder(encoding, !fatal);
    }
    const upper = new Uint16Array(native.encodingTable(encoding));
    return bytes => {
        let text = "";
        for (let i = 0; i < bytes.length; i += 4096) {
            const units = Uint16Array.from(bytes.subarray(i, i + 4096), byte =>
                byte < 128 ? byte : upper[byte - 128]
            );
            if (fatal && units.includes(0xfffd)) throw new TypeError("not of this encoding");
            text += String.fromCharCode.apply(null, units);
        }
        return text;
    };
};
