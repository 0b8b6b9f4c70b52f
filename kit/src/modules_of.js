// Where the modules of a bundle are: esbuild begins each with a comment that names it.

/** The package that a module is of. @param {string} path */
export const packageOf = path => {
    if (path.startsWith("snapcell:") || /^node-(absent|empty):/.test(path))
        return "snapcell (Node's modules)";
    const parts = path.split("node_modules/");
    if (parts.length === 1) return "(your code)";
    const [first, second] = parts.at(-1).split("/");
    return first.startsWith("@") ? `${first}/${second}` : first;
};

export class Modules {
    /**
     * @param {string} code a bundle, not minified
     * @param {Set<string>} paths the modules that it may have
     */
    constructor(code, paths) {
        this.lines = code.split("\n");
        this.starts = [];
        this.lines.forEach((line, i) => {
            const path = line.startsWith("// ") ? line.slice(3) : "";
            if (paths.has(path)) this.starts.push({ line: i + 1, path });
        });
        this.variables = this.#declared();
    }

    // Variables of the top level, each with its line; the names are unique in esbuild's output.
    #declared() {
        const found = new Map();
        const declaration = /^(?:var|let|const|class|function\*?|async function\*?) ([\w$]+)/;
        this.lines.forEach((line, i) => {
            const name = declaration.exec(line)?.[1];
            if (name && !found.has(name)) found.set(name, i + 1);
            for (const [, more] of name ? line.matchAll(/, ([\w$]+)(?= =|,|;)/g) : [])
                if (!found.has(more)) found.set(more, i + 1);
        });
        return found;
    }

    /** The module of a line; undefined before the first. @param {number} line from 1 */
    at(line) {
        let [low, high] = [0, this.starts.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.starts[middle].line <= line) low = middle + 1;
            else high = middle;
        }
        return this.starts[low - 1]?.path;
    }

    /** The module that declares a variable. @param {string} name */
    declaring(name) {
        const line = this.variables.get(name);
        return line === undefined ? undefined : this.at(line);
    }
}

const prelude = `
const __times = { own: new Map(), stack: [""], at: performance.now() };
const __charge = () => {
    const now = performance.now(), name = __times.stack.at(-1);
    __times.own.set(name, (__times.own.get(name) ?? 0) + now - __times.at);
    __times.at = performance.now();
};
const __mark = name => { __charge(); __times.stack[__times.stack.length - 1] = name; };
const __timed = (name, run) => function () {
    __charge(); __times.stack.push(name);
    try { return run.apply(this, arguments); } finally { __charge(); __times.stack.pop(); }
};
crypto.getRandomValues(new Uint8Array(1)); // evaluated at each load, not at build time
`;
const wrapped = helper => `
{ const plain = ${helper};
  ${helper} = (parts, more) => plain(Object.fromEntries(Object.entries(parts).map(
      ([name, run]) => [name, __timed(name, run)])), more); }
`;

// Comments with licenses may follow the exports.
function withoutExports(text) {
    const at = text.lastIndexOf("\nexport {");
    return at < 0
        ? text
        : text.slice(0, at) + text.slice(at).replace(/^\nexport \{[^{}]*\};?/, "\n");
}

/**
 * The same bundle, but it answers each request with the milliseconds that each of its modules took to be evaluated.
 * @param {Modules} modules
 */
export function timedBundle({ lines, starts }) {
    const code = [...lines];
    for (const { line, path } of starts) code[line - 1] += `\n__mark(${JSON.stringify(path)});`;
    const first = (starts[0]?.line ?? 1) - 1;
    const helpers = lines.slice(0, first).join("\n");
    for (const helper of ["__commonJS", "__esm"])
        if (new RegExp(`^var ${helper} = `, "m").test(helpers))
            code[first] = wrapped(helper) + code[first];
    const text = withoutExports(code.join("\n"));
    return `${prelude}${text}
__charge();
export default { fetch: () => Response.json([...__times.own]) };
`;
}
