// Reads a wrangler project: what this platform takes of it, and what it cannot honour.
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parse as parseJsonc, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { nearestTo } from "./configuration.js";
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
    compatibility_date: "string",
    assets: "object",
    build: "object",
    tsconfig: "string",
    jsx_factory: "string",
    jsx_fragment: "string",
};

// Settings that nothing here depends on, and that are no mistakes.
const settled = `
    $schema account_id base_dir cache cloudchamber compliance_region configPath definedEnvironments dev env
    find_additional_modules first_party_worker keep_names keep_vars legacy_env logfwdr logpush migrations minify
    no_bundle observability pages_build_output_dir placement preserve_file_names preview_urls previews
    python_modules route secrets send_metrics streaming_tail_consumers topLevelName unsafe_hello_world
    upload_source_maps userConfigPath workers_dev
`
    .trim()
    .split(/\s+/);

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
    ratelimits: "rate limits",
    ai_search: "AI Search",
    ai_search_namespaces: "AI Search",
    media: "Media Transformations",
    stream: "Stream",
    vpc_services: "VPC services",
    worker_loaders: "worker loaders",
    unsafe: "unsafe bindings",
    wasm_modules: "wasm_modules (import the .wasm file instead)",
    text_blobs: "text_blobs (import the file instead)",
    data_blobs: "data_blobs (import the file instead)",
    site: "Workers Sites (use assets instead)",
};
const ignored = {
    build: "the command of `build` is not run: run it before",
    limits: "limits are the host's: set them in the configuration of `snapcell serve`",
    tail_consumers: "tail consumers get nothing: `snapcell serve` logs what functions write",
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

const knownFlags = new RegExp(
    "^(nodejs_(compat(_v2)?|als)|no_nodejs_compat_v2|global_navigator|" +
        "(streams|url|export_commonjs|assets_navigation)_)"
);

function* assetNotes({ html_handling: html = "auto-trailing-slash" }) {
    if (html !== "auto-trailing-slash" && html !== "none")
        yield `assets: html_handling "${html}" is treated as "auto-trailing-slash"`;
}

function nearText(key, known) {
    const near = nearestTo(key, known);
    return near ? `; did you mean "${near}"?` : "";
}

function notesOf(config, file) {
    const have = Object.keys(missing).filter(key => isSet(config[key]));
    const notes = have.map(key => `${missing[key]} are not there: env has no such bindings`);
    for (const [key, text] of Object.entries(ignored)) if (isSet(config[key])) notes.push(text);
    const known = [...settled, ...Object.keys({ ...types, ...missing, ...ignored })];
    for (const key of Object.keys(config))
        if (!known.includes(key)) notes.push(`"${key}" is not known here${nearText(key, known)}`);
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
        esbuild: esbuildOf(config, folder),
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
        workerFirst: rest.run_worker_first ?? false,
        navigation: prefersAssets(config),
    };
}

// Whether a browser that goes to a page which is not there gets what stands for it, and not the Worker's answer.
function prefersAssets({ compatibility_date: date = "", compatibility_flags: flags = [] }) {
    if (flags.includes("assets_navigation_has_no_effect")) return false;
    return flags.includes("assets_navigation_prefers_asset_serving") || date >= "2025-04-01";
}

// What wrangler tells esbuild.
function esbuildOf(config, folder) {
    const { tsconfig, keep_names: keepNames } = config;
    const { jsx_factory: jsxFactory, jsx_fragment: jsxFragment } = config;
    return {
        ...(tsconfig ? { tsconfig: resolve(folder, tsconfig) } : {}),
        ...(keepNames ? { keepNames } : {}),
        ...(jsxFactory || jsxFragment ? { jsx: "transform" } : {}),
        ...(jsxFactory ? { jsxFactory } : {}),
        ...(jsxFragment ? { jsxFragment } : {}),
    };
}
