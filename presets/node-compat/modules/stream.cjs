"use strict";
// node:stream: Node's own, as the package readable-stream publishes it.
module.exports = require("readable-stream/lib/ours/browser.js");
