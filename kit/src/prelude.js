// While developing, packages stay as they are: what they give is bundled once, as a module of its own that comes before
// the rest (`snapcell compile --prelude-length`). Each change then bundles the project's own files alone. The two are
// evaluated as the whole bundle would be; where that is not certain, there is no prelude.
import * as esbuild from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { neededAdapter } from "./adapters.js";
import { esbuildOptions, needsNode, shownText } from "./bundler_esbuild.js";
import { FirstMap } from "./join_maps.js";

const specifier = "snapcell:prelude";
const namespace = "snapcell-prelude";
const wholeNamespace = "snapcell_namespace";

const isLatin1 = text => !/[^\0-\xff]/.test(text);
const isPackaged = input => /(^|\/)node_modules\//.test(input) && !/^[a-z-]+:/.test(input);
const textOf = ({ outputFiles }, ending) =>
    outputFiles.find(({ path }) => path.endsWith(ending))?.text;
const outputOf = ({ outputs }) => Object.values(outputs).find(({ entryPoint }) => entryPoint);

/** Whether a function's bundles can have one. @param {any} request @param {{ map?: string }} bundled */
export const mayHavePrelude = (request, { map }) =>
    map !== undefined &&
    !request.contents &&
    !request.node &&
    !request.deno &&
    !request.minify &&
    Object.keys(request.esbuild ?? {}).length === 0;

// What esbuild evaluates where it stands in a bundle: an ES module that nobody calls for later, and whose imports are
// all of that kind.
function plainModules({ inputs }) {
    const later = new Set();
    for (const { imports } of Object.values(inputs))
        for (const { path, kind } of imports) if (kind !== "import-statement") later.add(path);
    const isPlain = input =>
        isPackaged(input) && inputs[input].format === "esm" && !later.has(input);
    return input =>
        isPlain(input) &&
        inputs[input].imports.every(({ path, external, kind }) =>
            external ? kind === "import-statement" : isPlain(path)
        );
}

/**
 * What is evaluated, in order: esbuild begins a module where it first calls for something. CommonJS stands there as a
 * function.
 */
export const evaluatedOf = metafile =>
    Object.keys(outputOf(metafile).inputs).filter(
        input => metafile.inputs[input]?.format !== "cjs"
    );

/**
 * The modules of packages that are evaluated before any module of the project's, which can thus not be seen by them,
 * and what of packages has no code of its own in the bundle. All that they import is among them.
 * @param {any} metafile of the whole bundle
 */
export function preludeModules(metafile) {
    const isPlain = plainModules(metafile);
    const evaluated = evaluatedOf(metafile);
    const end = evaluated.findIndex(input => !isPlain(input));
    const first = new Set(evaluated.slice(0, end < 0 ? evaluated.length : end));
    const later = new Set(evaluated.filter(input => !first.has(input)));
    const found = new Set(
        Object.keys(metafile.inputs).filter(input => isPlain(input) && !later.has(input))
    );
    const isOpen = input =>
        metafile.inputs[input].imports.some(({ path, external }) => !external && !found.has(path));
    for (let open; (open = [...found].find(isOpen));) found.delete(open);
    return [...first].some(input => found.has(input)) ? found : new Set();
}

// What the other modules import of them.
const importsInto = ({ inputs }, found) =>
    Object.entries(inputs)
        .filter(([input]) => !found.has(input))
        .flatMap(([, { imports }]) => imports)
        .filter(({ path }) => found.has(path));

// What esbuild asks about, as the project's modules have it; each question takes time.
const filterOf = specifiers => {
    const texts = specifiers.map(text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^(?:${texts.join("|")})$`);
};

// Gives a project's modules what is in the prelude. `names`: of each module's exports, by its file; they may change.
const preludePlugin = (names, filter) => ({
    name: "snapcell-prelude",
    setup(build) {
        const own = {};
        const files = [...names.keys()];
        const known = new Map(); // each question takes time; the bundle of the whole will tell what has moved
        build.onResolve({ filter }, async ({ path, kind, pluginData, ...from }) => {
            if (path === specifier) return { path, external: true, sideEffects: false };
            if (pluginData === own || kind !== "import-statement") return undefined;
            const key = JSON.stringify([path, from.resolveDir, from.with]);
            if (known.has(key)) return known.get(key);
            const found = await build.resolve(path, { ...from, kind, pluginData: own });
            if (found.errors.length > 0 || !names.has(found.path) || found.suffix) return undefined;
            const place = { path: found.path, namespace, sideEffects: found.sideEffects };
            known.set(key, place);
            return place;
        });
        build.onLoad({ filter: /.*/, namespace }, ({ path }) => {
            const at = files.indexOf(path);
            const line = name =>
                `export { ${boundName(at, name)} as ${name} } from "${specifier}";`;
            return { contents: names.get(path).map(line).join("\n") };
        });
    },
});

const boundName = (at, name) => `m${at}_${name}`;

const isPreludes = input => input.startsWith(`${namespace}:`);

// All modules in the order in which esbuild has them evaluated.
function orderOf(metafile) {
    const order = new Set();
    const begun = new Set();
    const visit = input => {
        if (begun.has(input)) return;
        begun.add(input);
        for (const { path, external } of metafile.inputs[input].imports) if (!external) visit(path);
        order.add(input);
    };
    visit(outputOf(metafile).entryPoint);
    return [...order];
}

/**
 * What the rest imports of the prelude: its modules in the order of evaluation, and the names that are left of what
 * they export. Undefined: something else is evaluated before one of them.
 */
function importsOf(rest) {
    const { inputs } = outputOf(rest.metafile);
    const order = orderOf(rest.metafile);
    const begin = order.findIndex(input => Object.hasOwn(inputs, input) && !isPreludes(input));
    if (begin >= 0 && order.slice(begin).some(isPreludes)) return undefined;
    const names = textOf(rest, ".js").matchAll(
        /^import { (m\d+_[\w$]+).* } from "snapcell:prelude";$/gm
    );
    return {
        modules: order.filter(isPreludes),
        names: [...names].map(([, name]) => name).sort(),
    };
}

function stampOf(file) {
    const { size, mtimeMs, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? {};
    return `${size} ${mtimeMs} ${ctimeMs}`;
}

// With what says what a package's modules are.
function stampsOf(files) {
    const folders = new Set(files.map(file => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(file)[0]));
    const all = [...files, ...[...folders].map(folder => join(folder, "package.json"))];
    return new Map(all.map(file => [file, stampOf(file)]));
}

/** A function's prelude, and what bundles the rest of it. */
export class Prelude {
    #context;

    /** @param {any} request as of the bundler's, which esbuild is */
    constructor(request) {
        this.request = request;
        this.root = request.root;
    }

    /**
     * Makes it, of a bundle of the whole. Undefined: there is none.
     * @param {any} request @param {{ metafile: any }} whole
     */
    static async of(request, { metafile }) {
        const found = preludeModules(metafile);
        if (found.size === 0) return undefined;
        const made = new Prelude(request);
        try {
            return (await made.#make(found, metafile)) ? made : (await made.dispose(), undefined);
        } catch {
            await made.dispose(); // the bundle of the whole will say what is wrong
            return undefined;
        }
    }

    async #make(found, whole) {
        const filesOf = inputs => [...inputs].map(input => resolve(this.root, input));
        this.stamps = stampsOf(filesOf(found));
        const imports = importsInto(whole, found);
        this.names = await this.#exportsOf(filesOf(new Set(imports.map(({ path }) => path))));
        const originals = imports.map(({ original }) => original).filter(Boolean);
        const filter = filterOf([specifier, ...new Set(originals)]);
        const options = esbuildOptions(this.request);
        const plugins = [preludePlugin(this.names, filter), ...options.plugins];
        this.#context = await esbuild.context({ ...options, plugins });
        const rest = await this.#context.rebuild();
        this.imports = importsOf(rest);
        if (!this.imports) return false;
        this.rest = rest;
        this.#forgetUnused();
        const first = await this.#build(this.#entry());
        this.modules = evaluatedOf(first.metafile).filter(path => !path.startsWith("snapcell:"));
        this.code = shownText(textOf(first, ".js"), this.root);
        this.isLatin1 = isLatin1(this.code);
        this.hashes = new Map();
        this.map = new FirstMap(shownText(textOf(first, ".js.map"), this.root), this.code);
        return !(await this.#isUnusual()) && this.#isAllOf(rest.metafile, whole);
    }

    // One object for the whole bundle, a line that may be left out, and what lets others run before the rest.
    async #isUnusual() {
        if (/import\.meta|sourceMappingURL=/.test(this.code)) return true;
        const awaits = esbuild.transform(this.code, { format: "iife" });
        return awaits.then(
            () => false,
            () => true
        );
    }

    // Both together have the modules of the whole, in its order.
    #isAllOf(rest, whole) {
        const own = evaluatedOf(rest).filter(input => !isPreludes(input));
        const both = [...this.modules, ...own];
        return JSON.stringify(both) === JSON.stringify(evaluatedOf(whole));
    }

    async #exportsOf(modules) {
        const entryPoints = modules.map((file, at) => ({ in: file, out: String(at) }));
        const { outfile, ...options } = esbuildOptions(this.request);
        const { metafile } = await esbuild.build({
            ...options,
            entryPoints,
            outdir: this.root,
            splitting: true,
            sourcemap: false,
        });
        const outputs = Object.values(metafile.outputs).filter(({ entryPoint }) => entryPoint);
        const exportsOf = new Map(
            outputs.map(({ entryPoint, exports }) => [resolve(this.root, entryPoint), exports])
        );
        return new Map(modules.map(file => [file, exportsOf.get(file) ?? []]));
    }

    #usedOf(file) {
        const prefix = boundName([...this.names.keys()].indexOf(file), "");
        const used = this.imports.names.filter(name => name.startsWith(prefix));
        return used.map(name => name.slice(prefix.length));
    }

    // Names that are used come to light all the same: as one that is missing, or, where a namespace is used as a whole,
    // as one that nothing else uses.
    #forgetUnused() {
        for (const [file, names] of this.names) {
            const used = this.#usedOf(file);
            if (used.length < names.length) this.names.set(file, [...used, wholeNamespace]);
        }
    }

    // The modules in the order in which the rest imports them, and what it uses of them.
    #entry() {
        const files = [...this.names.keys()];
        return this.imports.modules.map(input => {
            const file = input.slice(namespace.length + 1);
            const from = JSON.stringify(file);
            const at = files.indexOf(file);
            const list = this.#usedOf(file).map(name => `${name} as ${boundName(at, name)}`);
            return list.length > 0
                ? `export { ${list.join(", ")} } from ${from};`
                : `import ${from};`;
        });
    }

    #build(entry) {
        const { entryPoints, ...options } = esbuildOptions(this.request);
        const contents = entry.join("\n");
        const stdin = { contents, resolveDir: this.root, sourcefile: specifier };
        return esbuild.build({ ...options, stdin });
    }

    /** Whether this is that of a bundle of the whole, too. @param {{ metafile: any }} whole */
    isOf({ metafile }) {
        return this.rest !== undefined && this.#isAllOf(this.rest.metafile, metafile);
    }

    /**
     * The bundle of now. Undefined: it has another prelude, or cannot be made.
     * @returns {Promise<{ code: string, mapUrl: string, preludeLength: number, early: any, isNew: boolean,
     *     take: () => void } | undefined>} `early`: as ServeProcess has it; `isNew`: another one than was taken last
     */
    async bundle() {
        this.rest = undefined;
        if ([...this.stamps].some(([file, stamp]) => stampOf(file) !== stamp)) return undefined;
        try {
            const rest = await this.#context.rebuild();
            return this.#isFitting(rest) ? this.#joined((this.rest = rest)) : undefined;
        } catch {
            return undefined; // as above
        }
    }

    #isFitting(rest) {
        const { metafile } = rest;
        const isMissing = ({ id }) => id === "import-is-undefined";
        const isTwice = input => this.stamps.has(resolve(this.root, input));
        return (
            JSON.stringify(importsOf(rest)) === JSON.stringify(this.imports) &&
            !rest.warnings.some(isMissing) &&
            !Object.keys(metafile.inputs).some(isTwice) &&
            !neededAdapter(metafile) &&
            !needsNode(metafile, this.root, input => this.#textOf(input))
        );
    }

    // The prelude's was looked at in the bundle of the whole.
    #textOf(input) {
        return isPreludes(input) ? "" : readFileSync(resolve(this.root, input), "utf8");
    }

    #joined(rest) {
        const code = shownText(textOf(rest, ".js"), this.root);
        const restMap = shownText(textOf(rest, ".js.map"), this.root);
        const mapUrl = this.map.joined(restMap);
        const isNew = code !== this.answered;
        const encoding = this.isLatin1 && isLatin1(code) ? "latin1" : "utf-16le";
        const early = { prelude: this.#hash(encoding), encoding, text: code, map: restMap };
        const take = () => void (this.answered = code);
        return {
            code: this.code + code,
            mapUrl,
            preludeLength: this.code.length,
            isNew,
            early,
            take,
        };
    }

    // Of the bytes that the engine keeps.
    #hash(encoding) {
        const known = this.hashes.get(encoding);
        if (known) return known;
        const hash = createHash("sha256").update(Buffer.from(this.code, encoding)).digest("hex");
        this.hashes.set(encoding, hash);
        return hash;
    }

    async dispose() {
        await this.#context?.dispose();
    }
}
