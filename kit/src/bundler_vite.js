// Vite as a bundler: what its plugins give is bundled once more by esbuild, which adds what the platform lacks.
import { isAbsolute, join, relative } from "node:path";
import { adapted } from "./adapters.js";
import { failureOfErrors } from "./bundler.js";
import { conditions, esbuildBundler } from "./bundler_esbuild.js";
import { Failure } from "./failure.js";
import { workFolder } from "./state.js";

let running = 0;

/** Does Vite run for this bundler, and not for its own sake? */
export const isBundling = () => running > 0;

function configOf({ root, name, entry, mode }, inline) {
    return {
        logLevel: "silent",
        ...inline,
        root,
        mode,
        build: {
            ssr: entry,
            outDir: join(workFolder(root), "vite", name),
            emptyOutDir: true,
            copyPublicDir: false,
            minify: false,
            sourcemap: true,
            rollupOptions: {
                external: [/^(cloudflare|snapcell):/],
                output: { entryFileNames: "entry.js", format: "es" },
            },
        },
        ssr: {
            noExternal: true,
            target: "node",
            resolve: { conditions: [...conditions, "module", "import"] },
        },
    };
}

const failureOf = (error, root) =>
    error instanceof Failure ? error : failureOfErrors(error, root);

/**
 * @param {object} [inline] more of Vite's configuration
 * @returns {import("./index.js").Bundler}
 */
export const viteBundler = (inline = {}) => ({
    name: "vite",
    async bundle(request) {
        const { build } = await import("vite");
        running++;
        try {
            const made = await build(configOf(request, inline));
            const chunks = [made].flat().flatMap(({ output }) => output);
            const sources = chunks.flatMap(({ moduleIds = [] }) => moduleIds);
            const entry = join(workFolder(request.root), "vite", request.name, "entry.js");
            const contents = adapted(request.adapter, `./${relative(request.root, entry)}`);
            const result = await esbuildBundler.bundle({ ...request, entry, contents });
            return {
                ...result,
                sources: sources.filter(id => isAbsolute(id) && !id.includes("\0")),
            };
        } catch (error) {
            throw failureOf(error, request.root);
        } finally {
            running--;
        }
    },
});
