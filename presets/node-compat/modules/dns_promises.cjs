"use strict";
module.exports = require("./dns.cjs").promises;
