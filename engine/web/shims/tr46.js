"use strict";
// tr46 carries tables of 200 KB; ICU has them. whatwg-url asks with one set of options alone.
exports.toASCII = domain => native.domainToAscii(domain);
