"use strict";
// @exodus/bytes/whatwg.js: whatwg-url encodes queries with it, in the encoding of a document, which
// is UTF-8 here.
const { utf8PercentEncodeString } = require("./percent_encoding.js");

const sets = new Map();

function predicate(characters) {
    let test = sets.get(characters);
    if (!test) {
        const bytes = new Set([...characters].map(character => character.charCodeAt(0)));
        test = byte => byte < 0x20 || byte > 0x7e || bytes.has(byte);
        sets.set(characters, test);
    }
    return test;
}

exports.percentEncodeAfterEncoding = (encoding, input, characters, spaceAsPlus = false) =>
    utf8PercentEncodeString(input, predicate(characters), spaceAsPlus);
