// A plugin for a build of one's own: esbuild bundles as `snapcell build` has it bundle, and what comes out is compiled.
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { conditions, pluginsOf, shownText, target } from "./bundler_esbuild.js";
import { missingOf, writeBundle } from "./build.js";
import { compileBundle } from "./compile.js";
import { Failure, usageFailure } from "./failure.js";
import { findNative } from "./native.js";
import { nodeCompat } from "./node_compat.js";

const defaults = { bundle: true, format: "esm", platform: "browser", target, jsx: "automatic" };

function setOptions(options, request, node) {
    for (const [name, value] of Object.entries(defaults)) options[name] ??= value;
    options.conditions ??= conditions;
    options.metafile = true;
    options.define = {
        "process.env.NODE_ENV": '"production"',
        ...(node ? nodeCompat.define : {}),
        ...options.define,
    };
    if (node) options.inject = [...(options.inject ?? []), ...nodeCompat.inject];
    if (options.format !== "esm")
        throw usageFailure(`the plugin needs esbuild's format "esm", not "${options.format}"`);
    request.root = resolve(options.absWorkingDir ?? ".");
}

const stem = file => basename(file).replace(/\.[^.]*$/, "");

// The output with an entry, and its text: in memory if esbuild writes no files.
function outputOf({ metafile, outputFiles }, root) {
    const outputs = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint);
    if (outputs.length !== 1)
        throw usageFailure(
            `the plugin compiles builds of one entry, and this one has ${outputs.length}`
        );
    const [[file, { entryPoint }]] = outputs;
    const path = resolve(root, file);
    const read = name =>
        outputFiles ? outputFiles.find(one => one.path === name)?.text : readFileSync(name, "utf8");
    let map;
    try {
        map = read(`${path}.map`);
    } catch {
        map = undefined; // esbuild made none
    }
    return { code: read(path), map, entryPoint, path };
}

async function compileOutput(result, request, options) {
    const { root } = request;
    const { code, map, entryPoint, path } = outputOf(result, root);
    const name = options.name ?? stem(entryPoint);
    const notices = await missingOf(result, { root });
    const plain = { code: shownText(code, root), map: map && mapFrom(map, path, root) };
    const file = writeBundle({ root, name }, plain);
    const compiled = await compileBundle(findNative({ option: options.native }), file, {
        ...options,
        root,
        name,
    });
    return { ...compiled, entry: relative(root, resolve(root, entryPoint)), notices };
}

// Sources as they are seen from the project's folder.
function mapFrom(text, path, root) {
    const map = JSON.parse(text);
    map.sources = map.sources.map(source => relative(root, join(dirname(path), source)));
    return shownText(JSON.stringify(map), root);
}

// A message as esbuild has them, with the line that it is about.
const messageIn =
    root =>
    ({ message: text, file, line, column = 1 }) => {
        if (!file || !line) return { text, location: null };
        const lineText = lineOf(resolve(root, file), line);
        return { text, location: { file, line, column: column - 1, lineText } };
    };

function lineOf(file, line) {
    try {
        return readFileSync(file, "utf8").split("\n")[line - 1] ?? "";
    } catch {
        return ""; // a file of a platform, or none
    }
}

// esbuild keeps to itself what a plugin says at the end of a build, except in what it throws.
async function show({ esbuild, initialOptions }, { errors = [], warnings = [] }) {
    const { logLevel = "warning", color = process.stderr.isTTY } = initialOptions;
    const shown = { silent: [], error: [[errors, "error"]] }[logLevel];
    for (const [messages, kind] of shown ?? [
        [errors, "error"],
        [warnings, "warning"],
    ]) {
        const texts = await esbuild.formatMessages(messages, { kind, color });
        process.stderr.write(texts.join(""));
    }
}

/** @param {import("./esbuild.js").EsbuildPluginOptions} [options] */
export function snapcell(options = {}) {
    const { node = true, onBuilt = () => {} } = options;
    return {
        name: "snapcell",
        setup(build) {
            const request = { ...options };
            setOptions(build.initialOptions, request, node);
            for (const plugin of pluginsOf(request, {})) plugin.setup(build);
            build.onEnd(async result => {
                if (result.errors.length > 0) return undefined;
                const messages = await told(result);
                await show(build, messages);
                return messages;
            });
            async function told(result) {
                const message = messageIn(request.root);
                try {
                    const built = await compileOutput(result, request, options);
                    onBuilt(built);
                    const warnings = built.warnings.map(text => ({ text }));
                    return { warnings: [...built.notices.map(message), ...warnings] };
                } catch (error) {
                    if (!(error instanceof Failure)) throw error;
                    return { errors: (error.errors ?? [error]).map(message) };
                }
            }
        },
    };
}

export default snapcell;
