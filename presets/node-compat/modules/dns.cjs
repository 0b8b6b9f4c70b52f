"use strict";
// node:dns: names are for fetch() to resolve.
const { missingAll } = require("./errors.cjs");

const names = [
    "Resolver",
    "lookup",
    "lookupService",
    "resolve",
    "resolve4",
    "resolve6",
    "resolveAny",
];
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

module.exports = {
    ...missingAll("dns", names),
    ...codes,
    promises: { ...missingAll("dns/promises", names), ...codes },
};
