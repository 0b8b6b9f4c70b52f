// What a folder or a file is: which functions it has, and with which settings.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { assetsAlone } from "./adapters.js";
import { checkConfiguration, checkName } from "./configuration.js";
import { fileFailure, usageFailure } from "./failure.js";
import { findWrangler, jsoncOf, readConfig, wranglerNames, wranglerSettings } from "./wrangler.js";

const endings = ["ts", "tsx", "mts", "js", "jsx", "mjs", "cjs", "cts"];
const configNames = ["snapcell.config.js", "snapcell.config.mjs", "snapcell.config.json"];
const isSource = name => endings.includes(extname(name).slice(1)) && !/\.d\.[cm]?ts$/.test(name);

/** Where entries stand, the likeliest first. What other tools built comes before sources. */
const built = [
    ".svelte-kit/cloudflare/_worker.js",
    ".open-next/worker.js",
    ".output/server/index.mjs",
    "dist/_worker.js/index.js",
    "dist/_worker.js",
    "_worker.js/index.js",
    "_worker.js",
];
const stems = [
    "src/index",
    "src/worker",
    "src/server",
    "src/main",
    "index",
    "worker",
    "server",
    "main",
];

const firstFile = (folder, names) =>
    names.map(name => join(folder, name)).find(file => existsSync(file) && statSync(file).isFile());

const withEndings = stem => endings.map(ending => `${stem}.${ending}`);

/** The file that a folder's single function begins with. @param {string} folder */
export const entryOf = folder => firstFile(folder, [...built, ...stems.flatMap(withEndings)]);

/** A name that stores and host names take. @param {string} text */
export const nameFrom = text =>
    text
        .replace(/^@[^/]*\//, "")
        .replace(/[^A-Za-z0-9._-]+/g, "-")
        .replace(/^[-.]+|[-.]+$/g, "") || "function";

// A file called index.ts is named by its folder, and one called src by the folder around it.
function nameOfFile(file) {
    const stem = basename(file).replace(/\.[^.]*$/, "");
    if (!["index", "main", "worker", "server", "_worker"].includes(stem)) return nameFrom(stem);
    const folder = dirname(resolve(file));
    const generic = ["src", "dist", "build", "_worker.js"].includes(basename(folder));
    return nameFrom(basename(generic ? dirname(folder) : folder));
}

/** The nearest folder, from `folder` up, that is a project's. @param {string} folder */
function rootOf(folder) {
    const marks = ["package.json", "deno.json", "deno.jsonc", ...configNames, ...wranglerNames];
    for (let here = folder; ; here = dirname(here)) {
        if (marks.some(mark => existsSync(join(here, mark)))) return here;
        if (here === dirname(here)) return folder;
    }
}

// Functions of a folder: each file, and each folder with an index file. Names that begin with _ or . are helpers.
function functionsOf(folder) {
    const entries = readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => !/^[._]|^node_modules$|\.(test|spec|config)\.[^.]+$/.test(name))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    return entries.flatMap(entry => {
        const path = join(folder, entry.name);
        if (entry.isFile())
            return isSource(entry.name) ? [{ name: nameOfFile(path), entry: path }] : [];
        const index = entry.isDirectory() && firstFile(path, withEndings("index"));
        return index ? [{ name: nameFrom(entry.name), entry: index }] : [];
    });
}

// Folders that other platforms take functions from. In api/ only those for the edge are meant.
const edgeConfig = /\bruntime\b\s*[:=]\s*["'](edge|experimental-edge)["']/;
function platformFunctions(root) {
    const netlify = join(root, "netlify/edge-functions");
    if (existsSync(netlify))
        return functionsOf(netlify).map(one => ({ adapter: "netlify", ...one }));
    const vercel = join(root, "api");
    if (!existsSync(vercel)) return [];
    return functionsOf(vercel).filter(({ entry }) => edgeConfig.test(readFileSync(entry, "utf8")));
}

async function configOf(root, option) {
    const file = option ? resolve(root, option) : firstFile(root, configNames);
    if (!file) return { sources: [] };
    if (!existsSync(file)) throw fileFailure(`the configuration ${file} is not there`);
    const config = extname(file) === ".json" ? readConfig(file) : await importedConfig(file);
    checkConfiguration(config, file);
    return { ...config, sources: [file] };
}

async function importedConfig(file) {
    try {
        const { default: config } = await import(
            `${pathToFileURL(file).href}?${statSync(file).mtimeMs}`
        );
        if (typeof config !== "object" || config === null)
            throw new Error("it exports no object as default");
        return { ...config };
    } catch (error) {
        throw usageFailure(
            `${file} could not be used as a configuration: ${error?.message ?? error}`
        );
    }
}

function denoOf(root) {
    const file = firstFile(root, ["deno.json", "deno.jsonc"]);
    if (!file) return { sources: [] };
    const { imports = {} } = jsoncOf(readFileSync(file, "utf8"), file);
    return { deno: true, imports, sources: [file] };
}

function packageOf(root) {
    const file = join(root, "package.json");
    return existsSync(file) ? jsoncOf(readFileSync(file, "utf8"), file) : {};
}

const usesDeno = entry => /\bDeno\s*\./.test(readFileSync(entry, "utf8"));

/**
 * @typedef {import("./index.js").BuildOptions} BuildOptions
 * @typedef {{ root: string, functions: any[], isFolder: boolean, notes: string[], files: string[] }} Project
 */

// A folder that `wrangler deploy --dry-run` wrote says so. Its script belongs to the project around it, with that
// project's rules for modules, assets and variables.
function dryRunOf(folder) {
    const readme = join(folder, "README.md");
    const isOutput =
        existsSync(readme) &&
        readFileSync(readme, "utf8").startsWith("This folder contains the built output assets");
    const root = rootOf(dirname(folder));
    const entry = isOutput && findWrangler(root) && entryOf(folder);
    return entry ? { root, entry, isOutput } : undefined;
}

function startOf(entry, cwd) {
    const path = resolve(cwd, entry ?? ".");
    if (!existsSync(path))
        throw fileFailure(
            `${entry} is not there: ENTRY is a source file, a folder or a wrangler file`
        );
    if (statSync(path).isDirectory()) return dryRunOf(path) ?? { root: path };
    if (/^wrangler\..*(json|jsonc|toml)$/.test(basename(path)))
        return { root: dirname(path), wrangler: path };
    if (!isSource(path))
        throw usageFailure(`${entry} is no source file: its name ends with ${endings.join(", ")}`);
    return { root: rootOf(dirname(path)), entry: path };
}

function entryThere(entry) {
    if (!existsSync(entry))
        throw fileFailure(
            `the entry ${entry} is not there: build what makes it first, or name another`
        );
    return entry;
}

function chosenEntry(start, config, wrangler) {
    const named =
        start.entry ?? (config.entry && resolve(start.root, config.entry)) ?? wrangler.entry;
    return named && entryThere(named);
}

// A wrangler file that names assets and no `main` has no function of its own: what lies in src/ is for browsers.
const hasAssetsAlone = (start, { assets, entry }) =>
    assets && !entry && !firstFile(start.root, built);

// The functions of the configuration, or that of an entry; undefined of a folder of functions.
function listed(start, config, wrangler) {
    if (config.functions && !start.entry)
        return Object.entries(config.functions).map(([name, own]) => {
            const settings = typeof own === "string" ? { entry: own } : own;
            return { name, ...settings, entry: entryThere(resolve(start.root, settings.entry)) };
        });
    const chosen = chosenEntry(start, config, wrangler);
    if (!chosen && hasAssetsAlone(start, wrangler)) {
        const [file] = wrangler.sources;
        const name = config.name ?? wrangler.name ?? basename(start.root);
        const assets = { ...wrangler.assets, binding: "ASSETS" };
        return [{ name: nameFrom(name), entry: file, adapter: assetsAlone, assets }];
    }
    const entry = chosen ?? entryOf(start.root);
    if (entry) {
        const isNamed = start.entry && !start.isOutput && entry !== wrangler.entry;
        const given = isNamed ? nameOfFile(entry) : undefined;
        const name = given ?? wrangler.name ?? packageOf(start.root).name ?? nameOfFile(entry);
        return [{ name: nameFrom(config.name ?? name), entry }];
    }
    return undefined;
}

function functionsIn(root) {
    const found = platformFunctions(root);
    return found.length > 0 ? found : functionsOf(root);
}

/**
 * Are these the functions that a folder has now? Others than a folder's are where they were.
 * @param {Project} project
 */
export function isComplete({ root, isFolder, functions }) {
    const entriesOf = list => list.map(({ entry }) => entry).join("\n");
    try {
        return !isFolder || entriesOf(functionsIn(root)) === entriesOf(functions);
    } catch {
        return false; // the folder is gone, say
    }
}

// Paths of a command are of the folder that it was given in, those of a configuration of the project's.
function pathsOf({ assets, files, bundler }, cwd) {
    const absolute = path => resolve(cwd, path);
    const folder = assets?.directory && { ...assets, directory: absolute(assets.directory) };
    const places = Object.entries(files ?? {}).map(([place, path]) => [place, absolute(path)]);
    return {
        assets: typeof assets === "string" ? absolute(assets) : folder,
        files: files && Object.fromEntries(places),
        bundler: /^\./.test(bundler) ? absolute(bundler) : bundler,
    };
}

/**
 * @param {BuildOptions} given
 * @returns {Promise<Project>}
 */
export async function loadProject(given) {
    const { cwd = process.cwd(), entry, config: configOption, environment } = given;
    const options = { ...given, ...pathsOf(given, cwd) };
    const start = startOf(entry, cwd);
    const { root } = start;
    const config = await configOf(root, configOption && resolve(cwd, configOption));
    const wranglerFile = start.wrangler ?? findWrangler(root);
    const wrangler = wranglerFile ? wranglerSettings(wranglerFile, environment) : { sources: [] };
    if (environment && !wranglerFile)
        throw usageFailure(
            `--environment ${environment} names an environment of a wrangler file; ${root} has none`
        );
    const deno = denoOf(root);
    const single = listed(start, config, wrangler);
    const functions = single ?? functionsIn(root);
    if (functions.length === 0)
        throw fileFailure(
            `no function was found in ${relative(cwd, root) || "."}: expected src/index.ts, index.js or ` +
                "the like, a wrangler file, or files that each are a function; or name ENTRY"
        );
    checkDistinct(functions, root);
    const shared = merged(deno, wrangler, config, options);
    if (functions.length > 1) delete shared.routes; // whose they are is not said
    return {
        root,
        isFolder: !single,
        notes: notesOf(wrangler, options),
        files: [...config.sources, ...wrangler.sources, ...deno.sources],
        functions: functions.map(own => finished({ ...shared, ...own, root }, options)),
    };
}

// Of two functions of one name, only one would be in the store.
function checkDistinct(functions, root) {
    const known = new Map();
    for (const { name, entry } of functions) {
        const other = known.get(name);
        if (other)
            throw usageFailure(
                `${relative(root, other)} and ${relative(root, entry)} are both called ` +
                    `"${name}": rename one, or name them in a configuration`
            );
        known.set(name, entry);
    }
}

function notesOf({ notes = [], routes = [], sources }, { serveConfig }) {
    if (routes.length === 0 || serveConfig) return notes;
    return [...notes, `${sources[0]}: routes are \`snapcell serve\`'s: see --serve-config`];
}

// Later settings replace earlier ones; tables are joined.
const tables = ["env", "define", "alias", "loader", "files", "esbuild"];
const lists = ["warm", "empty", "conditions", "rules"];
function merged(...all) {
    const result = {};
    for (const settings of all)
        for (const [key, value] of Object.entries(settings)) {
            if (value === undefined) continue;
            if (tables.includes(key)) result[key] = { ...result[key], ...value };
            else if (lists.includes(key)) result[key] = [...(result[key] ?? []), ...value];
            else result[key] = value;
        }
    for (const key of ["entry", "functions", "name", "sources", "notes", "config"])
        delete result[key];
    return result;
}

function finished(settings, { name }) {
    const deno = settings.deno ?? usesDeno(settings.entry);
    const assets =
        typeof settings.assets === "string" ? { directory: settings.assets } : settings.assets;
    const found = assets && { ...assets, directory: resolve(settings.root, assets.directory) };
    if (found && !statSync(found.directory, { throwIfNoEntry: false })?.isDirectory())
        throw fileFailure(
            `the folder of assets ${found.directory} is not there: build it first, or name another`
        );
    for (const file of Object.values(settings.files ?? {}))
        if (!existsSync(resolve(settings.root, file)))
            throw fileFailure(`${file}, to be embedded, is not there`);
    const called = name ?? settings.name;
    checkName(called);
    return { ...settings, name: called, deno, assets: found };
}
