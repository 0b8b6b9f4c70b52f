// What an entry is written for, where that is not what the native program takes itself. An adapter is a module that
// imports the entry and exports what answers requests.
import { fileURLToPath } from "node:url";
import { usageFailure } from "./failure.js";

export const runtimeFolder = fileURLToPath(new URL("runtime/", import.meta.url));

const lambda = format => entry =>
    `import * as user from ${entry};` +
    `import { lambdaFetch } from "snapcell:runtime/lambda";` +
    `export default lambdaFetch(user, "${format}");`;

const adapters = {
    lambda: lambda("v2"),
    "lambda-v2": lambda("v2"),
    "lambda-v1": lambda("v1"),
    "lambda-alb": lambda("alb"),
    // The object Netlify is there before the entry is evaluated.
    netlify: entry =>
        `import { netlifyFetch } from "snapcell:runtime/netlify";` +
        `import * as user from ${entry};` +
        `export default netlifyFetch(user);`,
    methods: entry =>
        `import * as user from ${entry};` +
        `import { methodsFetch } from "snapcell:runtime/methods";` +
        `export default methodsFetch(user);`,
};

export const adapterNames = Object.keys(adapters);

/** Of assets without a function: other paths are what the binding says of them. */
export const assetsAlone = "assets";
const assetsFetch = "export default { fetch: (request, env) => env.ASSETS.fetch(request) };";

/**
 * The module that adapts an entry; undefined when there is nothing to adapt.
 * @param {string | undefined} adapter
 * @param {string} entry
 */
export function adapted(adapter, entry) {
    if (adapter === undefined || adapter === "none") return undefined;
    if (adapter === assetsAlone) return assetsFetch;
    if (!Object.hasOwn(adapters, adapter))
        throw usageFailure(
            `no adapter is called "${adapter}": use ${adapterNames.join(", ")} or none`
        );
    return adapters[adapter](JSON.stringify(entry));
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/**
 * The adapter that a bundle needs, as its exports tell.
 * @param {{ outputs: Record<string, { entryPoint?: string, exports?: string[] }> }} metafile
 */
export function neededAdapter(metafile) {
    const names = Object.values(metafile.outputs).flatMap(output => output.exports ?? []);
    const answers = names.some(name => ["default", "handler", "fetch"].includes(name));
    return !answers && names.some(name => methods.includes(name)) ? "methods" : undefined;
}

/** Finds the modules that adapters import. @returns {import("esbuild").Plugin} */
export const runtimePlugin = () => ({
    name: "snapcell-runtime",
    setup(build) {
        build.onResolve({ filter: /^snapcell:runtime\// }, ({ path }) => ({
            path: `${runtimeFolder}${path.slice("snapcell:runtime/".length)}.js`,
            sideEffects: false,
        }));
    },
});
