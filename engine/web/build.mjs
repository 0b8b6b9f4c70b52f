// Bundles modules/*.js with esbuild and writes them, with the list of globals and a hash of all, as
// one C++ file.
//   node build.mjs NPM_DIR OUT.cc
// NPM_DIR holds the node_modules that the lock file describes.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rewriteModules } from "./rewrite.mjs";
import { encodingLabels, encodingTables } from "./tables.mjs";

const here = dirname(fileURLToPath(import.meta.url));

// Parts of packages that are replaced: by native functions, or by nothing where only other
// environments need them.
const replaced = new Map([
    ["tr46", "tr46.js"],
    ["@exodus/bytes/encoding.js", "empty.js"],
    ["@exodus/bytes/whatwg.js", "percent_encode_query.js"],
    ["./encoding", "utf8.js"],
    ["./percent-encoding", "percent_encoding.js"],
    ["./util.inspect", "empty.js"],
    ["./multi-byte.table.js", "multi_byte_table.js"],
    ["./inspect_limits", "inspect_limits.js"],
]);

const replacePlugin = {
    name: "replace",
    setup(build) {
        build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
            if (!importer.includes("node_modules") || !replaced.has(path)) return undefined;
            return { path: join(here, "shims", replaced.get(path)) };
        });
    },
};

// Edits of a package's text, for what it does while it is evaluated: each must find its place once.
const edits = new Map([
    [
        "web-streams-polyfill/dist/ponyfill.mjs",
        [
            // It makes a DOMException to see whether it can. An error's stack makes V8 parse the
            // whole module again.
            [
                /=function\(\)\{const e=null==(\w+)\?void 0:\1\.DOMException;[^]*?\}\(\)\|\|function\(\)\{[^]*?\}\(\);function /,
                '=function(...a){return new(require("snapcell:exception").DOMException)(...a)};function ',
            ],
            // streams.js makes the AbortController of a WritableStream when it is requested.
            [
                /\w+\._abortController=function\(\)\{if\("function"==typeof AbortController\)return new AbortController\}\(\),/,
                "",
            ],
            // For streams.js: reads without a promise of an object.
            [
                /function (\w+)\(e,t\)\{const r=e\._ownerReadableStream;r\._disturbed=!0,"closed"/,
                "export function readSteps(e,t){$1(e,t)}$&",
            ],
            // Options that are not given are not objects, with a prototype.
            [
                /(class ReadableStream\{constructor\(e=)\{\},t=\{\}/,
                "$1{__proto__:null},t={__proto__:null}",
            ],
            [
                /(class WritableStream\{constructor\(e=)\{\},t=\{\}/,
                "$1{__proto__:null},t={__proto__:null}",
            ],
            [
                /(class TransformStream\{constructor\(e=)\{\},t=\{\},r=\{\}/,
                "$1{__proto__:null},t={__proto__:null},r={__proto__:null}",
            ],
            // A text where an error is due.
            [/("Parameter 1 is required in 'pipeTo'\.")/, "new TypeError($1)"],
            // The prototype of its asynchronous iterators has a member of its parent's, and another
            // parent.
            [/,\[(\w+)\]\(\)\{return this\}\};function /, "};function "],
            [
                /Object\.defineProperty\((\w+),\w+,\{enumerable:!1\}\);const (\w+)=Number\.isNaN/,
                "Object.setPrototypeOf($1,Object.getPrototypeOf(Object.getPrototypeOf(" +
                    "async function*(){}).prototype));Object.defineProperty($1,Symbol.toStringTag," +
                    '{value:"ReadableStream AsyncIterator",configurable:!0});const $2=Number.isNaN',
            ],
        ],
    ],
    // It shows all properties of an object, one by one.
    [
        "object-inspect/index.js",
        [
            [
                /function inspect\(value, from, noIndent\) \{/,
                'function inspect(...values) { return require("./inspect_limits").bounded(inner, ...values); }\n' +
                    "function inner(value, from, noIndent) {",
            ],
            [
                /if \(isArray\(obj\)\) \{\n(?=\s*if \(obj\.length === 0\) \{ return '\[\]'; \})/,
                'if (isTypedArray(obj)) return require("./inspect_limits").typedText(obj, inspect);\n$&',
            ],
            [
                /function arrObjKeys\(obj, inspect, maxLength\) \{[^]*?\n\}\n/,
                'function arrObjKeys(obj, inspect) { return require("./inspect_limits").parts(obj, inspect); }\n',
            ],
            // Most objects are plain. To see that they are no Map or Symbol, it would call methods that throw.
            [
                /function isSymbol\(obj\) \{\n/,
                "function isPlain(x) {\n" +
                    'if (typeof x !== "object" || x === null) return false;\n' +
                    "const prototype = gPO(x);\n" +
                    "return prototype === null || prototype === Object.prototype || prototype === Array.prototype;\n" +
                    "}\n$&if (isPlain(obj)) return false;\n",
            ],
            [/function isBigInt\(obj\) \{\n/, "$&if (isPlain(obj)) return false;\n"],
            ...["Map", "WeakMap", "WeakRef", "Set", "WeakSet"].map(name => [
                new RegExp(`function is${name}\\(x\\) \\{\\n`),
                "$&if (isPlain(x)) return false;\n",
            ]),
            [
                /(var newOpts = \{\n\s*depth: opts\.depth)\n/,
                "$1, maxStringLength: opts.maxStringLength\n",
            ],
        ],
    ],
    [
        "whatwg-url/lib/url-state-machine.js",
        [
            // A scheme may be the name of a property of every object.
            [/const specialSchemes = \{/, "$& __proto__: null,"],
            // Its options lack some, which are looked up on their prototype; its fields are set.
            [
                /function URLStateMachine\(/,
                "Object.setPrototypeOf(URLStateMachine.prototype, null);\n$&",
            ],
            [
                /if \(options === undefined\) \{\s*options = \{\};\s*\}(?=\s*const usm)/,
                "options = { __proto__: null, ...options };",
            ],
            // Of user names and passwords it takes characters beyond the BMP twice, and the last ones
            // not at all.
            [
                /const len = countSymbols\(this\.buffer\);\s+for \(let pointer = 0; pointer < len; \+\+pointer\) \{\s+const codePoint = this\.buffer\.codePointAt\(pointer\);/,
                "for (const symbol of this.buffer) {\nconst codePoint = symbol.codePointAt(0);",
            ],
        ],
    ],
]);

function edit(path, text) {
    for (const [pattern, replacement] of edits.get(path)) {
        const found = text.match(new RegExp(pattern, "g"))?.length ?? 0;
        if (found !== 1) fail(`${path}: expected ${pattern} once, found it ${found} times`);
        text = text.replace(pattern, replacement);
    }
    return text;
}

const editPlugin = {
    name: "edit",
    setup(build) {
        build.onLoad({ filter: /\.m?js$/ }, ({ path }) => {
            const key = [...edits.keys()].find(end => path.endsWith(`/node_modules/${end}`));
            return key && { contents: edit(key, readFileSync(path, "utf8")) };
        });
    },
};

function moduleNames() {
    return readdirSync(join(here, "modules"))
        .filter(name => name.endsWith(".js"))
        .map(name => basename(name, ".js"))
        .sort();
}

function nativeNames() {
    const text = readFileSync(join(here, "natives.def"), "utf8");
    return [...text.matchAll(/^WEB_NATIVE\((\w+)[,)]/gm)].map(match => match[1]);
}

export async function bundleModules(npmDir) {
    const esbuild = createRequire(join(resolve(npmDir), "package.json"))("esbuild");
    const names = moduleNames();
    const result = await esbuild.build({
        entryPoints: names.map(name => join(here, "modules", `${name}.js`)),
        nodePaths: [join(resolve(npmDir), "node_modules")],
        outdir: "out",
        write: false,
        bundle: true,
        format: "cjs",
        platform: "neutral",
        mainFields: ["module", "main"],
        target: "es2023",
        charset: "ascii",
        legalComments: "none",
        external: ["snapcell:*"],
        plugins: [editPlugin, replacePlugin],
        define: { ENCODING_LABELS: JSON.stringify(await encodingLabels(npmDir)) },
        logLevel: "warning",
    });
    const bundled = result.outputFiles.map(file => ({
        name: basename(file.path, ".js"),
        source: file.text,
    }));
    // The bundler would leave out what the build adds uses of.
    const runtime = bundled.find(({ name }) => name === "pristine");
    runtime.source = readFileSync(join(here, "modules", "pristine.js"), "utf8");
    const { modules, capture } = await rewriteModules(bundled, npmDir);
    const minified = await minify(esbuild, modules);
    return { modules: minified, capture };
}

async function minify(esbuild, modules) {
    // Nothing but white space is made smaller: functions and classes keep their names.
    const options = { minifyWhitespace: true, charset: "ascii", legalComments: "none" };
    return Promise.all(
        modules.map(async ({ name, source }) => {
            const { code } = await esbuild.transform(source, options);
            return { name, source: code.trimEnd() };
        })
    );
}

function fail(message) {
    console.error(`build.mjs: ${message}`);
    process.exit(1);
}

// What the bundler cannot know: natives, other built-in modules, text that C++ takes as Latin-1.
function checkModule({ name, source }, names, natives) {
    for (const [, native] of source.matchAll(/(?<![\w.])native\.(\w+)/g)) {
        if (!natives.includes(native)) fail(`${name}.js uses native.${native}: not in natives.def`);
    }
    for (const [, other] of source.matchAll(/require\("([^"]*)"\)/g)) {
        if (!other.startsWith("snapcell:") || !names.includes(other.slice(9))) {
            fail(`${name}.js requires "${other}": there is no such built-in module`);
        }
    }
    if (/__(?:commonJS|esm)\(\{"(?:[^"]*"\(|\.\.|\/)/.test(source)) {
        fail(`${name}.js has a package in a form that rewrite.mjs does not know`);
    }
    // The bundler renames a class that uses its own name in its body.
    const renamed = source.match(/class _([A-Z]\w+)/);
    if (renamed) fail(`${name}.js: class ${renamed[1]} must not name itself in its body`);
    // eslint-disable-next-line no-control-regex
    if (!/^[\x00-\x7f]*$/.test(source)) fail(`${name}.js is not ASCII after bundling`);
}

// Modules are required by number, which takes no search at run time.
function numberModules({ name, source }, names) {
    const numbered = source.replace(
        /require\("snapcell:(\w+)"\)/g,
        (unused, other) => `require(${names.indexOf(other)})`
    );
    return { name, source: numbered };
}

function globalList(modules) {
    const exported = JSON.parse(readFileSync(join(here, "globals.json"), "utf8"));
    return Object.entries(exported).flatMap(([module, names]) => {
        const index = modules.findIndex(({ name }) => name === module);
        if (index < 0) fail(`globals.json names the module "${module}": there is no such file`);
        return names.map(name => {
            if (!modules[index].source.includes(`exports.${name}=`)) {
                fail(`globals.json names "${name}": ${module}.js does not export it`);
            }
            return { name, index };
        });
    });
}

function cppString(text) {
    const pieces = text.match(/[^]{1,8000}/g) ?? [""];
    return pieces.map(piece => `R"__js__(${piece})__js__"`).join("\n");
}

function cppTable({ name, bytes }, i) {
    return `alignas(8) static const uint8_t kTable${i}[] = {${bytes.join()}}; // ${name}`;
}

function cppFile({ modules, capture, globals, tables, fingerprint }) {
    const moduleLines = modules.map(
        ({ name, source }) => `    {"${name}", ${cppString(source)}, ${source.length}},`
    );
    const tableLines = tables.map(
        ({ name }, i) => `    {"${name}", kTable${i}, sizeof kTable${i}},`
    );
    const globalLines = globals.map(({ name, index }) => `    {"${name}", ${index}, "${name}"},`);
    return `// Generated by web/build.mjs.
#include "web/web.h"

namespace snapcell
{

static const WebModule kModules[] = {
${moduleLines.join("\n")}
};

static const WebGlobal kGlobals[] = {
${globalLines.join("\n")}
};

${tables.map(cppTable).join("\n")}

static const WebTable kTables[] = {
${tableLines.join("\n")}
};

static const char kCapture[] = ${cppString(capture)};

std::string_view WebCapture() { return {kCapture, sizeof(kCapture) - 1}; }
std::span<const WebTable> WebTables() { return kTables; }
std::span<const WebModule> WebModules() { return kModules; }
std::span<const WebGlobal> WebGlobals() { return kGlobals; }
const char *WebFingerprint() { return "${fingerprint}"; }

} // namespace snapcell
`;
}

async function main(npmDir, outFile) {
    const { modules: named, capture } = await bundleModules(npmDir);
    const natives = nativeNames();
    const names = named.map(({ name }) => name);
    for (const module of named) checkModule(module, names, natives);
    const modules = named.map(module => numberModules(module, names));
    const globals = globalList(modules);
    const tables = await encodingTables(npmDir);
    const hash = createHash("sha256").update(JSON.stringify([modules, capture, globals, natives]));
    for (const { name, bytes } of tables) hash.update(name).update(bytes);
    const fingerprint = hash.digest("hex");
    writeFileSync(outFile, cppFile({ modules, capture, globals, tables, fingerprint }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    if (process.argv.length !== 4) fail("usage: node build.mjs NPM_DIR OUT.cc");
    await main(process.argv[2], process.argv[3]);
}
