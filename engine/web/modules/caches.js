"use strict";
// Cache and CacheStorage, in the memory of the instance. What is cached at build time would be in
// every instance: there nothing is kept. Freshness and cookies are seen to as on Workers; all else is
// as the standard has it (Service Workers).
const { brands, dictionary, expose, illegalConstructor, need } = require("snapcell:idl");
const { Request, consumeBytes, createResponse, headerList } = require("snapcell:fetch");
const { DOMException } = require("snapcell:exception");

// Of all caches of an instance; the least recently used entries are evicted.
const sizeMax = 16 * 1024 * 1024;
const countMax = 4096;
const overheadSize = 512; // what an entry takes in addition to its texts and bytes

const token = Symbol();
const entries = new Set(); // of all caches, from the one that was not used for longest
let totalSize = 0;

// --- Entries: {cache, url, request, response, size, expires} ---

function drop(entry) {
    if (!entries.delete(entry)) return;
    totalSize -= entry.size;
    entry.cache.delete(entry);
}

function keep(cache, entry) {
    totalSize += entry.size;
    entries.add(entry);
    cache.add(entry);
    for (const oldest of entries) {
        if (totalSize <= sizeMax && entries.size <= countMax) break;
        drop(oldest);
    }
}

function touch(entry) {
    entries.delete(entry);
    entries.add(entry);
}

function valueOf(list, name) {
    const values = [];
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) values.push(list[i + 1]);
    return values.length > 0 ? values.join(", ") : null;
}

const namesIn = text => (text === null ? [] : text.split(",").map(name => name.trim()));

const withoutFragment = url => url.replace(/#[^]*$/, "");
const withoutQuery = url => url.replace(/\?[^]*$/, "");

function variesAlike(entry, request) {
    return namesIn(valueOf(entry.response.list, "vary")).every(field => {
        const name = field.toLowerCase();
        return name !== "*" && valueOf(entry.request, name) === valueOf(request.list, name);
    });
}

// `request`: {url, method, list}.
function matches(entry, request, options) {
    if (request.method !== "GET" && !options.ignoreMethod) return false;
    const [left, right] = options.ignoreSearch
        ? [withoutQuery(entry.url), withoutQuery(request.url)]
        : [entry.url, request.url];
    return left === right && (options.ignoreVary || variesAlike(entry, request));
}

function find(cache, request, options) {
    const now = Date.now();
    const found = [];
    for (const entry of cache) {
        if (entry.expires <= now) drop(entry);
        else if (request === undefined || matches(entry, request, options)) found.push(entry);
    }
    return found;
}

const toResponse = ({ response }) =>
    createResponse({ ...response, list: [...response.list], shared: true });

// --- Requests and responses ---

const isRequest = value => typeof value === "object" && value !== null && brands.request?.(value);

function asked(value) {
    const request = isRequest(value) ? value : new Request(value);
    const list = headerList(brands.request(request));
    return { url: withoutFragment(request.url), method: request.method, list };
}

function optionsOf(value, what) {
    const given = dictionary(value, what);
    return {
        ignoreMethod: Boolean(given.ignoreMethod),
        ignoreSearch: Boolean(given.ignoreSearch),
        ignoreVary: Boolean(given.ignoreVary),
    };
}

function checkRequest(request, what) {
    if (!/^https?:/.test(request.url))
        throw new TypeError(`${what}: the URL must be http or https`);
    if (request.method !== "GET") throw new TypeError(`${what}: the method must be GET`);
}

function checkResponse(state, what) {
    if (state.kind === "error") throw new TypeError(`${what}: the response is an error`);
    if (state.status === 206) throw new TypeError(`${what}: the response is partial (206)`);
    if (namesIn(valueOf(headerList(state), "vary")).includes("*"))
        throw new TypeError(`${what}: the response varies by everything (Vary: *)`);
}

// Until when a response may be answered with, by what it says itself; Infinity when it says nothing.
function expiryOf(list) {
    const control = (valueOf(list, "cache-control") ?? "").toLowerCase();
    const age = /(?:^|[\s,])s-maxage\s*=\s*"?(\d+)/.exec(control);
    const found = age ?? /(?:^|[\s,])max-age\s*=\s*"?(\d+)/.exec(control);
    if (found) return Date.now() + Number(found[1]) * 1000;
    const expires = valueOf(list, "expires");
    if (expires === null) return Infinity;
    const time = Date.parse(expires);
    return Number.isNaN(time) ? 0 : time;
}

const cookieless = list => list.filter((_, i) => list[i - (i % 2)] !== "set-cookie");

// The headers to keep; undefined when the response must not be kept.
function keptHeaders(list) {
    const control = (valueOf(list, "cache-control") ?? "").toLowerCase();
    const forOne = /private\s*=\s*"?\s*set-cookie\b/.test(control);
    if (valueOf(list, "set-cookie") !== null && !forOne) return undefined;
    if (/(?:^|[\s,])(?:no-store|private)(?:$|[\s,])/.test(control)) return undefined;
    return cookieless(list);
}

const sizeOf = list => list.reduce((size, text) => size + text.length, 0);

function newEntry(cache, request, state, source) {
    const list = keptHeaders(headerList(state));
    const expires = list === undefined ? 0 : expiryOf(list);
    if (native.building() || expires <= Date.now()) return undefined;
    const { kind, url, status, statusText, redirected } = state;
    const size =
        overheadSize + source.length + request.url.length + sizeOf(list) + sizeOf(request.list);
    if (size > sizeMax)
        throw new DOMException(
            `Cache.put: ${source.length} bytes are more than a cache holds`,
            "QuotaExceededError"
        );
    const response = { kind, url, status, statusText, redirected, list, source };
    return { cache, url: request.url, request: request.list, response, size, expires };
}

// --- Cache ---

const bodyOf = (response, what) => {
    const state = brands.response(response);
    const empty = state.source === null && state.stream === null;
    return empty ? Promise.resolve(null) : consumeBytes(state, what);
};

class Cache {
    #entries;

    static {
        exports.entriesOf = cache => cache.#entries;
    }

    constructor(given = undefined) {
        if (given !== token) throw illegalConstructor();
        this.#entries = new Set();
    }

    async match(request, options = undefined) {
        const cache = this.#entries;
        need(1, arguments.length, "Cache.match");
        const [found] = find(cache, asked(request), optionsOf(options, "Cache.match"));
        if (found === undefined) return undefined;
        touch(found);
        return toResponse(found);
    }

    async matchAll(request = undefined, options = undefined) {
        const cache = this.#entries;
        const wanted = request === undefined ? undefined : asked(request);
        const found = find(cache, wanted, optionsOf(options, "Cache.matchAll"));
        found.forEach(touch);
        return Object.freeze(found.map(toResponse));
    }

    async add(request) {
        this.#entries;
        need(1, arguments.length, "Cache.add");
        return addAll(this, [request], "Cache.add");
    }

    async addAll(requests) {
        this.#entries;
        need(1, arguments.length, "Cache.addAll");
        return addAll(this, [...requests], "Cache.addAll");
    }

    async put(request, response) {
        const cache = this.#entries;
        need(2, arguments.length, "Cache.put");
        const state = typeof response === "object" && response && brands.response(response);
        if (!state) throw new TypeError("Cache.put: the second argument must be a Response");
        const wanted = asked(request);
        checkRequest(wanted, "Cache.put");
        checkResponse(state, "Cache.put");
        const source = await bodyOf(response, "Cache.put");
        store(cache, [[wanted, state, source]]);
    }

    async delete(request, options = undefined) {
        const cache = this.#entries;
        need(1, arguments.length, "Cache.delete");
        const found = find(cache, asked(request), optionsOf(options, "Cache.delete"));
        found.forEach(drop);
        return found.length > 0;
    }

    async keys(request = undefined, options = undefined) {
        const cache = this.#entries;
        const wanted = request === undefined ? undefined : asked(request);
        const found = find(cache, wanted, optionsOf(options, "Cache.keys"));
        const toRequest = ({ url, request: list }) => {
            const pairs = [];
            for (let i = 0; i < list.length; i += 2) pairs.push([list[i], list[i + 1]]);
            return new Request(url, { headers: pairs });
        };
        return Object.freeze(found.map(toRequest));
    }
}
expose(Cache);

// Puts all or nothing: what is too large fails before anything is changed.
function store(cache, items) {
    const made = items.map(([request, state, source]) =>
        newEntry(cache, request, state, source ?? new Uint8Array(0))
    );
    items.forEach(([request, , source], i) => {
        find(cache, request, {}).forEach(drop);
        if (made[i] === undefined) return;
        if (source === null) made[i].response.source = null;
        keep(cache, made[i]);
    });
}

async function addAll(cache, given, what) {
    const entriesOfCache = exports.entriesOf(cache);
    const requests = given.map(value => (isRequest(value) ? value : new Request(value)));
    const wanted = requests.map(asked);
    for (const request of wanted) checkRequest(request, what);
    const { fetch } = require("snapcell:client");
    const responses = await Promise.all(requests.map(request => fetch(request)));
    const states = responses.map(response => brands.response(response));
    for (const state of states) {
        if (state.status < 200 || state.status > 299)
            throw new TypeError(`${what}: a request was answered with status ${state.status}`);
        checkResponse(state, what);
    }
    const sources = await Promise.all(responses.map(response => bodyOf(response, what)));
    const items = wanted.map((request, i) => [request, states[i], sources[i]]);
    items.forEach(([request, state], i) => {
        const entry = {
            url: request.url,
            request: request.list,
            response: { list: headerList(state) },
        };
        if (wanted.some((other, j) => j < i && matches(entry, other, {})))
            throw new DOMException(`${what}: two requests are the same`, "InvalidStateError");
    });
    store(entriesOfCache, items);
}

// --- CacheStorage ---

class CacheStorage {
    #caches = new Map();
    #default = undefined;

    constructor(given = undefined) {
        if (given !== token) throw illegalConstructor();
    }

    // Of Workers: a cache that has no name.
    get default() {
        return (this.#default ??= new Cache(token));
    }

    async open(name) {
        const caches = this.#caches;
        need(1, arguments.length, "CacheStorage.open");
        const key = `${name}`;
        if (!caches.has(key)) caches.set(key, new Cache(token));
        return caches.get(key);
    }

    async has(name) {
        const caches = this.#caches;
        need(1, arguments.length, "CacheStorage.has");
        return caches.has(`${name}`);
    }

    // Code that holds the cache can go on using it.
    async delete(name) {
        const caches = this.#caches;
        need(1, arguments.length, "CacheStorage.delete");
        return caches.delete(`${name}`);
    }

    async keys() {
        return [...this.#caches.keys()];
    }

    async match(request, options = undefined) {
        const caches = this.#caches;
        need(1, arguments.length, "CacheStorage.match");
        const { cacheName } = dictionary(options, "CacheStorage.match");
        const names = cacheName === undefined ? [...caches.keys()] : [`${cacheName}`];
        for (const name of names) {
            const found = await caches.get(name)?.match(request, options);
            if (found !== undefined) return found;
        }
        return undefined;
    }
}
expose(CacheStorage);

exports.Cache = Cache;
exports.CacheStorage = CacheStorage;
exports.caches = new CacheStorage(token);
