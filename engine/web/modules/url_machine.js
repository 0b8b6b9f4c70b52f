"use strict";
// The URL standard's parser and serializers, for URLs that native.splitUrl leaves to it.
module.exports = require("whatwg-url/lib/url-state-machine.js");
