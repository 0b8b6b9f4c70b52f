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

module.exports = { ...missingAll("dns", names), promises: missingAll("dns/promises", names) };
