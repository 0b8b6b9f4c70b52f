"use strict";
// node:tls: a function has no sockets.
const { missingAll } = require("./errors.cjs");

const names = ["Server", "TLSSocket", "checkServerIdentity", "connect", "createSecureContext"];
names.push("createServer", "getCACertificates", "getCiphers");

module.exports = { ...missingAll("tls", names), rootCertificates: [] };
