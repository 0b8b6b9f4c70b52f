"use strict";
// whatwg-url's lib/percent-encoding.js.
module.exports = require("snapcell:percent");
