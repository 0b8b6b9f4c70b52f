"use strict";
// The assets that the build embedded; the plugin substitutes them.
module.exports = { __proto__: null };
