// Bundling, by esbuild or by another bundler that a project plugs in.
import { isAbsolute, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { Failure, usageFailure } from "./failure.js";
import { esbuildBundler } from "./bundler_esbuild.js";

/**
 * The bundler of the settings: an object, or the name of a module whose default export is one.
 * @param {string | import("./index.js").Bundler | undefined} bundler
 * @param {string} root
 */
export async function bundlerOf(bundler, root) {
    if (bundler === undefined || bundler === "esbuild") return esbuildBundler;
    const found = typeof bundler === "string" ? await importedBundler(bundler, root) : bundler;
    if (typeof found?.bundle === "function") return found;
    throw usageFailure(
        `a bundler is an object with a function bundle(request), not ${typeof found}`
    );
}

async function importedBundler(name, root) {
    const isFile = isAbsolute(name) || name.startsWith(".");
    try {
        const file = isFile ? resolve(root, name) : await fileOfPackage(name, root);
        const module = await import(pathToFileURL(file).href);
        return module.default;
    } catch (error) {
        throw usageFailure(`the bundler ${name} could not be imported: ${error.message}`);
    }
}

// A package of the project's, which this package need not see. esbuild finds what Node would import from there.
async function fileOfPackage(name, root) {
    let found;
    const finder = {
        name: "finder",
        setup(build) {
            const where = { kind: "import-statement", resolveDir: root };
            build.onStart(async () => void (found = await build.resolve(name, where)));
        },
    };
    const nothing = { stdin: { contents: "" }, write: false, logLevel: "silent" };
    await esbuild.build({ ...nothing, platform: "node", plugins: [finder] });
    if (found.errors.length > 0) throw new Error(`there is no package ${name} for ${root}`);
    return found.path;
}

/**
 * A bundler's errors as one Failure, the first with its place.
 * @param {{ text: string, location?: { file: string, line: number, column: number } | null }[]} errors
 */
export function bundleFailure(errors) {
    const told = distinct(errors.map(withoutOwnPlace)).map(({ text, location }) => ({
        code: "E_BUNDLE",
        message: text.replace(
            /^No loader is configured for "(\.[^"]+)" files: .*/,
            "$&; name one: --loader $1=text, binary, dataurl or another of esbuild's"
        ),
        file: location?.file,
        line: location?.line,
        column: location ? location.column + 1 : undefined,
        length: location?.length,
        text: location?.lineText,
    }));
    const [first = { message: "the bundler failed and did not say why" }] = told;
    return new Failure(first.message, { ...first, errors: told });
}

const colours = /\u001b\[[\d;]*m/g;

// Of esbuild's errors, Rollup's, which name a file, and Rolldown's, some of which do so in the text alone:
// "[ src/a.ts:1:25 ]".
function messageOf(error, root) {
    if (error.text !== undefined) return error;
    const [first, ...more] = error.message.replace(colours, "").split("\n");
    const [, told] = /\[ (.*):\d+:\d+ \]/.exec(more.join("\n")) ?? [];
    const { line, column, file = told && resolve(root, told) } = error.loc ?? {};
    return {
        text: first.replace(/^\[[A-Z_]+\] /, "").replaceAll(`${root}/`, ""),
        location: file && line ? { file: relative(root, file), line, column } : null,
    };
}

/** What a bundler threw, as one Failure. @param {any} error @param {string} root */
export const failureOfErrors = (error, root) =>
    bundleFailure(
        (error.errors?.length > 0 ? error.errors : [error]).map(one => messageOf(one, root))
    );

// What a plugin throws has the place where it was thrown. In a project's plugins that is of use; in esbuild, in the
// preset or in this package, nobody looks for it.
const withoutOwnPlace = error =>
    ownPlaces.test(error.location?.file ?? "") ? { ...error, location: null } : error;
const ownPlaces = /(^|\/)(esbuild\/lib\/main\.js|node-compat\/[\w.-]+\.mjs|kit\/src\/[\w.-]+\.js)$/;

// The same text is told once, at its first place, with the number of others.
function distinct(errors) {
    const byText = new Map();
    for (const error of errors) {
        const known = byText.get(error.text);
        if (known) known.others++;
        else byText.set(error.text, { ...error, others: 0 });
    }
    return [...byText.values()].map(({ others, text, ...rest }) => ({
        ...rest,
        text: others > 0 ? `${text}, and at ${others} more place${others > 1 ? "s" : ""}` : text,
    }));
}

/**
 * The files that a bundle was made of, absolute.
 * @param {{ inputs: Record<string, unknown> }} metafile
 * @param {string} root
 */
export function inputFiles(metafile, root) {
    return Object.keys(metafile.inputs).flatMap(input => {
        const path = input.replace(/^file-[a-z]+:/, "");
        return /^(<|[a-z][a-z-]+:)/.test(path) ? [] : [resolve(root, path)];
    });
}

/** `path` as it is told to people: relative to the folder where that is shorter. */
export function shown(path, root) {
    const short = relative(root, path);
    return short.startsWith("..") ? path : short;
}
