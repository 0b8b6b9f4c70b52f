"use strict";
// node:tls: a function has no sockets.
const { missingAll } = require("./errors.cjs");

const names = ["Server", "TLSSocket", "checkServerIdentity", "connect", "createSecureContext"];
names.push(
    "createServer",
    "getCACertificates",
    "getCiphers",
    "SecureContext",
    "convertALPNProtocols",
    "setDefaultCACertificates"
);

module.exports = {
    ...missingAll("tls", names),
    rootCertificates: [],
    CLIENT_RENEG_LIMIT: 3,
    CLIENT_RENEG_WINDOW: 600,
    DEFAULT_CIPHERS: "",
    DEFAULT_ECDH_CURVE: "auto",
    DEFAULT_MAX_VERSION: "TLSv1.3",
    DEFAULT_MIN_VERSION: "TLSv1.2",
};
