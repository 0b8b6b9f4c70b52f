"use strict";
const { brands, expose, need } = require("snapcell:idl");

// What parses other than plain URLs; at run time it is loaded when there is such a URL.
const machine = () => require("snapcell:url_machine");

const usv = value => `${value}`.toWellFormed();

// --- application/x-www-form-urlencoded ---

// decodeURIComponent is quick, but throws at what is not UTF-8.
function decode(text) {
    if (text.includes("+")) text = text.replaceAll("+", " ");
    if (!text.includes("%")) return text;
    try {
        return decodeURIComponent(text);
    } catch {
        return native.utf8Decode(
            require("snapcell:percent").percentDecodeString(text),
            false,
            true
        );
    }
}

function parseUrlencoded(text) {
    const list = [];
    for (const piece of text.split("&")) {
        if (piece === "") continue;
        const equals = piece.indexOf("=");
        if (equals < 0) list.push([decode(piece), ""]);
        else list.push([decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))]);
    }
    return list;
}

function serializeUrlencoded(list) {
    const { isURLEncodedPercentEncode, utf8PercentEncodeString } = require("snapcell:percent");
    const encode = text => utf8PercentEncodeString(text, isURLEncodedPercentEncode, true);
    return list.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

// --- URLSearchParams ---

function listOfPairs(init) {
    const { sequence } = require("snapcell:convert");
    return sequence(init, "URLSearchParams: the list").map(given => {
        const pair = sequence(given, "URLSearchParams: a pair").map(usv);
        if (pair.length !== 2) {
            throw new TypeError("URLSearchParams: each pair must have a name and a value");
        }
        return pair;
    });
}

function listOfRecord(init) {
    const list = new Map();
    for (const name of Reflect.ownKeys(init)) {
        if (!Object.prototype.propertyIsEnumerable.call(init, name)) continue;
        if (typeof name === "symbol") throw new TypeError("URLSearchParams: a name is a Symbol");
        list.set(usv(name), usv(init[name]));
    }
    return [...list];
}

function parseInit(init) {
    if ((typeof init === "object" && init !== null) || typeof init === "function") {
        const method = init[Symbol.iterator];
        if (method !== undefined && method !== null) return listOfPairs(init);
        return listOfRecord(init);
    }
    const text = usv(init);
    return parseUrlencoded(text.startsWith("?") ? text.slice(1) : text);
}

class URLSearchParams {
    #list = [];
    #url = null; // the record of the URL object that it belongs to
    #wrote = false; // its query is what #update() made of the list

    static {
        brands.params = value => (#list in value ? value.#list : undefined);
        exports.reparse = params => {
            const { query } = params.#url;
            params.#list = query ? parseUrlencoded(query) : [];
            params.#wrote = false;
        };
        exports.bind = (params, url) => {
            params.#url = url;
            exports.reparse(params);
        };
    }

    constructor(init = "") {
        if (init !== "") this.#list = parseInit(init);
    }

    #update() {
        if (!this.#url) return;
        this.#url.query = serializeUrlencoded(this.#list) || null;
        this.#wrote = true;
    }

    get size() {
        return this.#list.length;
    }

    append(name, value) {
        need(2, arguments.length, "URLSearchParams.append");
        const pair = [usv(name), usv(value)];
        this.#list.push(pair);
        // Writing the whole query each time would take the square of its length.
        if (this.#wrote && this.#url.query) this.#url.query += `&${serializeUrlencoded([pair])}`;
        else this.#update();
    }

    delete(name, value = undefined) {
        need(1, arguments.length, "URLSearchParams.delete");
        name = usv(name);
        if (value !== undefined) value = usv(value);
        this.#list = this.#list.filter(
            pair => pair[0] !== name || (value !== undefined && pair[1] !== value)
        );
        this.#update();
    }

    get(name) {
        need(1, arguments.length, "URLSearchParams.get");
        name = usv(name);
        return this.#list.find(pair => pair[0] === name)?.[1] ?? null;
    }

    getAll(name) {
        need(1, arguments.length, "URLSearchParams.getAll");
        name = usv(name);
        return this.#list.filter(pair => pair[0] === name).map(pair => pair[1]);
    }

    has(name, value = undefined) {
        need(1, arguments.length, "URLSearchParams.has");
        name = usv(name);
        if (value !== undefined) value = usv(value);
        return this.#list.some(
            pair => pair[0] === name && (value === undefined || pair[1] === value)
        );
    }

    set(name, value) {
        need(2, arguments.length, "URLSearchParams.set");
        name = usv(name);
        const index = this.#list.findIndex(pair => pair[0] === name);
        if (index < 0) {
            this.#list.push([name, usv(value)]);
        } else {
            this.#list[index] = [name, usv(value)];
            this.#list = this.#list.filter((pair, i) => i <= index || pair[0] !== name);
        }
        this.#update();
    }

    sort() {
        this.#list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
        this.#update();
    }

    forEach(callback, thisArgument = undefined) {
        need(1, arguments.length, "URLSearchParams.forEach");
        if (typeof callback !== "function") {
            throw new TypeError("URLSearchParams.forEach: the callback must be a function");
        }
        for (const [name, value] of this) callback.call(thisArgument, value, name, this);
    }

    keys() {
        this.#list;
        return iterate(index => this.#list[index]?.[0]);
    }

    values() {
        this.#list;
        return iterate(index => this.#list[index]?.[1]);
    }

    entries() {
        this.#list;
        return iterate(index => this.#list[index]?.slice());
    }

    toString() {
        return serializeUrlencoded(this.#list);
    }
}
expose(URLSearchParams);

let newIterator;
function iterate(at) {
    newIterator ??= require("snapcell:iterators").iteratorsOf("URLSearchParams");
    return newIterator(at);
}

Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
    value: URLSearchParams.prototype.entries,
    writable: true,
    configurable: true,
});

const { bind, reparse } = exports;

function paramsOf(url) {
    const params = new URLSearchParams();
    bind(params, url);
    return params;
}

// --- URL ---

// The record of a URL that parsing does not change, as the machine would make it.
function plainRecord(text) {
    const parts = native.splitUrl(text);
    if (parts === undefined) return null;
    const [host, hostEnd, port, path, pathEnd, queryEnd] = parts;
    const scheme = text.slice(0, host - 3);
    return {
        scheme,
        username: "",
        password: "",
        host: text.slice(host, hostEnd),
        port: port === 0 || port === (scheme === "http" ? 80 : 443) ? null : port,
        path: pathEnd === path ? [""] : text.slice(path + 1, pathEnd).split("/"),
        query: queryEnd === pathEnd ? null : text.slice(pathEnd + 1, queryEnd),
        fragment: queryEnd === text.length ? null : text.slice(queryEnd + 1),
    };
}

const parseAbsolute = text => plainRecord(text) ?? machine().basicURLParse(text);

function parse(url, base) {
    if (base === undefined) return parseAbsolute(usv(url));
    const baseURL = parseAbsolute(usv(base));
    return baseURL === null ? null : machine().basicURLParse(usv(url), { baseURL });
}

// Of the host, only addresses need the machine: they are numbers there.
const serializeHost = host => (typeof host === "string" ? host : machine().serializeHost(host));

const hasOpaquePath = url => typeof url.path === "string";

const serializePath = url =>
    hasOpaquePath(url) ? url.path : url.path.length === 0 ? "" : `/${url.path.join("/")}`;

function serialize(url) {
    const { scheme, host, username } = url;
    if (host === null || username !== "" || url.password !== "") return machine().serializeURL(url);
    let text = `${scheme}://${serializeHost(host)}`;
    if (url.port !== null) text += `:${url.port}`;
    text += serializePath(url);
    if (url.query !== null) text += `?${url.query}`;
    return url.fragment === null ? text : `${text}#${url.fragment}`;
}

function origin(url) {
    const { scheme, host, port } = url;
    if (scheme !== "http" && scheme !== "https") return machine().serializeURLOrigin(url);
    return `${scheme}://${serializeHost(host)}${port === null ? "" : `:${port}`}`;
}

const hasNoPort = url => url.host === null || url.host === "" || url.scheme === "file";

function invalid(url, base) {
    const error = new TypeError(
        base === undefined ? `Invalid URL: ${url}` : `Invalid URL: ${url} (base: ${base})`
    );
    error.code = "ERR_INVALID_URL";
    return error;
}

class URL {
    #url;
    #params = null;

    static {
        brands.url = value => (#url in value ? value.#url : undefined);
    }

    constructor(url, base = undefined) {
        need(1, arguments.length, "URL");
        this.#url = parse(url, base);
        if (this.#url === null) throw invalid(url, base);
    }

    static canParse(url, base = undefined) {
        need(1, arguments.length, "URL.canParse");
        return parse(url, base) !== null;
    }

    static createObjectURL(object) {
        need(1, arguments.length, "URL.createObjectURL");
        return require("snapcell:object_url").create(object);
    }

    static revokeObjectURL(url) {
        need(1, arguments.length, "URL.revokeObjectURL");
        require("snapcell:object_url").revoke(`${url}`);
    }

    static parse(url, base = undefined) {
        need(1, arguments.length, "URL.parse");
        return parse(url, base) === null ? null : newUrl(url, base);
    }

    // Runs the parser on a part of the URL.
    #override(value, stateOverride) {
        machine().basicURLParse(value, { url: this.#url, stateOverride });
    }

    get href() {
        return serialize(this.#url);
    }

    set href(value) {
        const url = parseAbsolute(usv(value));
        if (url === null) throw invalid(value);
        this.#url = url;
        if (this.#params) bind(this.#params, url);
    }

    get origin() {
        return origin(this.#url);
    }

    get protocol() {
        return `${this.#url.scheme}:`;
    }

    set protocol(value) {
        this.#override(`${usv(value)}:`, "scheme start");
    }

    get username() {
        return this.#url.username;
    }

    set username(value) {
        value = usv(value);
        if (!hasNoPort(this.#url)) {
            machine().setTheUsername(this.#url, value);
        }
    }

    get password() {
        return this.#url.password;
    }

    set password(value) {
        value = usv(value);
        if (!hasNoPort(this.#url)) {
            machine().setThePassword(this.#url, value);
        }
    }

    get host() {
        const { host, port } = this.#url;
        if (host === null) return "";
        return serializeHost(host) + (port === null ? "" : `:${port}`);
    }

    set host(value) {
        value = usv(value);
        if (!hasOpaquePath(this.#url)) this.#override(value, "host");
    }

    get hostname() {
        return this.#url.host === null ? "" : serializeHost(this.#url.host);
    }

    set hostname(value) {
        value = usv(value);
        if (!hasOpaquePath(this.#url)) this.#override(value, "hostname");
    }

    get port() {
        return this.#url.port === null ? "" : String(this.#url.port);
    }

    set port(value) {
        value = usv(value);
        if (hasNoPort(this.#url)) return;
        if (value === "") this.#url.port = null;
        else this.#override(value, "port");
    }

    get pathname() {
        return serializePath(this.#url);
    }

    set pathname(value) {
        value = usv(value);
        if (hasOpaquePath(this.#url)) return;
        this.#url.path = [];
        this.#override(value, "path start");
    }

    get search() {
        return this.#url.query ? `?${this.#url.query}` : "";
    }

    set search(value) {
        value = usv(value);
        if (value === "") {
            this.#url.query = null;
        } else {
            this.#url.query = "";
            this.#override(value.startsWith("?") ? value.slice(1) : value, "query");
        }
        if (this.#params) reparse(this.#params);
    }

    get searchParams() {
        this.#params ??= paramsOf(this.#url);
        return this.#params;
    }

    get hash() {
        return this.#url.fragment ? `#${this.#url.fragment}` : "";
    }

    set hash(value) {
        value = usv(value);
        if (value === "") {
            this.#url.fragment = null;
            return;
        }
        this.#url.fragment = "";
        this.#override(value.startsWith("#") ? value.slice(1) : value, "fragment");
    }

    toString() {
        return serialize(this.#url);
    }

    toJSON() {
        return serialize(this.#url);
    }
}
expose(URL);
const newUrl = (url, base) => new URL(url, base);

exports.URL = URL;
exports.URLSearchParams = URLSearchParams;

// For URLPattern.
Object.assign(exports, { parseRecord: parse, serializeHost, serializePath });

// --- For requests and responses: serializations of URLs that must be absolute ---

exports.absolute = (url, what) => {
    const record = parseAbsolute(usv(url));
    if (record === null) throw new TypeError(`${what}: invalid URL: ${url}`);
    if (what === "Request" && (record.username !== "" || record.password !== "")) {
        throw new TypeError(`${what}: the URL includes credentials: ${url}`);
    }
    return serialize(record);
};

exports.serializeParams = params => serializeUrlencoded(brands.params(params));

// What nearly every function does, so that a snapshot holds it compiled.
if (native.building()) {
    const url = new URL("http://localhost/p?a=b#c");
    const params = new URLSearchParams(url.search);
    for (const [name] of url.searchParams) if (params.has(name)) params.get(name);
    String([url.href, url.origin, url.protocol, url.host, url.hostname, url.pathname, url.hash]);
    exports.absolute("http://localhost/", "Request");
}
