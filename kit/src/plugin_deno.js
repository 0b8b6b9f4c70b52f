// Code written for Deno: its specifiers, its import map, and the object Deno in the code that is not a package's.
import { readFile } from "node:fs/promises";
import { extname, relative } from "node:path";

const loaders = {
    ".js": "js",
    ".mjs": "js",
    ".jsx": "jsx",
    ".ts": "ts",
    ".mts": "ts",
    ".tsx": "tsx",
};

// "npm:hono@4/jsx" is the package hono, "jsr:@std/path" what npm knows as @jsr/std__path.
function packageName(path) {
    const [, scheme, scope, name, rest] =
        /^(npm|jsr):\/?(@[^/@]+\/)?([^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(path) ?? [];
    if (!scheme) return undefined;
    const full =
        scheme === "npm" ? `${scope ?? ""}${name}` : `@jsr/${scope?.slice(1, -1)}__${name}`;
    return { full, install: scheme === "npm" ? full : `jsr:${scope}${name}`, rest: rest ?? "" };
}

function mapped(path, imports) {
    if (Object.hasOwn(imports, path)) return imports[path];
    const folder = Object.keys(imports)
        .filter(name => name.endsWith("/") && path.startsWith(name))
        .sort((a, b) => b.length - a.length)[0];
    return folder === undefined ? undefined : imports[folder] + path.slice(folder.length);
}

async function resolvePackage(build, path, { importer, resolveDir, kind }) {
    const { full, install, rest } = packageName(path);
    const options = { importer, resolveDir, kind, pluginData: "deno" };
    const found = await build.resolve(full + rest, options);
    if (found.errors.length === 0) return found;
    return { errors: [{ text: `"${path}" is not installed: npm install ${install}` }] };
}

/** What runtime/deno.js has. */
export const names = ["args", "build", "cwd", "env", "errors", "serve", "version"];

// Each name that is not there, once, unless the file looks whether it is.
function missingOf(text, file) {
    const found = new Map();
    for (const { 1: name, index } of text.matchAll(
        /\bDeno\s*\.\s*([\w$]+)(?!\s*(?:\?\.|[\w$]))/g
    )) {
        const isKnown = names.includes(name) || found.has(name);
        if (isKnown || new RegExp(`typeof\\s+Deno\\.${name}\\b`).test(text)) continue;
        const before = text.slice(0, index).split("\n");
        const [line, column] = [before.length, before.at(-1).length];
        found.set(name, { text: `Deno.${name} is not there`, location: { file, line, column } });
    }
    return [...found.values()];
}

/**
 * @param {{ root: string, imports?: Record<string, string> }} settings
 * @returns {import("esbuild").Plugin}
 */
export const denoPlugin = ({ root, imports = {} }) => ({
    name: "snapcell-deno",
    setup(build) {
        build.onResolve({ filter: /.*/ }, args => {
            const { path, pluginData, kind, importer, resolveDir } = args;
            if (pluginData === "deno" || kind === "entry-point") return undefined;
            const target = mapped(path, imports) ?? path;
            if (packageName(target)) return resolvePackage(build, target, args);
            if (/^https?:/.test(target))
                return {
                    errors: [{ text: `"${target}" is not fetched: install the package from npm` }],
                };
            if (target === path) return undefined;
            const from = target.startsWith(".") ? root : resolveDir;
            return build.resolve(target, { kind, importer, resolveDir: from, pluginData: "deno" });
        });
        build.onLoad({ filter: /\.([jt]sx?|m[jt]s)$/ }, async ({ path }) => {
            if (path.includes("/node_modules/") || !path.startsWith(root)) return undefined;
            const text = await readFile(path, "utf8");
            if (!/\bDeno\s*\./.test(text)) return undefined;
            const contents = `${text}\nimport { Deno } from "snapcell:runtime/deno";`;
            const file = relative(root, path);
            return { contents, loader: loaders[extname(path)], warnings: missingOf(text, file) };
        });
    },
});
