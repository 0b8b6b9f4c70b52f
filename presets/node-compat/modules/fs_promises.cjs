"use strict";
module.exports = require("./fs.cjs").promises;
