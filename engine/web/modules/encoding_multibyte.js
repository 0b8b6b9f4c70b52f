"use strict";
// Encodings that need large tables.
exports.newDecoder = require("@exodus/bytes/multi-byte.js").createMultibyteDecoder;
