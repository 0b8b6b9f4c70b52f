"use strict";
// node:url from unenv; URL and URLSearchParams are looked up when they are asked for.
const url = require("unenv/node/url");

module.exports = {
    Url: url.Url,
    domainToASCII: url.domainToASCII,
    domainToUnicode: url.domainToUnicode,
    fileURLToPath: url.fileURLToPath,
    format: url.format,
    parse: url.parse,
    pathToFileURL: url.pathToFileURL,
    resolve: url.resolve,
    resolveObject: url.resolveObject,
    urlToHttpOptions: url.urlToHttpOptions,
    get URL() {
        return globalThis.URL;
    },
    get URLSearchParams() {
        return globalThis.URLSearchParams;
    },
};
require("./global_object.cjs").register("url", module.exports);
