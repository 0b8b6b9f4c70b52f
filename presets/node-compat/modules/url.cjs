"use strict";
// node:url from unenv; URL and URLSearchParams are looked up on first use.
const url = require("unenv/node/url");
const { checkString, failure, invalidType } = require("./errors.cjs");

// The host name that a URL would have; "" for what is none.
function domainToASCII(domain) {
    try {
        return new URL(`http://${domain}`).hostname;
    } catch {
        return "";
    }
}

// --- Files ---

const invalidPath = what =>
    failure(
        TypeError,
        "ERR_INVALID_FILE_URL_PATH",
        `File URL path must not include encoded ${what}`
    );

function fileURLToPath(given) {
    const isUrl =
        typeof given === "object" &&
        given !== null &&
        typeof given.href === "string" &&
        given.protocol;
    if (typeof given !== "string" && !isUrl) throw invalidType("path", ["string", "URL"], given);
    const parsed = typeof given === "string" ? new URL(given) : given;
    if (parsed.protocol !== "file:")
        throw failure(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
    if (parsed.hostname !== "")
        throw failure(
            TypeError,
            "ERR_INVALID_FILE_URL_HOST",
            'File URL host must be "localhost" or empty on linux'
        );
    if (/%2f/i.test(parsed.pathname)) throw invalidPath("/ characters");
    return decodeURIComponent(parsed.pathname);
}

function urlToHttpOptions(given) {
    const { hostname, pathname = "", search = "" } = given;
    const options = {
        __proto__: null,
        ...given,
        protocol: given.protocol,
        hostname: hostname?.startsWith("[") ? hostname.slice(1, -1) : hostname,
        hash: given.hash,
        search: given.search,
        pathname: given.pathname,
        path: `${pathname || ""}${search || ""}`,
        href: given.href,
    };
    if (given.port !== "") options.port = Number(given.port);
    if (given.username || given.password)
        options.auth = `${decodeURIComponent(given.username)}:${decodeURIComponent(given.password)}`;
    return options;
}

// --- Node's own form of URLs, whose members have this order ---

const members = ["protocol", "slashes", "auth", "host", "port", "hostname", "hash", "search"];
members.push("query", "pathname", "path", "href");

function parse(text, ...options) {
    checkString(text, "url");
    const parsed = quietly(() => url.parse(text, ...options));
    const ordered = new url.Url();
    for (const name of Object.keys(ordered)) delete ordered[name];
    for (const name of members) ordered[name] = parsed[name];
    return ordered;
}

// unenv tells on the console that the function is old.
function quietly(call) {
    const { warn } = console;
    console.warn = () => {};
    try {
        return call();
    } finally {
        console.warn = warn;
    }
}

module.exports = {
    Url: url.Url,
    domainToASCII,
    domainToUnicode: domain => url.domainToUnicode(domainToASCII(domain)),
    fileURLToPathBuffer: given => require("./buffer.cjs").Buffer.from(fileURLToPath(given)),
    fileURLToPath,
    format: (...args) => quietly(() => url.format(...args)),
    parse,
    pathToFileURL: url.pathToFileURL,
    resolve: (...args) => quietly(() => url.resolve(...args)),
    resolveObject: (...args) => quietly(() => url.resolveObject(...args)),
    urlToHttpOptions,
    get URLPattern() {
        return globalThis["URLPattern"];
    },
    get URL() {
        return globalThis.URL;
    },
    get URLSearchParams() {
        return globalThis.URLSearchParams;
    },
};
require("./global_object.cjs").register("url", module.exports);
