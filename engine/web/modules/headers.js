"use strict";
const { brands, expose, need } = require("snapcell:idl");

// Values of a header list are kept as a flat array: lower-case name, value, lower-case name, ...

const tokenMarks = "!#$%&'*+-.^_`|~";

function isTokenCharacter(c) {
    if (c >= 0x61 && c <= 0x7a) return true;
    if (c >= 0x41 && c <= 0x5a) return true;
    if (c >= 0x30 && c <= 0x39) return true;
    return tokenMarks.includes(String.fromCharCode(c));
}

function checkedName(name, what) {
    name = `${name}`;
    let valid = name.length > 0;
    for (let i = 0; valid && i < name.length; i++) valid = isTokenCharacter(name.charCodeAt(i));
    if (!valid) throw new TypeError(`${what}: invalid header name ${JSON.stringify(name)}`);
    return name.toLowerCase();
}

const isBlank = c => c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d;

function checkedValue(value, name, what) {
    value = `${value}`;
    let start = 0;
    let end = value.length;
    while (start < end && isBlank(value.charCodeAt(start))) start++;
    while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
    if (start > 0 || end < value.length) value = value.slice(start, end);
    for (let i = 0; i < value.length; i++) {
        const c = value.charCodeAt(i);
        if (c === 0 || c === 0x0a || c === 0x0d || c > 0xff) {
            throw new TypeError(
                `${what}: invalid value of the header "${name}": character ${i} is U+` +
                    c.toString(16).toUpperCase().padStart(4, "0")
            );
        }
    }
    return value;
}

function appendAll(list, init, what) {
    if ((typeof init !== "object" && typeof init !== "function") || init === null) {
        throw new TypeError(
            `${what}: the headers must be a Headers, an array of pairs or an object`
        );
    }
    const other = brands.headers(init);
    if (other && init[Symbol.iterator] === Headers.prototype.entries) list.push(...other.list);
    else if (init[Symbol.iterator] !== undefined) appendPairs(list, init, what);
    else appendRecord(list, init, what);
}

function appendPairs(list, init, what) {
    for (const pair of init) {
        const items = typeof pair === "object" && pair !== null ? [...pair] : [];
        if (items.length !== 2) {
            throw new TypeError(`${what}: each pair of headers must have a name and a value`);
        }
        append(list, items[0], items[1], what);
    }
}

function appendRecord(list, init, what) {
    for (const name of Reflect.ownKeys(init)) {
        if (!Object.prototype.propertyIsEnumerable.call(init, name)) continue;
        if (typeof name === "symbol") throw new TypeError(`${what}: a header name is a Symbol`);
        append(list, name, init[name], what);
    }
}

function append(list, name, value, what) {
    const key = checkedName(name, what);
    list.push(key, checkedValue(value, key, what));
}

function valueOf(list, name) {
    let combined = null;
    for (let i = 0; i < list.length; i += 2) {
        if (list[i] !== name) continue;
        combined = combined === null ? list[i + 1] : `${combined}, ${list[i + 1]}`;
    }
    return combined;
}

function removeAll(list, name) {
    for (let i = list.length - 2; i >= 0; i -= 2) {
        if (list[i] === name) list.splice(i, 2);
    }
}

// Sorted by name, values of a name combined, but for set-cookie: as the Fetch standard iterates.
function sorted(list) {
    if (list.length <= 2) return [...list];
    const names = [];
    for (let i = 0; i < list.length; i += 2) {
        if (!names.includes(list[i])) names.push(list[i]);
    }
    const result = [];
    for (const name of names.sort()) {
        if (name !== "set-cookie") result.push(name, valueOf(list, name));
        else for (const value of cookies(list)) result.push(name, value);
    }
    return result;
}

function cookies(list) {
    const values = [];
    for (let i = 0; i < list.length; i += 2) {
        if (list[i] === "set-cookie") values.push(list[i + 1]);
    }
    return values;
}

// The list may change while it is iterated, so each step sorts anew.
function iterate(state, pick) {
    newIterator ??= require("snapcell:iterators").iteratorsOf("Headers");
    return newIterator(index => {
        const list = sorted(state.list);
        return 2 * index < list.length ? pick(list[2 * index], list[2 * index + 1]) : undefined;
    });
}
let newIterator;

class Headers {
    #state = { list: [], immutable: false };

    static {
        brands.headers = value => (#state in value ? value.#state : undefined);
    }

    constructor(init = undefined) {
        if (init !== undefined) appendAll(this.#state.list, init, "Headers");
    }

    append(name, value) {
        need(2, arguments.length, "Headers.append");
        append(mutable(this.#state), name, value, "Headers.append");
    }

    delete(name) {
        need(1, arguments.length, "Headers.delete");
        const key = checkedName(name, "Headers.delete");
        removeAll(mutable(this.#state), key);
    }

    get(name) {
        need(1, arguments.length, "Headers.get");
        return valueOf(this.#state.list, checkedName(name, "Headers.get"));
    }

    getSetCookie() {
        return cookies(this.#state.list);
    }

    has(name) {
        need(1, arguments.length, "Headers.has");
        return valueOf(this.#state.list, checkedName(name, "Headers.has")) !== null;
    }

    set(name, value) {
        need(2, arguments.length, "Headers.set");
        const key = checkedName(name, "Headers.set");
        const checked = checkedValue(value, key, "Headers.set");
        const list = mutable(this.#state);
        const index = list.findIndex((item, i) => i % 2 === 0 && item === key);
        if (index < 0) {
            list.push(key, checked);
            return;
        }
        list[index + 1] = checked;
        for (let i = list.length - 2; i > index; i -= 2) {
            if (list[i] === key) list.splice(i, 2);
        }
    }

    forEach(callback, thisArgument = undefined) {
        need(1, arguments.length, "Headers.forEach");
        if (typeof callback !== "function") {
            throw new TypeError("Headers.forEach: the callback must be a function");
        }
        for (const [name, value] of this) callback.call(thisArgument, value, name, this);
    }

    keys() {
        return iterate(this.#state, name => name);
    }

    values() {
        return iterate(this.#state, (name, value) => value);
    }

    entries() {
        return iterate(this.#state, (name, value) => [name, value]);
    }
}
expose(Headers);
Object.defineProperty(Headers.prototype, Symbol.iterator, {
    value: Headers.prototype.entries,
    writable: true,
    configurable: true,
});

function mutable(state) {
    if (state.immutable) throw new TypeError("Headers: these headers are immutable");
    return state.list;
}

exports.Headers = Headers;

// --- For requests and responses ---

exports.sorted = sorted;

// A Headers object of `init`, or of a list that was validated.
exports.fill = (init, what) => {
    const headers = new Headers();
    appendAll(brands.headers(headers).list, init, what);
    return headers;
};

exports.wrap = (list, immutable = false) => {
    const headers = new Headers();
    const state = brands.headers(headers);
    state.list = list;
    state.immutable = immutable;
    return headers;
};

// What nearly every function does, so that a snapshot holds it compiled.
if (native.building()) {
    const headers = exports.fill({ b: "1", a: "2" }, "");
    sorted(brands.headers(headers).list);
    headers.set("a", "b");
    headers.append("a", "c");
    for (const [name] of exports.wrap(["a", "b"])) headers.get(name);
    new Headers(headers).has("a");
}
