"use strict";
const { brands, expose, need } = require("snapcell:idl");

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

// --- The state of a Headers object ---
// Every operation on one header, and each step of an iteration, takes the same time however many
// there are: a client decides how many it sends.

const newState = () => ({
    values: new Map(), // lower-case name -> value, of all but set-cookie
    cookies: [], // the values of set-cookie, which are not combined
    sorted: null, // name, value, name, ... in the order of iteration; null when that changed
    immutable: false,
});

function add(state, name, value) {
    state.sorted = null;
    if (name === "set-cookie") {
        state.cookies.push(value);
        return;
    }
    const before = state.values.get(name);
    // Clients of HTTP/2 may send a header for each cookie (RFC 9113, 8.2.3).
    const separator = name === "cookie" ? "; " : ", ";
    state.values.set(name, before === undefined ? value : before + separator + value);
}

function remove(state, name) {
    state.sorted = null;
    if (name === "set-cookie") state.cookies = [];
    else state.values.delete(name);
}

function valueOf(state, name) {
    if (name !== "set-cookie") return state.values.get(name) ?? null;
    return state.cookies.length > 0 ? state.cookies.join(", ") : null;
}

const has = (state, name) =>
    name === "set-cookie" ? state.cookies.length > 0 : state.values.has(name);

// Sorted by name, values of a name combined, except set-cookie: as the Fetch standard iterates.
function sortedOf(state) {
    if (state.sorted !== null) return state.sorted;
    const { values, cookies } = state;
    const names = [...values.keys()];
    if (cookies.length > 0) names.push("set-cookie");
    const result = [];
    for (const name of names.sort()) {
        if (name !== "set-cookie") result.push(name, values.get(name));
        else for (const cookie of cookies) result.push(name, cookie);
    }
    state.sorted = result;
    return result;
}

function addList(state, list) {
    for (let i = 0; i < list.length; i += 2) add(state, list[i], list[i + 1]);
}

// --- What Headers are made of ---
// It is converted first, to a flat list of byte strings, and checked when it is added.

function byteString(value, what) {
    value = `${value}`;
    if (/[^\x00-\xff]/.test(value)) {
        throw new TypeError(
            `${what}: a header has a character beyond U+00FF: ${JSON.stringify(value)}`
        );
    }
    return value;
}

function convert(init, what) {
    if ((typeof init !== "object" && typeof init !== "function") || init === null) {
        throw new TypeError(
            `${what}: the headers must be a Headers, an array of pairs or an object`
        );
    }
    const other = brands.headers(init);
    const iterator = init[Symbol.iterator];
    if (other && iterator === Headers.prototype.entries) return sortedOf(other);
    const isRecord = iterator === undefined || iterator === null;
    return isRecord ? listOfRecord(init, what) : listOfPairs(init, what);
}

function listOfPairs(init, what) {
    const list = [];
    for (const pair of init) {
        const isObject = (typeof pair === "object" && pair !== null) || typeof pair === "function";
        const items = Array.from(isObject ? pair : [], item => byteString(item, what));
        if (items.length !== 2) {
            throw new TypeError(`${what}: each pair of headers must have a name and a value`);
        }
        list.push(...items);
    }
    return list;
}

function listOfRecord(init, what) {
    const list = [];
    for (const name of Reflect.ownKeys(init)) {
        if (!Object.getOwnPropertyDescriptor(init, name)?.enumerable) continue;
        if (typeof name === "symbol") throw new TypeError(`${what}: a header name is a Symbol`);
        const key = byteString(name, what);
        list.push(key, byteString(init[name], what));
    }
    return list;
}

function appendAll(state, list, what) {
    for (let i = 0; i < list.length; i += 2) append(state, list[i], list[i + 1], what);
}

function append(state, name, value, what) {
    const key = checkedName(name, what);
    add(state, key, checkedValue(value, key, what));
}

// The list may change while it is iterated.
function iterate(state, pick) {
    newIterator ??= require("snapcell:iterators").iteratorsOf("Headers");
    return newIterator(index => {
        const list = sortedOf(state);
        return 2 * index < list.length ? pick(list[2 * index], list[2 * index + 1]) : undefined;
    });
}
let newIterator;

class Headers {
    #state = newState();

    static {
        brands.headers = value => (#state in value ? value.#state : undefined);
    }

    constructor(init = undefined) {
        if (init !== undefined) appendAll(this.#state, convert(init, "Headers"), "Headers");
    }

    append(name, value) {
        need(2, arguments.length, "Headers.append");
        append(mutable(this.#state), name, value, "Headers.append");
    }

    delete(name) {
        need(1, arguments.length, "Headers.delete");
        const state = this.#state;
        const key = checkedName(name, "Headers.delete");
        remove(mutable(state), key);
    }

    get(name) {
        need(1, arguments.length, "Headers.get");
        return valueOf(this.#state, checkedName(name, "Headers.get"));
    }

    getSetCookie() {
        return [...this.#state.cookies];
    }

    has(name) {
        need(1, arguments.length, "Headers.has");
        return has(this.#state, checkedName(name, "Headers.has"));
    }

    set(name, value) {
        need(2, arguments.length, "Headers.set");
        const key = checkedName(name, "Headers.set");
        const checked = checkedValue(value, key, "Headers.set");
        const state = mutable(this.#state);
        remove(state, key);
        add(state, key, checked);
    }

    forEach(callback, thisArgument = undefined) {
        need(1, arguments.length, "Headers.forEach");
        if (typeof callback !== "function") {
            throw new TypeError("Headers.forEach: the callback must be a function");
        }
        const state = this.#state;
        for (let i = 0; i < sortedOf(state).length; i += 2) {
            callback.call(thisArgument, state.sorted[i + 1], state.sorted[i], this);
        }
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
    return state;
}

exports.Headers = Headers;

// --- For requests and responses ---

// A flat list of the headers of an object, sorted; and of a flat list of validated ones.
exports.listOf = headers => sortedOf(brands.headers(headers));
exports.sorted = list => {
    const state = newState();
    addList(state, list);
    return sortedOf(state);
};

// Adds a validated header, unless there is one of that name.
exports.addDefault = (headers, name, value) => {
    const state = brands.headers(headers);
    if (!has(state, name)) add(state, name, value);
};

// A Headers object of what convert() gave, or of a list that was validated.
exports.convert = convert;
exports.fill = (list, what) => {
    const headers = new Headers();
    appendAll(brands.headers(headers), list, what);
    return headers;
};

exports.wrap = (list, immutable = false) => {
    const headers = new Headers();
    const state = brands.headers(headers);
    addList(state, list);
    state.immutable = immutable;
    return headers;
};

// What nearly every function does, so that a snapshot holds it compiled.
if (native.building()) {
    const headers = new Headers({ b: "1", a: "2" });
    exports.listOf(headers);
    headers.set("a", "b");
    headers.append("a", "c");
    for (const [name] of exports.wrap(["a", "b"])) headers.get(name);
    new Headers(headers).has("a");
}
