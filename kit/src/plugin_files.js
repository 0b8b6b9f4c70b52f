// Modules that are not JavaScript, by the rules of a wrangler project.
import { readFile } from "node:fs/promises";
import { relative, sep } from "node:path";

/** A pattern of the form that wrangler's rules have. @param {string} glob */
export function globPattern(glob) {
    const tokens = glob.match(/\*\*\/|\*\*|\*|\?|\{[^}]*\}|[^*?{]+|./gs) ?? [];
    const escape = text => text.replace(/[.+^$()|[\]\\{}]/g, "\\$&");
    const body = tokens.map(token => {
        if (token === "**/") return "(?:.*/)?";
        if (token === "**") return ".*";
        if (token === "*") return "[^/]*";
        if (token === "?") return "[^/]";
        if (/^\{.*\}$/.test(token))
            return `(?:${token.slice(1, -1).split(",").map(escape).join("|")})`;
        return escape(token);
    });
    return new RegExp(`^${body.join("")}$`);
}

// The bytes stay in the bundle's text, of which a snapshot holds nothing.
const decoded = (base64, value) => ({
    contents: `import support from "snapcell:node"; const text = () => "${base64}"; export default ${value};`,
});

const contents = {
    Text: async path => ({ contents: await readFile(path, "utf8"), loader: "text" }),
    Data: async path => decoded(await readFile(path, "base64"), "support.textBytes(text).buffer"),
    CompiledWasm: async path =>
        decoded(await readFile(path, "base64"), "new WebAssembly.Module(support.textBytes(text))"),
    ESModule: async path => ({ contents: await readFile(path, "utf8"), loader: "ts" }),
    CommonJS: async path => ({ contents: await readFile(path, "utf8"), loader: "js" }),
};

export const ruleTypes = Object.keys(contents);

/**
 * @param {{ root: string, rules?: { type: string, globs: string[] }[] }} settings
 * @returns {import("esbuild").Plugin}
 */
export const filesPlugin = ({ root, rules = [] }) => ({
    name: "snapcell-files",
    setup(build) {
        const patterns = rules.flatMap(({ type, globs }) =>
            globs.map(glob => ({ type, pattern: globPattern(glob) }))
        );
        if (patterns.length === 0) return;
        build.onLoad({ filter: /.*/ }, ({ path }) => {
            const short = relative(root, path).split(sep).join("/");
            const rule = patterns.find(({ pattern }) => pattern.test(short));
            return rule && contents[rule.type](path);
        });
    },
});
