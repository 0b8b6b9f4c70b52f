// Bundles src/*.js(x), each with its framework, as ES modules.
//   node build.mjs OUT_DIR
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { compile } from "svelte/compiler";

const here = dirname(fileURLToPath(import.meta.url));

const svelte = {
    name: "svelte",
    setup(build) {
        build.onLoad({ filter: /\.svelte$/ }, ({ path }) => {
            const options = { generate: "server", filename: path };
            return { contents: compile(readFileSync(path, "utf8"), options).js.code };
        });
    },
};

await esbuild.build({
    entryPoints: readdirSync(join(here, "src"))
        .filter(name => /\.jsx?$/.test(name))
        .map(name => join(here, "src", name)),
    outdir: resolve(process.argv[2]),
    absWorkingDir: here,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["worker", "production"],
    target: "es2023",
    jsx: "automatic",
    sourcemap: true,
    define: {
        global: "globalThis",
        "process.env.NODE_ENV": '"production"',
        __VUE_OPTIONS_API__: "true",
        __VUE_PROD_DEVTOOLS__: "false",
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    plugins: [svelte],
    logLevel: "warning",
});
