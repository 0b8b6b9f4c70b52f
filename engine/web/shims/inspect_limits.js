"use strict";
// What bounds the text that console shows of values, however much they hold: a collection shows its
// first items, and a line ends when it has become long.
const ITEMS_MAX = 100;
const CHARACTERS_MAX = 100000;
const HOLES_MAX = 1000; // how far a loop looks for the next item of a sparse array

let left = CHARACTERS_MAX;

exports.itemsMax = ITEMS_MAX;

// Begins a line.
exports.begin = () => {
    left = CHARACTERS_MAX;
};

// The text that `show` makes of a value inside of another one.
exports.bounded = (show, ...values) => {
    if (left <= 0) return "...";
    const text = show(...values);
    left -= text.length + 2;
    return text;
};

const more = (count, what) => `... ${count} more ${what}${count === 1 ? "" : "s"}`;
const empty = count => `<${count} empty item${count === 1 ? "" : "s"}>`;
exports.more = more;

// Gives the first index from `from` on that has an item, or the array's length: by looking where items
// lie close, else by a list of all indices, which is made once.
function itemFinder(array) {
    const { length } = array;
    let indices;
    let at = 0;
    return from => {
        const near = Math.min(from + HOLES_MAX, length);
        for (let i = from; i < near; i++) if (Object.hasOwn(array, i)) return i;
        if (near === length) return length;
        indices ??= native.ownIndices(array);
        while (at < indices.length && !(indices[at] >= near)) at++;
        const found = indices[at];
        return typeof found === "number" && found < length ? found : length;
    };
}

function arrayItems(array, inspect) {
    const items = [];
    const find = itemFinder(array);
    let i = 0;
    while (i < array.length && items.length < ITEMS_MAX) {
        if (Object.hasOwn(array, i)) {
            items.push(inspect(array[i++], array));
            continue;
        }
        const next = find(i);
        items.push(empty(next - i));
        i = next;
    }
    if (i < array.length) items.push(more(array.length - i, "item"));
    return items;
}

// How a typed array is shown.
exports.typedText = (array, inspect) => {
    const items = [];
    const { length } = array;
    for (let i = 0; i < length && i < ITEMS_MAX; i++) items.push(inspect(array[i], array));
    if (length > ITEMS_MAX) items.push(more(length - ITEMS_MAX, "item"));
    addNamed(items, array, native.ownNames(array), inspect);
    const name = Object.prototype.toString.call(array).slice(8, -1);
    return `${name}(${length}) [${items.length > 0 ? ` ${items.join(", ")} ` : ""}]`;
};

// A getter is not called: it may do something, or throw.
function propertyText(object, key, inspect) {
    const { get, set } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    if (get) return set ? "[Getter/Setter]" : "[Getter]";
    return set ? "[Setter]" : inspect(object[key], object);
}

function addNamed(items, object, names, inspect) {
    for (let i = 0; i < names.length; i++) {
        if (left <= 0) {
            const count = names.length - i;
            items.push(`... ${count} more ${count === 1 ? "property" : "properties"}`);
            break;
        }
        const name = /[^\w$]/.test(names[i]) ? inspect(names[i], object) : names[i];
        items.push(`${name}: ${propertyText(object, names[i], inspect)}`);
        left -= name.length;
    }
    for (const symbol of Object.getOwnPropertySymbols(object)) {
        if (!Object.prototype.propertyIsEnumerable.call(object, symbol) || left <= 0) continue;
        items.push(`[${inspect(symbol)}]: ${propertyText(object, symbol, inspect)}`);
    }
}

// The package of the streams keeps its state in properties: _state, _reader and the like.
function publicNames(object) {
    const names = Object.keys(object);
    const tag = Object.prototype.toString.call(object);
    const isStream = /^\[object (?:Readable|Writable|Transform)\w*\]$/.test(tag);
    return isStream ? names.filter(name => name[0] !== "_") : names;
}

// Takes the place of the function that lists an object's properties in object-inspect.
exports.parts = (object, inspect) => {
    const isList = Array.isArray(object);
    const items = isList ? arrayItems(object, inspect) : [];
    addNamed(items, object, isList ? native.ownNames(object) : publicNames(object), inspect);
    return items;
};
