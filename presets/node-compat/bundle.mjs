// Bundles a function for snapcell, Node's modules included:
//   npm run bundle -- IN.js OUT.js [--empty MODULE]... [--files PATH=SOURCE]... [--assets FOLDER] [--env JSON]
//       [--minify] [--sourcemap]
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { missingNames, missingText } from "./missing.mjs";
import { nodeCompat } from "./plugin.mjs";

const usage =
    "npm run bundle -- IN.js OUT.js [--empty MODULE]... [--files PATH=SOURCE]... [--assets FOLDER] " +
    "[--env JSON] [--minify] [--sourcemap]";
const options = {
    empty: { type: "string", multiple: true },
    files: { type: "string", multiple: true },
    assets: { type: "string" },
    env: { type: "string" },
    minify: { type: "boolean" },
    sourcemap: { type: "boolean" },
};

function objectOf(text) {
    try {
        const value = JSON.parse(text);
        if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    } catch {
        // The same is to be said of what is no JSON.
    }
    throw new Error(`--env ${text}: an object in JSON is needed`);
}

function given({ empty, files, assets, env }) {
    const places = files?.map(text => {
        const [place, ...source] = text.split("=");
        if (source.length === 0) throw new Error(`--files ${text}: PATH=SOURCE is needed`);
        return [place, fromCaller(source.join("="))];
    });
    return {
        empty,
        files: places && Object.fromEntries(places),
        assets: assets && fromCaller(assets),
        env: env && objectOf(env),
    };
}

function command() {
    try {
        const { values, positionals } = parseArgs({ options, allowPositionals: true });
        if (positionals.length !== 2) throw new Error("one input and one output are needed");
        return { plugin: nodeCompat(given(values)), values, positionals };
    } catch (error) {
        console.error(`${error.message}\nusage: ${usage}`);
        process.exit(2);
    }
}

// npm starts scripts in the package's folder; paths are meant from where it was called.
const fromCaller = path => resolve(process.env.INIT_CWD ?? ".", path);

const { plugin, values, positionals } = command();
const [input, output] = positionals.map(fromCaller);

// What the function lacks is told before its first request.
async function tellMissing(metafile) {
    for (const missing of await missingNames(metafile)) {
        console.error(`${missing.level}: ${missingText(missing)}`);
        if (missing.level === "error") process.exitCode = 1;
    }
}

try {
    const { metafile } = await build({
        entryPoints: [input],
        outfile: output,
        bundle: true,
        format: "esm",
        target: "es2023",
        platform: "browser",
        conditions: ["workerd", "worker", "browser"],
        define: { "process.env.NODE_ENV": '"production"', ...nodeCompat.define },
        inject: nodeCompat.inject,
        plugins: [plugin],
        minify: values.minify,
        sourcemap: values.sourcemap,
        jsx: "automatic",
        logLevel: "warning",
        metafile: true,
    });
    await tellMissing(metafile);
} catch {
    process.exitCode = 1; // esbuild has said why
}
