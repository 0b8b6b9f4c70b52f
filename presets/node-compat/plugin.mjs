// An esbuild plugin that takes Node's modules from packages, with and without "node:":
//   build({ plugins: [nodeCompat()], inject: nodeCompat.inject, define: nodeCompat.define, ... })
import { builtinModules, createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const own = join(here, "modules");
const require = createRequire(import.meta.url);
const ownModule = name => join(own, `${name}.cjs`);

const modules = {
    assert: require.resolve("assert/"),
    "assert/strict": ownModule("assert_strict"),
    buffer: ownModule("buffer"),
    crypto: ownModule("crypto"),
    events: ownModule("events"),
    path: require.resolve("path-browserify"),
    "path/posix": require.resolve("path-browserify"),
    process: ownModule("process"),
    querystring: ownModule("querystring"),
    stream: ownModule("stream"),
    "stream/promises": ownModule("stream_promises"),
    string_decoder: require.resolve("string_decoder/"),
    timers: ownModule("timers"),
    url: ownModule("url"),
    util: ownModule("util"),
    "util/types": ownModule("util_types"),
};

// What unenv's modules need of each other, and which is too little for functions: its
// AsyncLocalStorage forgets its value at the first await.
const unenvAlone = {
    async_hooks: join(here, "node_modules/unenv/dist/runtime/node/async_hooks.mjs"),
};
const inUnenv = join(here, "node_modules/unenv") + sep;

const builtins = new Set(builtinModules.filter(name => !name.startsWith("_")));

export const moduleNames = Object.keys(modules);

// `empty`: names of Node's modules that are not there and that the function does not really need.
export function nodeCompat({ empty = [] } = {}) {
    const emptied = new Set(empty.map(name => name.replace(/^node:/, "")));
    for (const name of emptied)
        if (!builtins.has(name)) throw new Error(`"${name}", to be empty, is no module of Node`);
    return {
        name: "snapcell-node-compat",
        setup(build) {
            build.onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]*)?$/ }, args =>
                resolve(build, args, emptied)
            );
            build.onLoad({ filter: /.*/, namespace: "node-empty" }, () => ({
                contents: "module.exports = {};",
            }));
        },
    };
}
// What a build sets beside the plugin: names that are global in Node.
nodeCompat.inject = [join(own, "globals.mjs")];
nodeCompat.define = { global: "globalThis" };

async function resolve(build, { path, kind, importer, resolveDir, pluginData }, emptied) {
    const prefixed = path.startsWith("node:");
    const name = path.replace(/^node:/, "").replace(/\/$/, "");
    if (pluginData === "node-compat" || !(builtins.has(name) || prefixed)) return undefined;
    // Our own modules name the packages that they stand on with a slash at the end.
    if (importer.startsWith(own + sep) && path.endsWith("/")) return undefined;
    if (emptied.has(name)) return { path: name, namespace: "node-empty" };
    if (Object.hasOwn(modules, name)) return { path: modules[name], sideEffects: false };
    if (importer.startsWith(inUnenv) && Object.hasOwn(unenvAlone, name))
        return { path: unenvAlone[name], sideEffects: false };
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
