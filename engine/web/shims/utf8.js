"use strict";
// whatwg-url's lib/encoding.js: it would make a TextEncoder and a TextDecoder.
exports.utf8Encode = string => native.utf8Encode(string);
exports.utf8DecodeWithoutBOM = bytes => native.utf8Decode(bytes, false, true);
