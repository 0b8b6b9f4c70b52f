"use strict";
// node:path is path-browserify: unenv's turns backslashes into slashes. `win32` is names alone.
const base = require("path-browserify");
const { checkString, invalidType, missingAll } = require("./errors.cjs");

// Each with the names of its arguments, which are strings.
const checked = (name, ...names) =>
    function (...args) {
        names.forEach((known, i) => {
            if (i < 1 || args[i] !== undefined || known === "to") checkString(args[i], known);
        });
        return base[name](...args);
    };

// Of as many strings as there are.
const all = (name, label) =>
    function (...args) {
        args.forEach((value, i) => checkString(value, label(i)));
        return base[name](...args);
    };

const ofWindows = ["basename", "dirname", "extname", "format", "isAbsolute", "join", "normalize"];
ofWindows.push("parse", "relative", "resolve", "toNamespacedPath");

const path = {
    basename: checked("basename", "path", "suffix"),
    delimiter: ":",
    dirname: checked("dirname", "path"),
    extname: checked("extname", "path"),
    format(parts) {
        if (typeof parts !== "object" || parts === null)
            throw invalidType("pathObject", "Object", parts);
        const { dir = parts.root, base: whole, name = "", ext = "" } = parts;
        const last = whole || `${name}${ext && ext[0] !== "." ? "." : ""}${ext}`;
        if (!dir) return last;
        return dir === parts.root ? `${dir}${last}` : `${dir}/${last}`;
    },
    isAbsolute: checked("isAbsolute", "path"),
    join: all("join", () => "path"),
    matchesGlob(name, pattern) {
        checkString(name, "path");
        checkString(pattern, "pattern");
        return require("./path_glob.cjs").expressionOf(pattern).test(base.normalize(name));
    },
    normalize: checked("normalize", "path"),
    parse: checked("parse", "path"),
    relative: checked("relative", "from", "to"),
    resolve: all("resolve", i => `paths[${i}]`),
    sep: "/",
    toNamespacedPath: value => value,
    win32: missingAll("path.win32", ofWindows),
};
path.posix = path;

module.exports = path;
require("./global_object.cjs").register("path", module.exports);
