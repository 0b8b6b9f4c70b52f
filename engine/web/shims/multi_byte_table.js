"use strict";
// @exodus/bytes' multi-byte.table.js, whose tables were unpacked while the engine was built.
const tables = new Map();

function pairs(units) {
    return Array.from({ length: units.length / 2 }, (_, i) => [units[2 * i], units[2 * i + 1]]);
}

exports.getTable = name => {
    let table = tables.get(name);
    if (!table) {
        const bytes = native.encodingTable(name);
        if (name === "gb18030-ranges") table = pairs(new Uint32Array(bytes));
        else table = name === "big5" ? new Uint32Array(bytes) : new Uint16Array(bytes);
        tables.set(name, table);
    }
    return table;
};
