// An esbuild plugin that takes Node's modules from packages, with and without "node:":
//   build({ plugins: [nodeCompat()], inject: nodeCompat.inject, define: nodeCompat.define, ... })
import { builtinModules, createRequire } from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { moduleFor, requiredBy, shownImporter } from "./required.mjs";
import { assetsModule, checkPlaces, expressionsOf, filesModule, rulesOf } from "./embedded.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const own = join(here, "modules");
const require = createRequire(import.meta.url);
const ownModule = name => join(own, name.includes(".") ? name : `${name}.cjs`);

// Node's names, and those of our files where they differ.
const ownModules = {
    assert: "assert",
    "assert/strict": "assert_strict",
    async_hooks: "async_hooks.mjs",
    buffer: "buffer",
    console: "console",
    constants: "constants",
    crypto: "crypto",
    diagnostics_channel: "diagnostics_channel",
    dns: "dns",
    "dns/promises": "dns_promises",
    events: "events",
    fs: "fs",
    "fs/promises": "fs_promises",
    http: "http",
    https: "https",
    module: "module",
    net: "net",
    os: "os",
    "path/posix": "path",
    path: "path",
    perf_hooks: "perf_hooks",
    process: "process",
    querystring: "querystring",
    readline: "readline",
    "readline/promises": "readline_promises",
    stream: "stream",
    "stream/consumers": "stream_consumers",
    "stream/promises": "stream_promises",
    "stream/web": "stream_web",
    string_decoder: "string_decoder",
    sys: "util",
    timers: "timers",
    "timers/promises": "timers_promises",
    tls: "tls",
    tty: "tty",
    url: "url",
    util: "util",
    "util/types": "util_types",
    v8: "v8",
    vm: "vm",
    worker_threads: "worker_threads",
    zlib: "zlib",
};

const modules = {
    __proto__: null,
    punycode: join(here, "node_modules/unenv/dist/runtime/node/punycode.mjs"),
};
for (const [name, file] of Object.entries(ownModules)) modules[name] = ownModule(file);

// Modules of many parts, for who imports names of them.
const facades = { __proto__: null, http: ownModule("http.mjs") };

// What the engine has, and a bundle goes on importing.
const ofEngine = ["cloudflare:workers", "snapcell:node"];

// Modules of which there are names alone; each function throws an error that names it.
const absentModules = JSON.parse(readFileSync(join(here, "absent.json"), "utf8"));

function absentModule(name) {
    const { functions, values, symbols } = absentModules[name];
    const known = Object.entries(symbols).map(
        ([key, text]) => `${key}: Symbol(${JSON.stringify(text)})`
    );
    return {
        contents: `const { missingAll } = require("./errors.cjs");
            module.exports = Object.assign(missingAll(${JSON.stringify([name, functions]).slice(1, -1)}),
                ${JSON.stringify(values)}, { ${known.join(", ")} });`,
        resolveDir: own,
    };
}

const isBuiltin = name => /^node:/.test(name) || builtins.has(name);

const { works, throws } = JSON.parse(readFileSync(join(here, "names.json"), "utf8")).module;
const moduleExports = [...works, ...throws];

const workersModule = join(own, "workers.mjs");

const plainNames = builtinModules.map(name => name.replace(/^node:/, ""));
const builtins = new Set(plainNames.filter(name => !name.startsWith("_")));
for (const name of ["sea", "sqlite", "test", "test/reporters"]) builtins.delete(name); // with "node:" alone

export const moduleNames = [...Object.keys(modules), ...Object.keys(absentModules)].sort();

// `empty`: names of Node's modules that the function does not really need.
// `files`: { "/path/in/the/function": "file or folder" }, what node:fs reads.
// `env`: what env of "cloudflare:workers" is at top level and in warm-ups; the snapshot keeps what comes of it.
// `assets`: a folder whose files are served, or { directory, binding, workerFirst, html, missing }:
//   `binding` ("ASSETS"): the name in env; `workerFirst` (false): the function answers requests for files, too, all of
//   them, or those of a list of patterns, such as ["/api/*", "!/api/docs/*"]; `html` ("auto" or "none"): whether /page
//   stands for page.html; `missing` ("none", "404-page", "single-page-application"): what the binding answers for other
//   paths; `navigation` (true): whether a browser that goes to such a path gets that, and not the function's answer.
export function nodeCompat({ empty = [], files, env, assets } = {}) {
    checkPlaces(files ?? {});
    const emptied = new Set(empty.map(name => name.replace(/^node:/, "")));
    for (const name of emptied)
        if (!builtins.has(name)) throw new Error(`"${name}", to be empty, is not a module of Node`);
    return {
        name: "snapcell-node-compat",
        setup(build) {
            build.onResolve({ filter: /^(cloudflare|snapcell|bun):/ }, args => {
                const { path, importer } = args;
                if (env && path === "cloudflare:workers" && importer !== workersModule)
                    return { path: workersModule };
                return ofEngine.includes(path) ? { path, external: true } : ofPlatform(args);
            });
            build.onResolve({ filter: /^(node:)?[a-z_0-9]+(\/[a-z0-9]*)?$/ }, args =>
                resolve(build, args, emptied)
            );
            build.onLoad({ filter: /.*/, namespace: "node-empty" }, () => ({
                contents: "module.exports = {};",
            }));
            build.onResolve({ filter: /^[\w@][^:]*$/ }, args => optional(build, args));
            build.onResolve({ filter: /^\.\/(streams|extend-node)$/ }, forNode);
            build.onLoad({ filter: /.*/, namespace: "not-installed" }, ({ path }) => ({
                contents: notInstalled(path),
            }));
            build.onLoad({ filter: /.*/, namespace: "node-required" }, ({ pluginData }) =>
                moduleFor(build, pluginData, { module: modules.module, names: moduleExports })
            );
            build.onLoad({ filter: /.*/, namespace: "node-absent" }, ({ path }) =>
                absentModule(path)
            );
            addFiles(build);
            if (env)
                substitute(
                    build,
                    "build_env.cjs",
                    () => `module.exports = ${JSON.stringify(env)};`
                );
            if (files) substitute(build, "files.cjs", () => filesModule(files));
            if (assets)
                addAssets(build, typeof assets === "string" ? { directory: assets } : assets);
        },
    };
}
// What a build sets in addition to the plugin: names that are global in Node, as they are and as members of
// the global object.
nodeCompat.inject = [join(own, "globals.mjs")];
nodeCompat.define = { global: "globalThis" };
const holders = { Buffer: "bufferGlobal", process: "processGlobal" }; // of modules/globals.mjs
for (const name of ["Immediate", "Interval", "Timeout"])
    for (const call of ["set", "clear"]) holders[call + name] = "timersGlobal";
for (const [name, holder] of Object.entries(holders))
    for (const object of ["globalThis", "global", "self"])
        nodeCompat.define[`${object}.${name}`] = `${holder}.${name}`;

// --- Files that the build embeds ---

const assetChoices = {
    binding: /^[\w$]+$/,
    workerFirst: /^(true|false|!?\/[^,]*(,!?\/[^,]*)*)$/, // or a list of patterns
    navigation: /^(true|false)$/,
    html: /^(auto|none)$/,
    missing: /^(none|404-page|single-page-application)$/,
};

function addAssets(build, { directory, ...given }) {
    const options = {
        binding: "ASSETS",
        workerFirst: false,
        html: "auto",
        missing: "none",
        navigation: true,
        ...given,
    };
    for (const [name, value] of Object.entries(options))
        if (!assetChoices[name]?.test(String(value)))
            throw new Error(`assets: "${name}" cannot be ${JSON.stringify(value)}`);
    substitute(build, "assets_files.cjs", () => assetsModule(directory));
    substitute(build, "assets_options.cjs", () => {
        const all = { ...options, ...rulesOf(directory) };
        if (Array.isArray(all.workerFirst)) all.workerFirst = expressionsOf(all.workerFirst);
        return `module.exports = ${JSON.stringify(all)};`;
    });
    build.initialOptions.inject = [...(build.initialOptions.inject ?? []), join(own, "assets.mjs")];
}

function substitute(build, name, contents) {
    const pattern = new RegExp(`[\\\\/]modules[\\\\/]${name.replace(".", "\\.")}$`);
    build.onLoad({ filter: pattern }, ({ path }) =>
        path === join(own, name) ? { contents: contents(), loader: "js" } : undefined
    );
}

// --- Files that wrangler's rules take for modules, and its output leaves next to the script ---

const fileKinds = {
    "\\.wasm(\\?module)?$": "wasm",
    "\\.(txt|html|sql)$": "text",
    "\\.bin$": "data",
};
const fileContents = {
    text: path => ({ contents: readFileSync(path), loader: "text" }),
    data: path => decoded(path, "support.textBytes(text).buffer"),
    wasm: path => decoded(path, "new WebAssembly.Module(support.textBytes(text))"),
};

// The bytes stay in the bundle's text, of which a snapshot holds nothing.
const decoded = (path, value) => ({
    contents:
        `import support from "snapcell:node"; const text = () => "${readFileSync(path, "base64")}"; ` +
        `export default ${value};`,
    loader: "js",
});

function addFiles(build) {
    for (const [ending, kind] of Object.entries(fileKinds)) {
        build.onResolve({ filter: new RegExp(ending) }, async ({ path, pluginData, ...from }) => {
            if (pluginData === "node-compat") return undefined;
            const { kind: how, importer, resolveDir } = from;
            const options = { kind: how, importer, resolveDir, pluginData: "node-compat" };
            const found = await build.resolve(path.replace(/\?module$/, ""), options);
            return found.errors.length > 0
                ? { errors: found.errors }
                : { path: found.path, namespace: `file-${kind}` };
        });
        build.onLoad({ filter: /.*/, namespace: `file-${kind}` }, ({ path }) =>
            fileContents[kind](path)
        );
    }
}

const platforms = { cloudflare: "Workers", bun: "Bun" };
const mayBeAbsent = ({ kind, importer }) =>
    (kind === "dynamic-import" || kind === "require-call") &&
    importer.includes(`${sep}node_modules${sep}`);

// A module that only another platform has. A package may load it where it is on that platform.
function ofPlatform({ path, ...how }) {
    const platform = platforms[path.split(":")[0]];
    if (!platform) return undefined;
    if (mayBeAbsent(how)) return { path, namespace: "not-installed" };
    return {
        errors: [{ text: `"${path}" is a module of ${platform} that functions do not have` }],
    };
}

// A package that another one loads if it is installed: when it is not, loading it throws what Node would throw.
async function optional(build, { path, kind, importer, resolveDir, pluginData }) {
    if (!mayBeAbsent({ kind, importer }) || pluginData === "node-compat") return undefined;
    const options = { kind, importer, resolveDir, pluginData: "node-compat" };
    const { errors } = await build.resolve(path, options);
    return errors.length > 0 ? { path, namespace: "not-installed" } : undefined;
}

// iconv-lite 0.4, which express 4 decodes bodies by, leaves two files of its own out of bundles for browsers, and calls
// them where there is a process.
function forNode({ path, importer, resolveDir }) {
    if (!/[\\/]iconv-lite[\\/]lib[\\/]index\.js$/.test(importer)) return undefined;
    const file = join(resolveDir, `${path}.js`);
    return existsSync(file) ? { path: file } : undefined;
}

const notInstalled = name => `
    throw Object.assign(new Error("Cannot find package '${name}': it was not installed when the function was bundled"),
        { code: "MODULE_NOT_FOUND" });`;

async function resolve(build, { path, kind, importer, resolveDir, pluginData }, emptied) {
    const prefixed = path.startsWith("node:");
    const name = path.replace(/^node:/, "").replace(/\/$/, "");
    if (pluginData === "node-compat" || !(builtins.has(name) || prefixed)) return undefined;
    // Our own modules name the packages that they use with a slash at the end.
    if (importer.startsWith(own + sep) && path.endsWith("/")) return undefined;
    if (emptied.has(name)) return { path: name, namespace: "node-empty" };
    if (name === "async_hooks" && importer === modules.async_hooks)
        return { path: "node:async_hooks", external: true };
    const specifiers =
        name === "module" && kind === "import-statement" ? requiredBy(importer, isBuiltin) : [];
    if (specifiers.length > 0)
        return {
            path: shownImporter(build, importer),
            namespace: "node-required",
            pluginData: { importer, specifiers },
            sideEffects: false,
        };
    const known = (kind === "import-statement" && facades[name]) || modules[name];
    if (known) return { path: known, sideEffects: false };
    if (name in absentModules) return { path: name, namespace: "node-absent", sideEffects: false };
    if (!prefixed) {
        const options = { kind, importer, resolveDir, pluginData: "node-compat" };
        const installed = await build.resolve(path, options); // a package of that name, perhaps
        if (installed.errors.length === 0) return undefined;
    }
    const text =
        `"${path}" of Node is not among the modules of this preset (${moduleNames.join(", ")}). ` +
        `If the function works without it: --empty ${name}`;
    return { errors: [{ text }] };
}
