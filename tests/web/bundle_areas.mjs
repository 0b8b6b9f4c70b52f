// Bundles areas/*.js, each with the harness and the data that it imports.
//   node bundle_areas.mjs NPM_DIR OUT_DIR
import { createRequire } from "node:module";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [npmDir, outDir] = process.argv.slice(2);
const esbuild = createRequire(join(resolve(npmDir), "package.json"))("esbuild");

await esbuild.build({
    entryPoints: readdirSync(join(here, "areas")).map(name => join(here, "areas", name)),
    outdir: outDir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    external: ["node:async_hooks"], // the engine has it
    format: "esm",
    platform: "neutral",
    target: "es2023",
    charset: "ascii",
    logLevel: "warning",
});
