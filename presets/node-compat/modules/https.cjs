"use strict";
// node:https, as node:http.
const { missingAll } = require("./errors.cjs");

module.exports = {
    ...missingAll("https", ["Agent", "Server", "createServer", "get", "request"]),
    globalAgent: {},
};
