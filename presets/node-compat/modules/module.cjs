"use strict";
// node:module: nothing is loaded while a function runs, so that require() finds Node's modules, and what was bundled
// for it, alone.
const { checkString, failure, invalidValue, missingAll } = require("./errors.cjs");

// Each is evaluated when it is required.
const found = {
    __proto__: null,
    assert: () => require("node:assert"),
    "assert/strict": () => require("node:assert/strict"),
    async_hooks: () => require("node:async_hooks"),
    buffer: () => require("node:buffer"),
    console: () => require("node:console"),
    constants: () => require("node:constants"),
    crypto: () => require("node:crypto"),
    diagnostics_channel: () => require("node:diagnostics_channel"),
    events: () => require("node:events"),
    fs: () => require("node:fs"),
    "fs/promises": () => require("node:fs/promises"),
    http: () => require("node:http"),
    https: () => require("node:https"),
    module: () => module.exports,
    net: () => require("node:net"),
    dns: () => require("node:dns"),
    "dns/promises": () => require("node:dns/promises"),
    tls: () => require("node:tls"),
    v8: () => require("node:v8"),
    os: () => require("node:os"),
    path: () => require("node:path"),
    "path/posix": () => require("node:path/posix"),
    perf_hooks: () => require("node:perf_hooks"),
    process: () => require("node:process"),
    punycode: () => require("node:punycode"),
    querystring: () => require("node:querystring"),
    stream: () => require("node:stream"),
    "stream/consumers": () => require("node:stream/consumers"),
    "stream/promises": () => require("node:stream/promises"),
    "stream/web": () => require("node:stream/web"),
    string_decoder: () => require("node:string_decoder"),
    timers: () => require("node:timers"),
    "timers/promises": () => require("node:timers/promises"),
    tty: () => require("node:tty"),
    url: () => require("node:url"),
    util: () => require("node:util"),
    "util/types": () => require("node:util/types"),
    worker_threads: () => require("node:worker_threads"),
    zlib: () => require("node:zlib"),
    child_process: () => require("node:child_process"),
    cluster: () => require("node:cluster"),
    dgram: () => require("node:dgram"),
    domain: () => require("node:domain"),
    http2: () => require("node:http2"),
    inspector: () => require("node:inspector"),
    "inspector/promises": () => require("node:inspector/promises"),
    "path/win32": () => require("node:path/win32"),
    readline: () => require("node:readline"),
    "readline/promises": () => require("node:readline/promises"),
    repl: () => require("node:repl"),
    trace_events: () => require("node:trace_events"),
    wasi: () => require("node:wasi"),
    vm: () => require("node:vm"),
};

const bareName = name => name.replace(/^node:/, "");
// With "node:" alone; there are no more than names of them.
const prefixed = /^node:(sea|sqlite|test|test\/reporters)$/;
const isFound = name => typeof name === "string" && bareName(name) in found;
const isBuiltin = name => isFound(name) || prefixed.test(name);
const builtin = name => found[bareName(name)]?.();

function notFound(name, from) {
    const message = `Cannot find module '${name}'\nRequire stack:\n- ${from}`;
    return Object.assign(failure(Error, "MODULE_NOT_FOUND", message), { requireStack: [from] });
}

// `files`: those that the build bundled for this place, by the names that they are required by.
function createRequire(filename, files = { __proto__: null }) {
    const text = filename instanceof URL ? filename.href : filename;
    const isPlace = typeof text === "string" && (text.startsWith("/") || text.startsWith("file:"));
    if (!isPlace)
        throw invalidValue(
            "filename",
            filename,
            "must be a file URL object, file URL string, or absolute path string"
        );
    function require(name) {
        checkString(name, "id");
        if (isFound(name)) return builtin(name);
        if (name in files) return files[name]();
        throw notFound(name, text);
    }
    require.resolve = name => {
        if (isBuiltin(name)) return name;
        throw notFound(name, text);
    };
    require.cache = { __proto__: null };
    return require;
}

const absent = ["enableCompileCache", "findPackageJSON", "findSourceMap", "flushCompileCache"];
absent.push(
    "register",
    "registerHooks",
    "runMain",
    "stripTypeScriptTypes",
    "syncBuiltinESMExports"
);

absent.push("SourceMap", "getCompileCacheDir", "getSourceMapsSupport", "setSourceMapsSupport");

function Module(id = "") {
    this.id = id;
    this.exports = {};
}
Object.assign(Module, missingAll("module", absent), {
    Module,
    _cache: { __proto__: null },
    _extensions: { __proto__: null },
    builtin,
    constants: {},
    globalPaths: [],
    builtinModules: Object.keys(found),
    createRequire,
    isBuiltin,
});

module.exports = Module;
