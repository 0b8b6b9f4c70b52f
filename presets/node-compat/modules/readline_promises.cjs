"use strict";
module.exports = require("./readline.cjs").promises;
