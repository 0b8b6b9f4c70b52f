"use strict";
// RequestInit of the Fetch standard: what new Request() and fetch() take in addition to a URL.
const { brands, dictionary } = require("snapcell:idl");
const { convertBody } = require("snapcell:fetch");

// What an option may be that is not free text.
const choices = {
    cache: "default|no-store|reload|no-cache|force-cache|only-if-cached",
    credentials: "omit|same-origin|include",
    duplex: "half",
    mode: "navigate|same-origin|no-cors|cors",
    priority: "high|low|auto",
    redirect: "follow|error|manual",
    referrerPolicy:
        "|no-referrer|no-referrer-when-downgrade|same-origin|origin|strict-origin|" +
        "origin-when-cross-origin|strict-origin-when-cross-origin|unsafe-url",
};

function choice(name, value) {
    const text = `${value}`;
    const known = choices[name].split("|");
    if (known.includes(text)) return text;
    throw new TypeError(
        `Request: the option ${name} must be one of ${known.join(", ")}, not ${JSON.stringify(text)}`
    );
}

function convertSignal(signal) {
    if (signal === null || brands.signal?.(signal)) return signal;
    throw new TypeError("Request: the signal must be an AbortSignal");
}

// The members in the order in which Web IDL reads and converts them.
const conversions = {
    body: convertBody,
    cache: value => choice("cache", value),
    credentials: value => choice("credentials", value),
    duplex: value => choice("duplex", value),
    headers: value => require("snapcell:headers").convert(value, "Request"),
    integrity: value => `${value}`,
    keepalive: Boolean,
    method: value => `${value}`,
    mode: value => choice("mode", value),
    priority: value => choice("priority", value),
    redirect: value => choice("redirect", value),
    referrer: value => `${value}`.toWellFormed(),
    referrerPolicy: value => choice("referrerPolicy", value),
    signal: convertSignal,
    window: value => value,
};

exports.convert = init => {
    const given = dictionary(init, "Request");
    const values = { __proto__: null };
    for (const name of Object.keys(conversions)) {
        const value = given[name];
        if (value !== undefined) values[name] = conversions[name](value);
    }
    return values;
};

exports.checkedMethod = method => {
    const upper = method.toUpperCase();
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) {
        throw new TypeError(`Request: invalid method ${JSON.stringify(method)}`);
    }
    if (upper === "CONNECT" || upper === "TRACE" || upper === "TRACK") {
        throw new TypeError(`Request: the method ${upper} is not allowed`);
    }
    const known = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper);
    return known ? upper : method;
};

// --- Options that mean nothing here but are kept ---

function checkOptions({ cache, mode }, method) {
    if (mode === "navigate") throw new TypeError('Request: the mode cannot be "navigate"');
    if (cache === "only-if-cached" && mode !== "same-origin") {
        throw new TypeError('Request: the cache mode only-if-cached needs the mode "same-origin"');
    }
    if (mode === "no-cors" && !["GET", "HEAD", "POST"].includes(method)) {
        throw new TypeError(`Request: the mode no-cors does not go with the method ${method}`);
    }
}

// Those of a request. Whatever is given, a referrer of the request before is not its referrer.
exports.merge = (before, given, method) => {
    if (Object.keys(given).length === 0) return before;
    if (given.window !== undefined && given.window !== null) {
        throw new TypeError("Request: the option window can only be null");
    }
    const options = { ...before, referrer: "about:client", referrerPolicy: "" };
    for (const name in given) if (name in options) options[name] = given[name];
    if (given.referrer) {
        options.referrer = require("snapcell:url").absolute(given.referrer, "Request.referrer");
    }
    checkOptions(options, method);
    return options;
};
