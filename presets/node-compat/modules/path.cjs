"use strict";
// node:path is path-browserify: unenv's turns backslashes into slashes. There is no `win32`.
const path = require("path-browserify");

path.posix = path;
path.matchesGlob ??= require("./errors.cjs").missing("path", "matchesGlob");
path.toNamespacedPath ??= value => value;

module.exports = path;
require("./global_object.cjs").register("path", module.exports);
