// Reads a wrangler project: what this platform takes of it, and what it cannot honour.
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parse as parseJsonc, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { fileFailure, usageFailure } from "./failure.js";
import { ruleTypes } from "./plugin_files.js";

export const wranglerNames = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** The config that a folder has, following what `wrangler deploy` would follow. @param {string} folder */
export function findWrangler(folder) {
    const redirect = join(folder, ".wrangler/deploy/config.json");
    if (existsSync(redirect)) {
        const { configPath } = readConfig(redirect);
        if (typeof configPath === "string") return resolve(dirname(redirect), configPath);
    }
    return wranglerNames.map(name => join(folder, name)).find(file => existsSync(file));
}

/** @param {string} file TOML, or JSON with comments */
export function readConfig(file) {
    const text = readText(file);
    return extname(file) === ".toml" ? tomlOf(text, file) : jsoncOf(text, file);
}

function readText(file) {
    try {
        return readFileSync(file, "utf8");
    } catch (error) {
        throw fileFailure(`${file} could not be read: ${error.message}`);
    }
}

function tomlOf(text, file) {
    try {
        return parseToml(text);
    } catch (error) {
        const message = error.message.split("\n")[0].replace(/^Invalid TOML document: /, "");
        throw usageFailure(`${file}:${error.line}:${error.column}: not TOML: ${message}`);
    }
}

/** @param {string} text @param {string} file */
export function jsoncOf(text, file) {
    const errors = [];
    const value = parseJsonc(text, errors, { allowTrailingComma: true });
    if (errors.length === 0) return value;
    const before = text.slice(0, errors[0].offset).split("\n");
    const place = `${file}:${before.length}:${before.at(-1).length + 1}`;
    throw usageFailure(`${place}: not JSON: ${printParseErrorCode(errors[0].error)}`);
}

// A setting's type, as its owner would name it.
const types = {
    name: "string",
    main: "string",
    vars: "object",
    rules: "array",
    routes: "array",
    define: "object",
    alias: "object",
    compatibility_flags: "array",
};

function checkTypes(config, file) {
    for (const [key, wanted] of Object.entries(types)) {
        const value = config[key];
        const found = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
        if (value !== undefined && found !== wanted)
            throw usageFailure(`${file}: "${key}" is a value of type ${wanted}, not ${found}`);
    }
    for (const rule of config.rules ?? [])
        if (!ruleTypes.includes(rule?.type) || !Array.isArray(rule.globs))
            throw usageFailure(
                `${file}: a rule has a type (${ruleTypes.join(", ")}) and globs, ` +
                    `not ${JSON.stringify(rule)}`
            );
}

// What a function would look for in `env` and not find, or count on, and what instead.
const missing = {
    kv_namespaces: "KV namespaces",
    d1_databases: "D1 databases",
    r2_buckets: "R2 buckets",
    durable_objects: "Durable Objects",
    queues: "queues",
    services: "service bindings",
    vectorize: "Vectorize",
    hyperdrive: "Hyperdrive",
    ai: "Workers AI",
    browser: "browser rendering",
    images: "Images",
    workflows: "workflows",
    analytics_engine_datasets: "Analytics Engine",
    send_email: "email bindings",
    mtls_certificates: "mTLS certificates",
    dispatch_namespaces: "dispatch namespaces",
    secrets_store_secrets: "Secrets Store",
    pipelines: "Pipelines",
    containers: "Containers",
    version_metadata: "version metadata",
    wasm_modules: "wasm_modules (import the .wasm file instead)",
    text_blobs: "text_blobs (import the file instead)",
    data_blobs: "data_blobs (import the file instead)",
    site: "Workers Sites (use assets instead)",
};
const ignored = {
    triggers:
        "cron triggers are not started; `snapcell run NAME --handler scheduled` calls the handler",
};

const isSet = value =>
    value !== undefined &&
    value !== null &&
    value !== false &&
    !(Array.isArray(value) && value.length === 0) &&
    !(typeof value === "object" && Object.keys(value).length === 0) &&
    !(value.bindings && value.bindings.length === 0) &&
    !(value.crons && value.crons.length === 0) &&
    !(value.producers && value.producers.length === 0 && !value.consumers?.length);

const knownFlags =
    /^(nodejs_compat(_v2)?|no_nodejs_compat_v2|nodejs_als|global_navigator|streams_|url_|export_commonjs_)/;

function* assetNotes({ html_handling: html = "auto-trailing-slash", run_worker_first: first }) {
    if (html !== "auto-trailing-slash" && html !== "none")
        yield `assets: html_handling "${html}" is treated as "auto-trailing-slash"`;
    if (Array.isArray(first))
        yield "assets: run_worker_first takes true or false here, not a list of paths";
}

function notesOf(config, file) {
    const have = Object.keys(missing).filter(key => isSet(config[key]));
    const notes = have.map(key => `${missing[key]} are not there: env has no such bindings`);
    for (const [key, text] of Object.entries(ignored)) if (isSet(config[key])) notes.push(text);
    const flags = (config.compatibility_flags ?? []).filter(flag => !knownFlags.test(flag));
    if (flags.length > 0) notes.push(`compatibility flags without effect: ${flags.join(", ")}`);
    notes.push(...assetNotes(config.assets ?? {}));
    return notes.map(note => `${file}: ${note}`);
}

// The settings of an environment replace those of the same name; some are never inherited.
const ownOfEnvironment = ["vars", "define", ...Object.keys(missing).filter(key => key !== "site")];

function ofEnvironment(config, name, file) {
    if (!name) return config;
    const { env = {}, ...top } = config;
    if (!Object.hasOwn(env, name)) {
        const names = Object.keys(env);
        const there = names.length > 0 ? `there are ${names.join(", ")}` : "it has none";
        throw usageFailure(`${file} has no environment "${name}": ${there}`);
    }
    for (const key of ownOfEnvironment) delete top[key];
    return { ...top, name: top.name && `${top.name}-${name}`, ...env[name] };
}

// As `snapcell serve` takes them: a host and a path.
function routesOf({ route, routes = [] }, file) {
    const all = [...(route === undefined ? [] : [route]), ...routes];
    return all.map(given => {
        const pattern = typeof given === "string" ? given : given?.pattern;
        if (typeof pattern === "string") return pattern.replace(/^https?:\/\//, "");
        throw usageFailure(`${file}: a route is a pattern, not ${JSON.stringify(given)}`);
    });
}

/**
 * The settings of a wrangler project, in this package's words.
 * @param {string} file
 * @param {string} [environment]
 */
export function wranglerSettings(file, environment) {
    const read = readConfig(file);
    if (typeof read !== "object" || read === null || Array.isArray(read))
        throw usageFailure(`${file}: a wrangler configuration is an object`);
    const config = ofEnvironment(read, environment, file);
    checkTypes(config, file);
    const folder = dirname(file);
    const flags = config.compatibility_flags ?? [];
    return {
        name: config.name,
        entry: config.main && resolve(folder, config.main),
        root: folder,
        env: config.vars ?? {},
        routes: routesOf(config, file),
        rules: config.rules ?? [],
        define: config.define ?? {},
        alias: config.alias ?? {},
        minify: config.minify,
        node: flags.some(flag => /^nodejs_compat/.test(flag)) ? true : undefined,
        assets: assetsOf(config, folder),
        notes: notesOf(config, file),
        sources: [file],
    };
}

function assetsOf(config, folder) {
    const { directory, binding, ...rest } = config.assets ?? {};
    if (!directory) return undefined;
    return {
        directory: resolve(folder, directory),
        ...(binding ? { binding } : {}),
        html: rest.html_handling === "none" ? "none" : "auto",
        missing: rest.not_found_handling ?? "none",
        workerFirst: rest.run_worker_first === true,
    };
}
