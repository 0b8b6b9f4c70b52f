// What a configuration may say. One that is misspelt must not be passed over.
import { usageFailure } from "./failure.js";

const kinds = {
    list: [Array.isArray, "a list"],
    table: [
        value => typeof value === "object" && value !== null && !Array.isArray(value),
        "an object",
    ],
};

const ofFunction = {
    name: "",
    entry: "",
    env: "table",
    adapter: "",
    bundler: "",
    noBundle: "",
    minify: "",
    sourcemap: "",
    define: "table",
    alias: "table",
    loader: "table",
    conditions: "list",
    assets: "",
    files: "table",
    empty: "list",
    buildEnv: "table",
    node: "",
    esbuild: "table",
    warm: "list",
    sign: "",
    tenant: "",
    shape: "",
    level: "",
    raw: "",
    strict: "",
    entropy: "",
    memoryMb: "",
    wallMs: "",
    store: "",
    native: "",
    metafile: "",
    serveConfig: "",
    routes: "list",
    rules: "list",
    force: "",
};
const ofProject = { ...ofFunction, functions: "table" };

/** The names of all settings. */
export const settingNames = Object.keys(ofProject);

// Of two words, how many letters one has to be changed in, left out or given to become the other.
function distance(one, other) {
    let row = Array.from({ length: other.length + 1 }, (_, i) => i);
    for (let i = 1; i <= one.length; i++) {
        const next = [i];
        for (let j = 1; j <= other.length; j++) {
            const changed = row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1);
            next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
        }
        row = next;
    }
    return row[other.length];
}

/** The name that a misspelt one may be meant for. @param {string} key @param {string[]} known */
export const nearestTo = (key, known) =>
    known.find(name => distance(key.toLowerCase(), name.toLowerCase()) <= 2);

function advice(key, known) {
    const near = nearestTo(key, known);
    return near ? `did you mean "${near}"?` : `there are: ${known.join(", ")}`;
}

function checkKeys(settings, known, where) {
    for (const [key, value] of Object.entries(settings)) {
        if (!Object.hasOwn(known, key) && key !== "$schema")
            throw usageFailure(
                `${where}: "${key}" is not known here; ${advice(key, Object.keys(known))}`
            );
        const [is, text] = kinds[known[key]] ?? [];
        if (is && value !== undefined && !is(value))
            throw usageFailure(`${where}: "${key}" must be ${text}`);
    }
}

/** @param {Record<string, any>} config @param {string} file */
export function checkConfiguration(config, file) {
    if (!kinds.table[0](config)) throw usageFailure(`${file}: a configuration is an object`);
    checkKeys(config, ofProject, file);
    for (const [name, own] of Object.entries(config.functions ?? {})) {
        const where = `${file}: functions.${name}`;
        const settings = typeof own === "string" ? { entry: own } : own;
        if (!kinds.table[0](settings))
            throw usageFailure(`${where} must be an entry, or an object with one`);
        checkKeys(settings, ofFunction, where);
        if (typeof settings.entry !== "string") throw usageFailure(`${where} names no "entry"`);
    }
}

// As the native program has it. The name is a file's, too, in the folder of bundles.
/** @param {string} name */
export function checkName(name) {
    const isName =
        typeof name === "string" &&
        name.length > 0 &&
        !/[/\u0000-\u001f\u007f]/.test(name) &&
        Buffer.byteLength(name) <= 200;
    if (!isName)
        throw usageFailure(
            `a function's name has 1 to 200 bytes, and neither "/" nor control characters: ` +
                `${JSON.stringify(String(name).slice(0, 40))} has not`
        );
}
