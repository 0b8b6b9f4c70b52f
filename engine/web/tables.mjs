// The tables of the legacy encodings, unpacked from the package while the engine is built: at run
// time that took up to 25 ms.
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// The package takes these from Node 20; Debian 12 has Node 18.
String.prototype.isWellFormed ??= function isWellFormed() {
    return !/\p{Surrogate}/u.test(this);
};
String.prototype.toWellFormed ??= function toWellFormed() {
    return this.replace(/\p{Surrogate}/gu, "\ufffd");
};

const multiByte = [
    "big5",
    "euc-kr",
    "gb18030",
    "gb18030-ranges",
    "iso-2022-jp-katakana",
    "jis0208",
    "jis0212",
];

const load = (npmDir, name) =>
    import(pathToFileURL(join(resolve(npmDir), "node_modules/@exodus/bytes/fallback", name)));

// [{ name, bytes }]: of a single-byte encoding the 128 units that its upper bytes stand for, of the
// others what the package's getTable() gives. Units are little-endian: of 32 bits in big5 and in the
// ranges, else of 16.
export async function encodingTables(npmDir) {
    const singles = await load(npmDir, "single-byte.js");
    const { default: maps } = await load(npmDir, "single-byte.encodings.js");
    const names = [...Object.keys(maps), "iso-8859-8-i", "x-user-defined"];
    // The package leaves out units at the end that are the bytes themselves.
    const units = name => {
        const given = singles.getEncoding(name);
        return Uint16Array.from({ length: 128 }, (_, i) => given[i] ?? 128 + i);
    };
    const single = names.map(name => [name, units(name)]);
    const { getTable } = await load(npmDir, "multi-byte.table.js");
    const multi = multiByte.map(name => {
        const table = getTable(name);
        return [name, Array.isArray(table) ? Uint32Array.from(table.flat()) : table];
    });
    return [...single, ...multi].map(([name, { buffer, byteOffset, byteLength }]) => ({
        name,
        bytes: new Uint8Array(buffer, byteOffset, byteLength),
    }));
}

// A line for each encoding: ",label,label,>name".
export async function encodingLabels(npmDir) {
    const { default: labels } = await load(npmDir, "encoding.labels.js");
    const lines = Object.entries(labels)
        .filter(([name]) => name !== "replacement")
        .map(([name, others]) => `,${[name, ...others].join()},>${name}`);
    return `${lines.join("\n")}\n`;
}
