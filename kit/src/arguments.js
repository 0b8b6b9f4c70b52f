// The options of the commands, and their help.
import { parseArgs } from "node:util";
import { usageFailure } from "./failure.js";

const common = {
    store: ["DIR", "the store (default: $SNAPCELL_STORE, else ./snapcell-store)"],
    native: ["FILE", "the native program (default: $SNAPCELL, else the one on PATH)"],
    config: ["FILE", "settings (default: snapcell.config.js, .mjs or .json of the project)"],
    environment: ["NAME", "an environment of the wrangler file"],
    json: [null, "results as JSON, one object a line for each function"],
};

const bundling = {
    name: ["NAME", "the function's name", "n"],
    adapter: [
        "NAME",
        "what the entry is written for: lambda (API Gateway 2.0), lambda-v1, lambda-alb, netlify, methods, none",
    ],
    bundler: ["MODULE", "a module whose default export bundles instead of esbuild"],
    "no-bundle": [null, "ENTRY is a bundle already"],
    minify: [null, "make the bundle small"],
    "no-sourcemap": [null, "make no source map"],
    define: ["K=V", "replace the identifier K by the expression V; repeatable", "", true],
    alias: ["A=B", "import B where A is imported; repeatable", "", true],
    loader: [".EXT=KIND", "how esbuild reads files with this ending; repeatable", "", true],
    conditions: ["NAME", "one more condition of package.json's exports; repeatable", "", true],
    assets: [
        "DIR",
        "embed a folder of files and serve them: env.ASSETS, and before the function is asked",
    ],
    files: [
        "PATH=SOURCE",
        "embed a file or a folder that node:fs finds at PATH; repeatable",
        "",
        true,
    ],
    empty: ["MODULE", "an empty module instead of this one of Node's; repeatable", "", true],
    "build-env": [
        "JSON",
        "an object that env of cloudflare:workers is while the snapshot is made; the snapshot keeps what comes of it",
    ],
};

const compiling = {
    warm: [
        "REQ",
        "answer this request at build time, as `snapcell compile --warm`; repeatable",
        "",
        true,
    ],
    sign: ["KEYFILE", "sign the artifact with this secret key"],
    tenant: ["TENANT", "with --sign: sign for TENANT"],
    shape: ["SHAPE", "what an exported function is: fetch, event or auto"],
    level: ["N", "zstd's level, 1 to 19"],
    raw: [null, "store uncompressed"],
    strict: [null, "a function that cannot be a snapshot is an error"],
    entropy: ["RULE", "random values at top level: error, fresh or allow"],
    "memory-mb": ["N", "memory limit of the compile (default: 512)"],
    "wall-ms": ["N", "time limit of the compile (default: 30000)"],
};

export const commands = {
    build: {
        summary: "bundle, compile, and put into the store",
        usage: "snapcell build [OPTIONS] [ENTRY]",
        text: `ENTRY is a source file, a project's folder, a folder of functions or a wrangler file (default: the
current folder). A function whose sources and settings have not changed is not built again.`,
        options: {
            ...bundling,
            ...compiling,
            "serve-config": [
                "FILE",
                "write variables and routes into a configuration of `snapcell serve`; what else is in it stays",
            ],
            metafile: ["FILE", "write what esbuild knows of the bundle to FILE"],
            watch: [null, "build again whenever a source changes", "w"],
            force: [null, "build even if nothing changed"],
            ...common,
        },
    },
    check: {
        summary: "show what start-up costs and what a snapshot holds",
        usage: "snapcell check [OPTIONS] [ENTRY]",
        text: `Shows, by package and by module, the bytes of the bundle, the bytes of the snapshot and the time of the
top level, and what keeps the function from being a snapshot.`,
        options: {
            html: ["FILE", "write a treemap that needs no other file"],
            modules: [null, "list modules, not only packages"],
            ...bundling,
            ...compiling,
            ...common,
        },
    },
    dev: {
        summary: "build, serve, and build again whenever a source changes",
        usage: "snapcell dev [OPTIONS] [ENTRY]",
        text: `Serves through \`snapcell serve\`. Variables come from .env, .env.local and .dev.vars.`,
        options: {
            listen: [
                "HOST:PORT",
                "where to listen (default: 127.0.0.1:8787; port 0 takes a free one)",
            ],
            "no-overlay": [null, "answer errors as plain text only"],
            ...bundling,
            ...compiling,
            ...common,
        },
    },
    init: {
        summary: "make a minimal project",
        usage: "snapcell init [OPTIONS] [FOLDER]",
        text: "Writes the files of a small project into FOLDER (default: the current folder). No file is replaced.",
        options: {
            name: ["NAME", "the project's name (default: the folder's)", "n"],
            js: [null, "JavaScript instead of TypeScript"],
            json: [null, "the files that were written, as JSON"],
        },
    },
};

/** The help of a command. @param {keyof typeof commands} name */
export function helpOf(name) {
    const { usage, text, options } = commands[name];
    const all = { ...options, help: [null, "print this help", "h"] };
    const lines = Object.entries(all).map(([long, [value, about, short]]) => {
        const left = `${short ? `-${short}, ` : "    "}--${long}${value ? ` ${value}` : ""}`;
        return left.length < 26
            ? `  ${left.padEnd(26)}${about}`
            : `  ${left}\n${" ".repeat(28)}${about}`;
    });
    return `Usage: ${usage}\n\n${text}\n\nOptions:\n${lines.join("\n")}\n`;
}

// "build-key" as the JavaScript API has it: buildKey.
const camel = name => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

function pairsOf(values, option) {
    return Object.fromEntries(
        values.map(text => {
            const at = text.indexOf("=");
            if (at < 1) throw usageFailure(`--${option} takes NAME=VALUE, not "${text}"`);
            return [text.slice(0, at), text.slice(at + 1)];
        })
    );
}

function objectOf(text, option) {
    try {
        const value = JSON.parse(text);
        if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch {
        // told below
    }
    throw usageFailure(`--${option} takes an object in JSON, such as {}, not "${text}"`);
}

const tables = ["define", "alias", "loader", "files"];
const renamed = { noSourcemap: ["sourcemap", false], noOverlay: ["overlay", false] };

function parsed(name, parameters) {
    const options = { help: { type: "boolean", short: "h" } };
    for (const [long, [value, , short, multiple]] of Object.entries(commands[name].options))
        options[long] = {
            type: value ? "string" : "boolean",
            ...(short && { short }),
            ...(multiple && { multiple }),
        };
    try {
        return parseArgs({ args: parameters, options, allowPositionals: true });
    } catch (error) {
        const message = error.message.split(/\. (To|Did)/)[0].replace(/\.$/, "");
        throw usageFailure(`${message}; \`snapcell ${name} --help\` lists the options`);
    }
}

/**
 * The options of a command line, named as in the JavaScript API.
 * @param {keyof typeof commands} name
 * @param {string[]} parameters
 */
export function optionsOf(name, parameters) {
    const { values, positionals } = parsed(name, parameters);
    if (positionals.length > 1)
        throw usageFailure(
            `one argument was expected, not ${positionals.length}: ${positionals.join(" ")}`
        );
    const result = { entry: positionals[0] };
    for (const [long, value] of Object.entries(values)) {
        const [key, replaced] = renamed[camel(long)] ?? [camel(long), value];
        if (tables.includes(key)) result[key] = pairsOf(value, long);
        else result[key] = key === "buildEnv" ? objectOf(value, long) : replaced;
    }
    return result;
}
