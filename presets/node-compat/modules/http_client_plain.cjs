"use strict";
// Requests of node:http, without TLS unless their URL says so.
module.exports = require("./http_client.cjs").client("http:");
