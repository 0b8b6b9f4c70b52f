// Files that a module loads by `createRequire(import.meta.url)`: nothing is loaded while a function runs, so they are
// bundled, and the module imports a "node:module" of its own, whose createRequire() finds them.
import { existsSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";

const here = String.raw`\(\s*(?:import\s*\.\s*meta\s*\.\s*(?:url|filename)|__filename)\s*\)`;
const text = String.raw`\(\s*(["'\`])([^"'\`$\\\n]+)\1`;

const escaped = name => name.replaceAll("$", "\\$");
const all = (source, pattern) => [...source.matchAll(new RegExp(pattern, "g"))];

// The names that a source calls with the names of modules: variables that hold what createRequire() gave.
function specifiersOf(source) {
    const aliases = all(source, String.raw`\bcreateRequire\s+as\s+([\w$]+)`).map(
        ([, name]) => name
    );
    const makers = ["createRequire", ...aliases].map(escaped).join("|");
    const made = String.raw`(?:[\w$]+\s*\.\s*)?(?:${makers})\s*${here}`;
    const holders = all(source, String.raw`([\w$]+)\s*=\s*${made}`).map(([, name]) =>
        escaped(name)
    );
    const callers = [...holders.map(name => String.raw`(?<![\w$.])${name}`), made];
    const calls = callers.flatMap(caller => all(source, String.raw`${caller}\s*${text}`));
    return [...new Set(calls.map(groups => groups.at(-1)))];
}

/**
 * What a file loads by createRequire(), Node's modules excepted.
 * @param {string} file
 * @param {(name: string) => boolean} isBuiltin
 */
export function requiredBy(file, isBuiltin) {
    if (!existsSync(file)) return [];
    const source = readFileSync(file, "utf8");
    if (!source.includes("createRequire")) return [];
    return specifiersOf(source).filter(name => !isBuiltin(name));
}

/** The folder's name is in no bundle. */
export const shownImporter = (build, file) =>
    relative(build.initialOptions.absWorkingDir ?? process.cwd(), file);

/**
 * The module "node:module" of one file.
 * @param {import("esbuild").PluginBuild} build
 * @param {{ importer: string, specifiers: string[] }} file
 * @param {{ module: string, names: string[] }} node the file that stands for node:module, and what it exports
 */
export async function moduleFor(build, { importer, specifiers }, { module, names }) {
    const resolveDir = dirname(importer);
    const entries = [];
    const warnings = [];
    for (const specifier of specifiers) {
        const name = JSON.stringify(specifier);
        const { path, errors } = await build.resolve(specifier, {
            kind: "require-call",
            importer,
            resolveDir,
        });
        if (errors.length > 0) warnings.push({ text: `${name}, which is required, is not there` });
        else if (!path.endsWith(".node")) entries.push(`${name}: () => require(${name})`);
    }
    const others = names.filter(name => name !== "createRequire");
    const contents = `
        import shared from ${JSON.stringify(module)};
        const files = { __proto__: null, ${entries.join(", ")} };
        export const createRequire = place => shared.createRequire(place, files);
        export const { ${others.join(", ")} } = shared;
        const own = function (...given) { return Reflect.construct(shared, given); };
        own.prototype = shared.prototype;
        export default Object.assign(Object.setPrototypeOf(own, shared), { createRequire });`;
    return { contents, resolveDir, warnings };
}
