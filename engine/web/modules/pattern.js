"use strict";
// URLPattern. Components are compiled by pattern_parts.js; what is canonical in them is the URL parser's
// matter, which is asked only for what may change.
const { dictionary, expose } = require("snapcell:idl");
const { compile, escapePattern } = require("snapcell:pattern_parts");

// Loaded when a pattern meets a URL, and when the URL parser is needed.
const urls = () => require("snapcell:url");
const machine = () => require("snapcell:url_machine");

const usv = value => `${value}`.toWellFormed();

const specialPorts = {
    __proto__: null,
    http: "80",
    https: "443",
    ws: "80",
    wss: "443",
    ftp: "21",
    file: "",
};
const isSpecialScheme = scheme => Object.hasOwn(specialPorts, scheme);

const components = [
    "protocol",
    "username",
    "password",
    "hostname",
    "port",
    "pathname",
    "search",
    "hash",
];

function wrong(value, what) {
    return new TypeError(`URLPattern: "${value}" is no ${what}`);
}

// --- Canonical components ---

const dummy = scheme => ({
    scheme,
    username: "",
    password: "",
    host: "dummy.invalid",
    port: null,
    path: [""],
    query: null,
    fragment: null,
});

// Runs the URL parser in one of its states; null when it fails.
const run = (value, url, stateOverride) =>
    machine().basicURLParse(value, { url, stateOverride }) && url;

const canonical = {
    protocol(value) {
        if (/^(?:[a-z][a-z0-9+.-]*)?$/.test(value)) return value;
        const url = machine().basicURLParse(`${value}://dummy.invalid/`);
        if (url === null) throw wrong(value, "protocol");
        return url.scheme;
    },

    username(value) {
        if (/^[\w.~-]*$/.test(value)) return value;
        const url = dummy("https");
        machine().setTheUsername(url, value);
        return url.username;
    },

    password(value) {
        if (/^[\w.~-]*$/.test(value)) return value;
        const url = dummy("https");
        machine().setThePassword(url, value);
        return url.password;
    },

    hostname(value) {
        if (/^[a-z.-]*$/.test(value) && !value.includes("xn--")) return value;
        const url = run(value, dummy("https"), "hostname");
        if (url === null) throw wrong(value, "hostname");
        return urls().serializeHost(url.host);
    },

    address(value) {
        if (!/^[0-9a-f:[\]]*$/i.test(value)) throw wrong(value, "IPv6 address");
        return value.toLowerCase();
    },

    port(value, protocol = "") {
        if (value === "" || (/^[1-9]\d{0,3}$/.test(value) && value !== specialPorts[protocol])) {
            return value;
        }
        const url = run(value, dummy(protocol), "port");
        if (url === null) throw wrong(value, "port");
        return url.port === null ? "" : String(url.port);
    },

    pathname(value) {
        if (/^[\w~!$&()*+,;=:@/-]*$/.test(value)) return value;
        const url = dummy("https");
        url.path = [];
        // The parser would put a slash before what begins with none.
        const leads = value.startsWith("/");
        run(leads ? value : `/-${value}`, url, "path start");
        const path = urls().serializePath(url);
        return leads ? path : path.slice(2);
    },

    opaquePathname(value) {
        if (/^[\w.~!$&()*+,;=:@/-]*$/.test(value)) return value;
        const url = dummy("https");
        url.path = "";
        if (run(value, url, "opaque path") === null) throw wrong(value, "pathname");
        return urls().serializePath(url);
    },

    search(value) {
        if (/^[\w.~!$()*+,;=:@/?&-]*$/.test(value)) return value;
        const url = dummy("https");
        url.query = "";
        run(value, url, "query");
        return url.query;
    },

    hash(value) {
        if (/^[\w.~!$()*+,;=:@/?&-]*$/.test(value)) return value;
        const url = dummy("https");
        url.fragment = "";
        run(value, url, "fragment");
        return url.fragment;
    },
};

// --- URLPatternInit ---

const initMembers = ["baseURL", "hash", "hostname", "password", "pathname", "port", "protocol"];
initMembers.push("search", "username");

function readInit(value) {
    const init = { __proto__: null };
    if (value === undefined || value === null) return init;
    for (const name of initMembers) {
        const member = value[name];
        if (member !== undefined) init[name] = usv(member);
    }
    return init;
}

function parseBase(text) {
    const base = urls().parseRecord(text);
    if (base === null) throw new TypeError(`URLPattern: the base URL is invalid: ${text}`);
    return base;
}

// The components of a URL's record.
const componentsOf = url => ({
    protocol: url.scheme,
    username: url.username,
    password: url.password,
    hostname: url.host === null ? "" : urls().serializeHost(url.host),
    port: url.port === null ? "" : String(url.port),
    pathname: urls().serializePath(url),
    search: url.query ?? "",
    hash: url.fragment ?? "",
});

// From a base URL a component is taken where `init` has neither it nor one that is less specific.
const lessSpecific = {
    protocol: [],
    username: ["protocol", "hostname", "port"],
    password: ["protocol", "hostname", "port", "username"],
    hostname: ["protocol"],
    port: ["protocol", "hostname"],
    pathname: ["protocol", "hostname", "port"],
    search: ["protocol", "hostname", "port", "pathname"],
    hash: ["protocol", "hostname", "port", "pathname", "search"],
};

function inherit(init, base, isPattern) {
    const result = { __proto__: null };
    for (const name of components) {
        if (isPattern && (name === "username" || name === "password")) continue;
        if ([name, ...lessSpecific[name]].some(other => init[other] !== undefined)) continue;
        result[name] = isPattern ? escapePattern(base[name]) : base[name];
    }
    return result;
}

const isAbsolute = (path, isPattern) =>
    path.startsWith("/") || (isPattern && (path.startsWith("\\/") || path.startsWith("{/")));

function resolvePath(path, url, isPattern) {
    if (url === null || typeof url.path === "string" || isAbsolute(path, isPattern)) return path;
    const { serializePath } = urls();
    const base = isPattern ? escapePattern(serializePath(url)) : serializePath(url);
    return base.slice(0, base.lastIndexOf("/") + 1) + path;
}

const strip = {
    __proto__: null,
    protocol: value => (value.endsWith(":") ? value.slice(0, -1) : value),
    search: value => (value.startsWith("?") ? value.slice(1) : value),
    hash: value => (value.startsWith("#") ? value.slice(1) : value),
};

function canonicalOf(name, value, protocol) {
    if (name === "port") return canonical.port(value, protocol);
    if (name === "pathname" && protocol !== "" && !isSpecialScheme(protocol)) {
        return canonical.opaquePathname(value);
    }
    return canonical[name](value);
}

// The components that `init` and its base URL give: patterns, or a URL's own, then canonical.
function process(init, isPattern) {
    const url = init.baseURL === undefined ? null : parseBase(init.baseURL);
    const result = url ? inherit(init, componentsOf(url), isPattern) : { __proto__: null };
    for (const name of components) {
        let value = init[name];
        if (value === undefined) continue;
        if (strip[name]) value = strip[name](value);
        if (name === "pathname") value = resolvePath(value, url, isPattern);
        result[name] = isPattern ? value : canonicalOf(name, value, result.protocol ?? "");
    }
    return result;
}

// --- Patterns ---

const plain = { delimiter: "", prefix: "", ignoreCase: false };
const hostOptions = { delimiter: ".", prefix: "", ignoreCase: false };
const pathOptions = { delimiter: "/", prefix: "/" };

const matchesSpecial = ({ regexp }) =>
    Object.keys(specialPorts).some(scheme => regexp.test(scheme));
const isSpecialPattern = text => matchesSpecial(compile(text, canonical.protocol, plain));

const isAddress = host => /^(?:\[|[{\\]\[)/.test(host) && host.length > 1;

// What most components of a pattern are. All share one regular expression.
let any;
function compileAny() {
    any ??= compile("*", text => text, plain);
    return any;
}

const build = (text, encode, options) =>
    text === "*" ? compileAny() : compile(text, encode, options);

// The compiled components of a pattern.
function compileAll(init, ignoreCase) {
    const given = process(init, true);
    for (const name of components) given[name] ??= "*";
    if (isSpecialScheme(given.protocol) && given.port === specialPorts[given.protocol]) {
        given.port = "";
    }
    const protocol = build(given.protocol, canonical.protocol, plain);
    const host = isAddress(given.hostname) ? canonical.address : canonical.hostname;
    const special = matchesSpecial(protocol);
    const tail = { ...plain, ignoreCase };
    return {
        protocol,
        username: build(given.username, canonical.username, plain),
        password: build(given.password, canonical.password, plain),
        hostname: build(given.hostname, host, hostOptions),
        port: build(given.port, value => canonical.port(value), plain),
        pathname: special
            ? build(given.pathname, canonical.pathname, { ...pathOptions, ignoreCase })
            : build(given.pathname, canonical.opaquePathname, tail),
        search: build(given.search, canonical.search, tail),
        hash: build(given.hash, canonical.hash, tail),
    };
}

const isDictionary = value =>
    value === undefined ||
    value === null ||
    typeof value === "object" ||
    typeof value === "function";

function fromText(text, base) {
    const init = require("snapcell:pattern_text").parseText(text, isSpecialPattern);
    if (base !== undefined) init.baseURL = base;
    else if (init.protocol === undefined) {
        throw new TypeError(`URLPattern: "${text}" has no protocol, and there is no base URL`);
    }
    return init;
}

const readIgnoreCase = options => Boolean(dictionary(options, "URLPattern").ignoreCase);

// The components of what is matched; null when that is not a URL.
function componentsOfInput(input, base) {
    if (typeof input === "string") {
        const url = urls().parseRecord(input, base);
        return url && componentsOf(url);
    }
    if (base !== undefined) {
        throw new TypeError("URLPattern: an object and a base URL do not go together");
    }
    try {
        return process(input, false);
    } catch {
        return null;
    }
}

const readInput = value => (isDictionary(value) ? readInit(value) : usv(value));
const readBase = value => (value === undefined ? undefined : usv(value));

function groupsOf({ names }, match) {
    return Object.fromEntries(names.map((name, i) => [name, match[i + 1]]));
}

class URLPattern {
    #compiled;

    // (input, baseURL, options) or (input, options)
    constructor(input = {}, baseURL = undefined, options = undefined) {
        let base;
        if (arguments.length < 3 && isDictionary(baseURL)) options = baseURL;
        else base = baseURL;
        const given = readInput(input);
        base = base === undefined && arguments.length < 3 ? undefined : usv(base);
        const ignoreCase = readIgnoreCase(options);
        if (typeof given === "object" && base !== undefined) {
            throw new TypeError("URLPattern: an object and a base URL do not go together");
        }
        const init = typeof given === "string" ? fromText(given, base) : given;
        this.#compiled = compileAll(init, ignoreCase);
    }

    // For each component what it matched; null when one did not.
    #match(given) {
        const matches = {};
        for (const name of components) {
            const match = this.#compiled[name].regexp.exec(given[name] ?? "");
            if (match === null) return null;
            matches[name] = match;
        }
        return matches;
    }

    test(input = {}, baseURL = undefined) {
        const compiled = this.#compiled;
        const given = componentsOfInput(readInput(input), readBase(baseURL));
        return (
            given !== null &&
            components.every(name => compiled[name].regexp.test(given[name] ?? ""))
        );
    }

    exec(input = {}, baseURL = undefined) {
        const compiled = this.#compiled;
        const read = readInput(input);
        const base = readBase(baseURL);
        const given = componentsOfInput(read, base);
        const matches = given && this.#match(given);
        if (matches === null) return null;
        const result = { inputs: base === undefined ? [read] : [read, base] };
        for (const name of components) {
            const match = matches[name];
            result[name] = { input: match[0], groups: groupsOf(compiled[name], match) };
        }
        return result;
    }

    get protocol() {
        return this.#compiled.protocol.pattern;
    }

    get username() {
        return this.#compiled.username.pattern;
    }

    get password() {
        return this.#compiled.password.pattern;
    }

    get hostname() {
        return this.#compiled.hostname.pattern;
    }

    get port() {
        return this.#compiled.port.pattern;
    }

    get pathname() {
        return this.#compiled.pathname.pattern;
    }

    get search() {
        return this.#compiled.search.pattern;
    }

    get hash() {
        return this.#compiled.hash.pattern;
    }

    get hasRegExpGroups() {
        const compiled = this.#compiled;
        return components.some(name => compiled[name].hasGroups);
    }
}
expose(URLPattern);

exports.URLPattern = URLPattern;
