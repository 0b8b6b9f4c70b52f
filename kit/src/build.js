// From a project to artifacts in the store.
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { adapted, neededAdapter } from "./adapters.js";
import { bundlerOf, failureOfErrors, inputFiles } from "./bundler.js";
import { esbuildBundler, needsNode, shownMetafile } from "./bundler_esbuild.js";
import { compileBundle, isStored, warmFiles } from "./compile.js";
import { asFailure, Failure, usageFailure } from "./failure.js";
import { missingNames } from "./node_compat.js";
import { findNative } from "./native.js";
import { loadProject } from "./project.js";
import { updateServeConfig } from "./serve_config.js";
import { factsOf, isUnchanged, makeWorkFolder, programFacts } from "./state.js";
import { readState, settingsDigest, writeState } from "./state.js";

const textOf = (root, input) => {
    const file = resolve(root, input);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
};

/** What a bundler gets. @param {any} settings */
export function requestOf(settings) {
    const { root, entry, adapter } = settings;
    const contents = adapted(adapter, `./${relative(root, entry)}`);
    return { ...settings, contents };
}

// Entries whose bundles needed Node's globals in this process: while developing, they have them from the start.
const needy = new Set();

/**
 * Bundles one function: again with Node's globals, or with an adapter, when the first bundle shows that it needs them.
 * @param {any} settings
 * @param {(request: any) => Promise<any>} bundle
 */
export async function bundleFunction(settings, bundle) {
    const { root, entry, quick } = settings;
    let known = quick && needy.has(entry) ? { ...settings, node: true } : settings;
    for (;;) {
        const result = await bundle(requestOf(known));
        const { metafile } = result;
        const node =
            known.node ??
            (metafile ? needsNode(metafile, root, file => textOf(root, file)) : false);
        const adapter = known.adapter ?? (metafile ? neededAdapter(metafile) : undefined);
        if ((node === false || known.node === node) && adapter === known.adapter)
            return { ...result, settings: known };
        if (node) needy.add(entry);
        known = { ...known, node, adapter };
    }
}

/** A file that is a bundle already is taken as it is. */
function takenAsIs({ root, entry }) {
    const code = readFileSync(entry, "utf8");
    const link = /^\/\/# sourceMappingURL=([^\s]+)\s*$/m.exec(code)?.[1];
    const file = link && !link.startsWith("data:") ? resolve(entry, "..", link) : undefined;
    const map = file && existsSync(file) ? readFileSync(file, "utf8") : undefined;
    return { code, map, inputs: [relative(root, entry)], warnings: [], settings: undefined };
}

/** Writes a bundle and its source map to the work folder. @returns {string} the bundle's file */
export function writeBundle({ root, name }, { code, map }) {
    const file = join(makeWorkFolder(root), `${name}.js`);
    const text = map ? code.replace(/^\/\/# sourceMappingURL=.*\n?/gm, "").trimEnd() : code;
    writeFileSync(file, map ? `${text}\n//# sourceMappingURL=${basename(file)}.map\n` : text);
    if (map) writeFileSync(`${file}.map`, map);
    return file;
}

/** What the result of a build says of bundling. */
const bundleFacts = ({ root, cwd = process.cwd() }, file, bundled) => ({
    bundle: relative(cwd, file),
    entry: relative(root, bundled.entry),
    inputs: bundled.inputs.length,
});

// What decides a build, except the contents of files.
function digestOf(settings, program) {
    const { json, watch, force, quiet, metafile, signal, onEvent, cwd, ...rest } = settings;
    const { serveConfig, ...deciding } = rest;
    const key =
        settings.sign && statSync(resolve(cwd ?? ".", settings.sign), { throwIfNoEntry: false });
    const sign = key && `${key.size} ${key.mtimeMs}`;
    return settingsDigest({
        ...deciding,
        where: settings.store,
        program: programFacts(program),
        sign,
    });
}

/**
 * The first half of a build: a bundle, or `result` when all is as it was.
 * @param {any} settings of one function
 * @param {{ program: string, bundle?: Function }} shared
 */
async function bundleStep(settings, { program, bundle }) {
    const started = performance.now();
    const startedMs = Date.now();
    const { root, name } = settings;
    const digest = digestOf(settings, program);
    const state = settings.force ? undefined : readState(root, name);
    const isAsBuilt = isUnchanged(state, root, digest) && hasMetafile(settings, state);
    if (isAsBuilt && (await isStored(program, settings, state.result.key))) {
        const ms = performance.now() - started;
        return { settings, result: { ...state.result, cached: true, unchanged: true, ms } };
    }
    const shape = state?.result.shape; // of the build before
    return { settings, started, startedMs, digest, shape, ...(await bundleTo(settings, bundle)) };
}

/**
 * The second half: an artifact in the store.
 * @param {any} step @param {{ program: string, files: string[], signal?: AbortSignal }} shared
 */
async function compileStep(step, { program, files, signal }) {
    if (step.result) return step.result;
    const { settings, started, startedMs, digest, bundled, file, bundleMs } = step;
    const { root, name } = settings;
    const { compiled, missing } = await compileChecked(settings, bundled, {
        program,
        file,
        signal,
    });
    const inputs = sourcesOf(bundled, root);
    const result = {
        ...compiled,
        ...bundleFacts(settings, file, { ...bundled, entry: settings.entry }),
        bundle_ms: bundleMs,
        env: settings.env ?? {},
        routes: settings.routes ?? [],
        notices: [...bundled.warnings.map(noticeOf), ...missing],
    };
    const used = [
        settings.entry,
        ...inputs,
        ...files,
        ...warmFiles(settings),
        ...embeddedFiles(settings),
    ];
    const metafile = settings.metafile && writeMetafile(settings, bundled.metafile);
    const facts = factsOf(root, used, startedMs);
    writeState(root, name, { settings: digest, facts, result, metafile });
    return { ...result, unchanged: false, ms: performance.now() - started };
}

// Missing names are looked for before the compile, so that nothing wrong gets into the store; while developing, during
// it, as time counts more.
async function compileChecked(settings, bundled, { program, file, signal }) {
    const look = missingOf(bundled, settings);
    look.catch(() => {}); // it is waited for below
    if (!settings.quick) await look;
    const compile = compileBundle(program, file, { ...settings, ...bundled.settings }, signal);
    const [compiled, missing] = await Promise.all([compile, look]);
    return { compiled, missing };
}

// The files that a bundle embeds, with the folders that they are in.
const embeddedFiles = ({ root, assets, files = {} }) =>
    [assets?.directory, ...Object.values(files)]
        .filter(Boolean)
        .flatMap(path => filesUnder(resolve(root, path)));

function filesUnder(path) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
    return readdirSync(path).flatMap(name => filesUnder(join(path, name)));
}

// Entries whose packages were looked at in this process: while developing, their own files are what changes.
const looked = new Set();

const ownPart = ({ outputs }) => ({
    outputs: Object.fromEntries(
        Object.entries(outputs).map(([file, { inputs }]) => [
            file,
            {
                inputs: Object.fromEntries(
                    Object.entries(inputs).filter(([path]) => !/node_modules\//.test(path))
                ),
            },
        ])
    ),
});

// Names that are imported and not there are errors; what throws when it is called is told.
export async function missingOf({ metafile }, { root, quick, entry }) {
    if (!metafile) return [];
    const isKnown = quick && looked.has(entry);
    looked.add(entry);
    const all = (await missingNames(isKnown ? ownPart(metafile) : metafile, root)).map(missing => ({
        level: missing.level,
        code: "E_BUNDLE",
        message: missingText(missing),
        ...placeOf(missing, root),
    }));
    const errors = all.filter(({ level }) => level === "error");
    if (errors.length > 0) throw new Failure(errors[0].message, { ...errors[0], errors });
    return all;
}

// Of a TypeScript file the line is not known: it is the first that has the name.
function placeOf({ name, places: [{ file, line }] }, root) {
    if (line) return { file, line };
    const lines = textOf(root, file).split("\n");
    const at = lines.findIndex(text => text.split(/[^\w$]+/).includes(name));
    return { file, line: at < 0 ? undefined : at + 1 };
}

function missingText({ module, name, state, packages, places }) {
    const what = state === "throws" ? "throws when it is called" : "is not there";
    const users = packages.length > 0 ? `, used by ${packages.join(", ")}` : "";
    const more =
        places.length > 1
            ? `, and at ${places.length - 1} more place${places.length > 2 ? "s" : ""}`
            : "";
    const full = module === "globalThis" ? `"${name}"` : `"${name}" of node:${module}`;
    return `${full} ${what}${users}${more}`;
}

// The files that a bundle comes from, absolute.
function sourcesOf({ sources, metafile, inputs }, root) {
    if (sources) return sources;
    return metafile ? inputFiles(metafile, root) : inputs.map(input => resolve(root, input));
}

const noticeOf = ({ text, location }) => ({
    message: text,
    file: location?.file,
    line: location?.line,
    column: location ? location.column + 1 : undefined,
});

/** A function that bundles with the settings' bundler. */
export async function bundlesBy({ bundler: option, root }, bundle = bundleOnce) {
    const bundler = await bundlerOf(option, root);
    return async request => {
        try {
            return await bundle(bundler, request);
        } catch (error) {
            if (error instanceof Failure || asFailure(error) !== error) throw error;
            if (error?.errors?.length > 0) throw failureOfErrors(error, root);
            throw bundlerFailure(error, bundler);
        }
    };
}

// esbuild refuses options so; of another bundler, who wrote it wants to know where it failed.
function bundlerFailure(error, { name = "of the project" }) {
    const message = String(error?.message ?? error);
    if (name === esbuildBundler.name) return usageFailure(message);
    return new Failure(`the bundler ${name} failed: ${message}`, { stack: error?.stack });
}

async function bundleTo(settings, bundle) {
    const started = performance.now();
    const bundled = settings.noBundle
        ? takenAsIs(settings)
        : await bundleFunction(settings, await bundlesBy(settings, bundle));
    const file = writeBundle(settings, bundled);
    return { bundled, file, bundleMs: performance.now() - started };
}

const bundleOnce = (bundler, request) => bundler.bundle(request);

const metafileOf = ({ metafile, cwd = ".", name, several }) => {
    const file = resolve(cwd, metafile);
    return several ? file.replace(/(\.[^.]*)?$/, `-${name}$1`) : file;
};

// What stands for a metafile that was written: the next build may have been told to write one, or another.
const metafileFacts = file => {
    const facts = statSync(file, { throwIfNoEntry: false });
    return facts && `${file} ${facts.size} ${facts.mtimeMs}`;
};

const hasMetafile = (settings, { metafile }) =>
    !settings.metafile || metafile === (metafileFacts(metafileOf(settings)) ?? "none");

function writeMetafile(settings, content) {
    if (!content)
        throw new Failure("this bundler made no metafile", { status: 2, code: "E_USAGE" });
    const file = metafileOf(settings);
    writeFileSync(file, `${shownMetafile(content, settings.root)}\n`);
    return metafileFacts(file);
}

/** Runs `work` on each item, some at a time, and keeps their order. */
export async function inParallel(items, work) {
    const results = [];
    let next = 0;
    const worker = async () => {
        for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]);
    };
    const count = Math.min(items.length, os.availableParallelism?.() ?? os.cpus().length);
    await Promise.all(Array.from({ length: count }, worker));
    return results;
}

/** The project and the program of a command. @param {import("./index.js").BuildOptions} options */
export async function prepare(options) {
    const project = await loadProject(options);
    if (options.name && project.functions.length > 1)
        throw usageFailure(
            `--name names one function, and ${project.root} has ${project.functions.length}`
        );
    const program = findNative({ option: options.native, cwd: options.cwd });
    return { ...project, program };
}

/**
 * Builds every function of a project. A function that fails does not stop the others: its result has `error`.
 * @param {import("./index.js").BuildOptions} [options]
 */
export async function build(options = {}) {
    return buildProject(await prepare(options));
}

/**
 * @param {Awaited<ReturnType<typeof prepare>>} project
 * @param {{ bundle?: Function, early?: (steps: any[]) => Promise<void>, signal?: AbortSignal }} [how] `early` is called
 *     when all bundles are there, and before they are compiled
 */
export async function buildProject({ functions, notes, files, program, root }, how = {}) {
    const several = functions.length > 1;
    const shared = { program, files, ...how };
    const told = (settings, work) => resultOrFailure(settings, root, work);
    const steps = await inParallel(functions, settings =>
        told(settings, () => bundleStep({ ...settings, several }, shared))
    );
    if (how.early && !steps.some(({ error }) => error)) await how.early(steps);
    const results = await inParallel(steps, step =>
        step.error ? step : told(step.settings, () => compileStep(step, shared))
    );
    const [{ serveConfig, cwd = "." }] = functions;
    if (serveConfig) updateServeConfig(resolve(cwd, serveConfig), results);
    return { root, notes, functions: results };
}

async function resultOrFailure({ name, entry }, root, work) {
    try {
        return await work();
    } catch (caught) {
        const error = asFailure(caught);
        if (!(error instanceof Failure)) throw error;
        return { name, entry: relative(root, entry), error };
    }
}

/** The files whose change asks for another build. @param {string} root @param {string} name */
export function watchedFiles(root, name) {
    const state = readState(root, name);
    return Object.keys(state?.facts.files ?? {}).map(path => resolve(root, path));
}
