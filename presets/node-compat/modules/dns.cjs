"use strict";
// node:dns: names are for fetch() to resolve. lookup() knows addresses and this machine alone.
const { checkFunction, checkString, missingAll } = require("./errors.cjs");
const { isIP } = require("./net.cjs");

const names = ["Resolver", "lookupService", "resolve", "resolve4", "resolve6", "resolveAny"];
names.push("resolveCaa", "resolveCname", "resolveMx", "resolveNaptr", "resolveNs", "resolvePtr");
names.push("resolveSoa", "resolveSrv", "resolveTxt", "reverse", "setServers", "getServers");
names.push("getDefaultResultOrder", "setDefaultResultOrder", "resolveTlsa");

// How failures are called.
const codes = { ADDRCONFIG: 32, ALL: 16, V4MAPPED: 8 };
for (const name of [
    "NODATA",
    "FORMERR",
    "SERVFAIL",
    "NOTFOUND",
    "NOTIMP",
    "REFUSED",
    "BADQUERY",
    "BADNAME",
])
    codes[name] = `E${name}`;
for (const name of [
    "BADFAMILY",
    "BADRESP",
    "CONNREFUSED",
    "TIMEOUT",
    "EOF",
    "FILE",
    "NOMEM",
    "DESTRUCTION",
])
    codes[name] = `E${name}`;
for (const name of ["BADSTR", "BADFLAGS", "NONAME", "BADHINTS", "NOTINITIALIZED", "CANCELLED"])
    codes[name] = `E${name}`;

function addressesOf(name, { family = 0, all = false } = {}) {
    const local = name === "localhost" ? "127.0.0.1" : name;
    const kind = isIP(local);
    const wanted = { IPv4: 4, IPv6: 6 }[family] ?? family;
    if (kind === 0 || (wanted !== 0 && wanted !== kind)) {
        const details = { errno: -3008, code: "ENOTFOUND", syscall: "getaddrinfo", hostname: name };
        throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), details);
    }
    const address = { address: local, family: kind };
    return all ? [address] : address;
}

const optionsOf = options => (typeof options === "number" ? { family: options } : (options ?? {}));

function lookup(name, ...rest) {
    const [options, done] = rest.length > 1 ? rest : [{}, rest[0]];
    checkString(name, "hostname");
    checkFunction(done, "callback");
    let outcome;
    try {
        const found = addressesOf(name, optionsOf(options));
        outcome = Array.isArray(found) ? [null, found] : [null, found.address, found.family];
    } catch (error) {
        outcome = [error];
    }
    setTimeout(() => done(...outcome), 0);
    return {};
}

module.exports = {
    lookup,
    ...missingAll("dns", names),
    ...codes,
    promises: {
        lookup: async (name, options) => addressesOf(name, optionsOf(options)),
        ...missingAll("dns/promises", names),
        ...codes,
    },
};
