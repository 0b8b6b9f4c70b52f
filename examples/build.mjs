// Bundles every function under examples/ with esbuild: `node build.mjs DIR` makes DIR/NAME.js.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { nodeCompat } from "../presets/node-compat/plugin.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? join(here, "../build/examples"));

// Where a function is more than an ES module without a source map.
const special = {
    "service-worker": { format: "iife" },
    commonjs: { format: "cjs" },
    typescript: { sourcemap: true },
    "json-handler": { sourcemap: "inline" },
    webhook: { plugins: [nodeCompat()] }, // imports modules of Node
};

function entryPoint(name) {
    const ends = ["js", "jsx", "ts", "cjs"];
    const found = ends.map(end => join(here, name, `index.${end}`)).find(file => existsSync(file));
    if (!found)
        throw new Error(`examples/${name} has no index.js, index.jsx, index.ts or index.cjs`);
    return found;
}

async function bundle(name) {
    await build({
        absWorkingDir: here,
        entryPoints: [entryPoint(name)],
        outfile: join(output, `${name}.js`),
        bundle: true,
        format: "esm",
        target: "es2022",
        platform: "browser",
        // What edge platforms choose: packages then give what needs neither files nor a DOM.
        conditions: ["workerd", "worker", "browser"],
        define: { "process.env.NODE_ENV": '"production"' },
        jsx: "automatic",
        logLevel: "warning",
        ...special[name],
    });
}

const noFunctions = ["node_modules", "fleet"];
const names = readdirSync(here, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !noFunctions.includes(entry.name))
    .map(entry => entry.name)
    .sort();
mkdirSync(output, { recursive: true });
await Promise.all(names.map(bundle));
console.log(`Bundled ${names.join(", ")} into ${output}`);
