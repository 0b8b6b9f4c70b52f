import * as esbuild from "esbuild";
import { relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleFailure } from "./bundler.js";
import { isOfPreset, nodeCompat, presetFolder } from "./node_compat.js";
import { runtimeFolder, runtimePlugin } from "./adapters.js";
import { denoPlugin } from "./plugin_deno.js";
import { filesPlugin } from "./plugin_files.js";

/** What edge platforms choose: packages then give what needs neither files nor a DOM. */
export const conditions = ["workerd", "worker", "browser"];

/** V8 13.6, which is the engine's, is that of Node 24. */
export const target = "node24";

/** @param {import("./index.js").BundleRequest} request */
export function esbuildOptions(request) {
    const { root, entry, contents, name, mode = "production", esbuild: own = {} } = request;
    const source = contents
        ? { stdin: { contents, resolveDir: root, sourcefile: `snapcell:${name}` } }
        : { entryPoints: [entry] };
    return {
        bundle: true,
        format: "esm",
        target,
        platform: "browser",
        jsx: "automatic",
        absWorkingDir: root,
        outfile: `${root}${sep}${name}.js`,
        write: false,
        metafile: true,
        sourcemap: request.sourcemap === false ? false : "external",
        sourcesContent: false,
        minify: request.minify,
        logLevel: "silent",
        ...own,
        ...source,
        alias: { ...own.alias, ...request.alias },
        loader: { ...own.loader, ...request.loader },
        conditions: [...conditions, ...(request.conditions ?? []), ...(own.conditions ?? [])],
        define: {
            "process.env.NODE_ENV": JSON.stringify(mode),
            ...(request.node ? nodeCompat.define : {}),
            ...own.define,
            ...request.define,
        },
        inject: [...(request.node ? nodeCompat.inject : []), ...(own.inject ?? [])],
        plugins: pluginsOf(request, own),
    };
}

/** @param {any} request @param {any} own */
export const pluginsOf = (request, own) => [
    ...(own.plugins ?? []),
    runtimePlugin(),
    ...(request.deno ? [denoPlugin(request)] : []),
    filesPlugin(request),
    nodeCompat(nodeCompatOptions(request)),
];

function nodeCompatOptions({ root, empty, files, assets, buildEnv }) {
    const places = Object.entries(files ?? {}).map(([place, file]) => [place, resolve(root, file)]);
    return { empty, files: files && Object.fromEntries(places), assets, env: buildEnv };
}

const nodeGlobals = /\b(Buffer|process|setImmediate)\b/;
const isPlatforms = input => /^node-(absent|empty):/.test(input);

// How a package tells production where there may be no process: without one Elysia shows details of errors, and tRPC
// where they come from.
const asksForEnv =
    /\btypeof process\b[^;]{0,40}\bprocess\??\.env\b(?!\??\.NODE_ENV)|\bglobalThis\??\.process\b/;

// A package that uses process, and neither looks whether there is one nor has its own of that name, fails without.
const usesProcess = /(?<![\w$.'"`-])process\.(?!env\.NODE_ENV\b)\w/;
const looksForProcess = new RegExp(
    [
        /\btypeof process\b/,
        /\bprocess\s*(\?\.|=>|=(?!=))/,
        /[\w$\])]\s*\??\.\s*process\b/,
        /[(,{[]\s*process\s*[,)}\]]/,
        /\b(var|let|const|function|class|import)\s[^;=(]{0,200}\bprocess\b/,
    ]
        .map(({ source }) => source)
        .join("|")
);
const comments = /\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm;

/** @param {string} text of a package's file */
function reliesOnProcess(text) {
    if (!usesProcess.test(text)) return false;
    const code = text.replace(comments, " ");
    return usesProcess.test(code) && !looksForProcess.test(code);
}

const needsProcess = text => asksForEnv.test(text) || reliesOnProcess(text);

const inOutput = ({ outputs = {} }) =>
    Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));

/**
 * Does this bundle need Node's globals? It does if it uses a module of Node's, if code that is not in a package
 * names one of them, or if a package looks for the environment or cannot do without.
 * @param {{ inputs: Record<string, unknown> }} metafile
 * @param {string} root
 * @param {(file: string) => string} readText
 */
export function needsNode(metafile, root, readText) {
    const inputs = Object.keys(metafile.inputs);
    return (
        inputs.some(input => isPlatforms(input) || isNodeModule(resolve(root, input))) ||
        inOutput(metafile)
            .filter(input => /(^|\/)node_modules\//.test(input))
            .some(input => needsProcess(readText(input))) ||
        inputs
            .filter(input => !/(^|\/)node_modules\/|^[a-z-]+:|^</.test(input))
            .filter(input => !isOfPreset(resolve(root, input)))
            .some(input => nodeGlobals.test(readText(input)))
    );
}

// What assets and embedded files are made of is the preset's, and none of Node's modules.
const isNodeModule = file =>
    isOfPreset(file) && !/\/modules\/(assets\w*|embedded|files|support)\.[cm]js$/.test(file);

const kitFolder = fileURLToPath(new URL("..", import.meta.url));

/** Without the place of this package, which must not be seen in a bundle: the same source gives the same bytes. */
export function shownText(text, root) {
    const named = [
        [presetFolder, "snapcell:node-compat/"],
        [runtimeFolder, "snapcell:runtime/"],
        [kitFolder, "snapcell:"],
    ];
    return named.reduce((sofar, [folder, name]) => {
        const short = relative(root, folder).split(sep).join("/");
        return sofar.replaceAll(`${short}/`, name);
    }, text);
}

/** @returns {import("./index.js").BundleResult} */
function resultOf({ outputFiles, metafile, warnings }, { root, sourcemap }) {
    const textOf = ending => outputFiles.find(({ path }) => path.endsWith(ending))?.text;
    return {
        code: shownText(textOf(".js"), root),
        map: sourcemap === false ? undefined : shownText(textOf(".js.map"), root),
        metafile,
        inputs: Object.keys(metafile.inputs),
        // What packages do is their authors' to fix, except for names that are not there.
        warnings: warnings.filter(
            ({ id, location }) =>
                id === "import-is-undefined" || !/(^|\/)node_modules\//.test(location?.file ?? "")
        ),
    };
}

/** A metafile for people: without the place of this package. @param {object} metafile @param {string} root */
export const shownMetafile = (metafile, root) => shownText(JSON.stringify(metafile), root);

async function told(work) {
    try {
        return await work();
    } catch (error) {
        if (Array.isArray(error?.errors)) throw bundleFailure(error.errors);
        throw error;
    }
}

// esbuild's process begins with the first call. Between builds it keeps what it parsed, and Go's collector goes through
// all of that again and again: less often, a build takes two thirds of the processor's time, for twice the memory.
function contextOf(request) {
    if (process.env.GOGC !== undefined) return esbuild.context(esbuildOptions(request));
    process.env.GOGC = "300";
    try {
        return esbuild.context(esbuildOptions(request));
    } finally {
        delete process.env.GOGC;
    }
}

/** @type {import("./index.js").Bundler} */
export const esbuildBundler = {
    name: "esbuild",
    async bundle(request) {
        const options = esbuildOptions(request);
        return told(async () => resultOf(await esbuild.build(options), request));
    },
    async context(request) {
        const context = await told(() => contextOf(request));
        return {
            rebuild: () => told(async () => resultOf(await context.rebuild(), request)),
            dispose: () => context.dispose(),
        };
    },
};

/** Messages as esbuild shows them, with the lines of code. */
export const formatMessages = (messages, options) => esbuild.formatMessages(messages, options);
