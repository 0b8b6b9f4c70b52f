"use strict";
// node:url from unenv; URL and URLSearchParams are looked up when they are asked for.
const url = require("unenv/node/url");

// The host name that a URL would have; "" for what is none.
function domainToASCII(domain) {
    try {
        return new URL(`http://${domain}`).hostname;
    } catch {
        return "";
    }
}

module.exports = {
    Url: url.Url,
    domainToASCII,
    domainToUnicode: domain => url.domainToUnicode(domainToASCII(domain)),
    fileURLToPathBuffer: given => require("./buffer.cjs").Buffer.from(url.fileURLToPath(given)),
    fileURLToPath: url.fileURLToPath,
    format: url.format,
    parse: url.parse,
    pathToFileURL: url.pathToFileURL,
    resolve: url.resolve,
    resolveObject: url.resolveObject,
    urlToHttpOptions: url.urlToHttpOptions,
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
