"use strict";
// The files that the build embedded; the plugin substitutes them.
module.exports = { __proto__: null };
