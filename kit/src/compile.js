// Has the native program compile a bundle.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { shown } from "./bundler.js";
import { Failure, fileFailure, statuses } from "./failure.js";
import { jsonLines, lastWords, runNative } from "./native.js";
import { workFolder } from "./state.js";

/**
 * A warm-up request as the program takes it: a path, or a file. Objects are written to one.
 * @param {string | object} request
 * @param {{ root: string, cwd?: string, name: string }} settings
 * @param {number} index
 */
function warmOption(request, { root, cwd, name }, index) {
    if (typeof request === "object") {
        const file = join(workFolder(root), `${name}.warm-${index}.json`);
        writeFileSync(file, JSON.stringify(request));
        return file;
    }
    if (request.startsWith("/")) return request; // the program tells a path from a file
    const file = resolve(cwd ?? root, request);
    if (existsSync(file)) return file;
    throw fileFailure(
        `the warm-up request ${request} is neither a path such as /hello nor a file that is there`
    );
}

/** The files that warm-up requests are in. */
export const warmFiles = ({ warm = [], cwd, root }) =>
    warm
        .filter(one => typeof one === "string")
        .map(one => resolve(cwd ?? root, one))
        .filter(file => statSync(file, { throwIfNoEntry: false })?.isFile());

// What esbuild makes is a module, even where nothing in it says so. It runs as one, with the language's strict rules,
// and as it does while it is developed.
const formatOf = ({ format, noBundle, bundler }) =>
    format ?? (noBundle || bundler ? undefined : "esm");

function parametersOf(file, settings) {
    const { shape, level, raw, strict, entropy, sign, tenant, store } = settings;
    const { memoryMb, wallMs, cwd } = settings;
    const valued = {
        shape,
        level,
        entropy,
        tenant,
        format: formatOf(settings),
        "memory-mb": memoryMb,
        "wall-ms": wallMs,
    };
    return [
        "compile",
        file,
        "--json",
        ...["--name", settings.name],
        ...(settings.warm ?? []).flatMap((one, i) => ["--warm", warmOption(one, settings, i)]),
        ...Object.entries(valued).flatMap(([name, value]) =>
            value === undefined ? [] : [`--${name}`, String(value)]
        ),
        ...(raw ? ["--raw"] : []),
        ...(strict ? ["--strict"] : []),
        ...(settings.explain ? ["--explain"] : []),
        ...(settings.heapFile ? ["--heap-snapshot", settings.heapFile] : []),
        ...(sign ? ["--sign", resolve(cwd ?? ".", sign)] : []),
        ...(store ? ["--store", resolve(cwd ?? ".", store)] : []),
    ];
}

// A compile that failed, with its place in the sources. The program names the bundle; who wrote the function knows the
// file that it was made of.
function compileFailure(error, status, { bundle, root, entry }) {
    const { code, file, line, column, stack } = error;
    const message = entry
        ? error.message.replaceAll(resolve(bundle), shown(entry, root))
        : error.message;
    const place = file ? { file, line, column } : {}; // not of a store that cannot be made, say
    return new Failure(message, { status, code, ...place, stack });
}

// What the function wrote to its console at top level and in warm-ups: lines that begin with its name, and what follows
// them, among the program's own.
function consoleOf(stderr, name) {
    const lines = [];
    let isOwn = true;
    for (const line of stderr.trimEnd().split("\n")) {
        if (line.startsWith("snapcell: ")) isOwn = true;
        else if (line.startsWith(`${name}: `)) isOwn = false;
        if (!isOwn) lines.push(line);
    }
    return lines;
}

/**
 * @param {string} program the native program
 * @param {string} file the bundle
 * @param {any} settings
 * @param {AbortSignal} [signal]
 */
export async function compileBundle(program, file, settings, signal) {
    const parameters = parametersOf(file, settings);
    const ended = await runNative(program, parameters, { cwd: settings.cwd, signal });
    const [result] = ended.stdout.startsWith("{") ? jsonLines(ended.stdout) : [];
    if (!result) throw lastWords(ended);
    const { root, entry } = settings;
    const where = { bundle: file, root, entry };
    const written = consoleOf(ended.stderr, settings.name);
    if (!result.error) return { ...result, console: written };
    const failure = compileFailure(result.error, ended.status || statuses.failed, where);
    throw Object.assign(failure, written.length > 0 ? { console: written } : {});
}

/** Is this key in the store under this name? */
export async function isStored(program, { name, store, cwd }, key) {
    const where = store ? ["--store", resolve(cwd ?? ".", store)] : [];
    const { status, stdout } = await runNative(program, ["show", name, "--json", ...where], {
        cwd,
    });
    return status === 0 && JSON.parse(stdout).key === key;
}
