// Names of Node's modules that a bundle's code uses and the preset does not have, found without running
// the code:
//   const { metafile } = await build({ metafile: true, plugins: [nodeCompat()], ... });
//   for (const name of await missingNames(metafile)) console.warn(missingText(name));
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { parse } from "acorn";
import { transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const states = { __proto__: null };
for (const [module, parts] of Object.entries(
    JSON.parse(readFileSync(join(here, "names.json"), "utf8"))
)) {
    states[module] = { __proto__: null };
    for (const [state, names] of Object.entries(parts))
        for (const name of names) states[module][name] = state;
}

// Of other platforms; "globalThis" stands for their module. Code that makes one does not work.
const absentGlobals = ["BroadcastChannel", "EventSource", "FixedLengthStream", "HTMLRewriter"];
absentGlobals.push("IdentityTransformStream", "SharedWorker", "WebSocketPair", "Worker");
absentGlobals.push("XMLHttpRequest");
states.globalThis = { __proto__: null };
for (const name of absentGlobals) states.globalThis[name] = "absent";

// Modules that are also members of others.
const members = {
    "fs.promises": "fs/promises",
    "util.types": "util/types",
    "path.posix": "path/posix",
};
for (const name of ["dns", "readline", "stream", "timers"])
    members[`${name}.promises`] = `${name}/promises`;

// --- What one file uses ---

const isText = node => node?.type === "Literal" && typeof node.value === "string";
const isCall = (node, name) =>
    node.type === "CallExpression" &&
    node.callee.type === "Identifier" &&
    name.test(node.callee.name);
const interop = /^(_+(toESM|toCommonJS|importStar|importDefault)|_?_?interop\w*)\d*$/i;

function moduleNamed(text) {
    const name = text.replace(/^node:/, "").replace(/\/$/, "");
    return name in states ? name : undefined;
}

function nameOf(member) {
    if (!member.computed) return member.property.name;
    return isText(member.property) ? member.property.value : undefined;
}

class FileUses {
    #modules = new Map(); // names of variables -> modules
    #declared = new Set();
    #named = new Map(); // names of variables -> the uses that they stand for
    uses = [];

    // The module that an expression gives, if it is known.
    #moduleOf(node) {
        if (node?.type === "AwaitExpression") return this.#moduleOf(node.argument);
        if (node?.type === "ImportExpression" && isText(node.source))
            return moduleNamed(node.source.value);
        if (node?.type === "Identifier") return this.#moduleOfVariable(node.name);
        if (node?.type === "MemberExpression") return this.#moduleOfMember(node);
        if (node?.type !== "CallExpression" || node.arguments.length === 0) return undefined;
        if (isCall(node, interop)) return this.#moduleOf(node.arguments[0]);
        const loads =
            isCall(node, /^(__)?require$/) ||
            (node.callee.type === "MemberExpression" && nameOf(node.callee) === "getBuiltinModule");
        return loads && isText(node.arguments[0])
            ? moduleNamed(node.arguments[0].value)
            : undefined;
    }

    #moduleOfVariable(name) {
        if (this.#modules.has(name)) return this.#modules.get(name);
        return name === "process" && !this.#declared.has(name) ? "process" : undefined;
    }

    #moduleOfMember(node) {
        const name = nameOf(node);
        if (name === "process" && /^(globalThis|global|self)$/.test(node.object.name)) return name;
        const module = this.#moduleOf(node.object);
        if (name === "default") return module;
        return module && members[`${module}.${name}`];
    }

    // Variables that hold a module; and those that hide a name that is global.
    declare(node) {
        if (node.type === "ImportDeclaration" || node.type === "VariableDeclarator") {
            const module = moduleNamed(node.source?.value ?? "") ?? this.#moduleOf(node.init);
            for (const { type, local } of node.specifiers ?? [])
                this.#declareOne(local.name, type === "ImportSpecifier" ? undefined : module);
            if (node.id?.type === "Identifier") this.#declareOne(node.id.name, module);
        } else if (/Function/.test(node.type))
            for (const { name } of node.params) if (name) this.#declared.add(name);
        if (/^(Function|Class)Declaration$/.test(node.type) && node.id)
            this.#declared.add(node.id.name);
    }

    #declareOne(name, module) {
        this.#declared.add(name);
        if (module) this.#modules.set(name, module);
    }

    // `path`: the nodes around it, the nearest last.
    use(node, path) {
        if (node.type === "ImportDeclaration" || node.type === "ExportNamedDeclaration") {
            const module = moduleNamed(node.source?.value ?? "");
            for (const { imported, local, type } of node.specifiers)
                if (module && /^(Import|Export)Specifier$/.test(type)) {
                    const use = this.#add(module, (imported ?? local).name, node, "import");
                    if (imported) this.#named.set(local.name, use);
                }
        } else if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern") {
            const module = this.#moduleOf(node.init);
            for (const { key, value } of node.id.properties)
                if (module && key?.name)
                    this.#named.set(value.name, this.#add(module, key.name, node, "read"));
        } else if (node.type === "VariableDeclarator" && node.init?.type === "MemberExpression") {
            const module = this.#moduleOf(node.init.object);
            if (module && node.id.name)
                this.#named.set(node.id.name, this.#add(module, nameOf(node.init), node, "read"));
        } else if (node.type === "NewExpression" || node.operator === "typeof") {
            const { name } = node.callee ?? node.argument;
            if (absentGlobals.includes(name) && !this.#declared.has(name))
                this.#add("globalThis", name, node, node.callee ? howUsed(node, path) : "tested");
        } else if (node.type === "Identifier") {
            const use = this.#named.get(node.name);
            if (use && isReference(node, path.at(-1))) use.found.push(howUsed(node, path));
        } else if (node.type === "MemberExpression") {
            const module = this.#moduleOf(node.object);
            const isNamed = path.at(-1).type === "VariableDeclarator";
            if (module && !isNamed) this.#add(module, nameOf(node), node, howUsed(node, path));
        }
    }

    #add(module, name, { loc }, how) {
        const use = { module, name, how, line: loc?.start.line, found: [] };
        this.uses.push(use);
        return use;
    }
}

// A variable that code reads: neither a declaration nor a name of something else.
function isReference(node, parent) {
    if (
        /Specifier$/.test(parent.type) ||
        (parent.type === "VariableDeclarator" && parent.id === node)
    )
        return false;
    if (parent.type === "MemberExpression" && !parent.computed) return parent.object === node;
    return parent.type !== "Property" || parent.shorthand || parent.value === node;
}

const isTested = ({ how, found }) =>
    how === "tested" || (found.length > 0 && found.every(one => one === "tested"));

// "set", "tested" (code that tests for a name, or catches what it throws, goes on without it) or "read".
function howUsed(node, path) {
    if (path.some(({ type }, i) => type === "TryStatement" && path[i + 1] === path[i].block))
        return "tested";
    for (let i = path.length - 1, child = node; i >= 0; child = path[i--]) {
        const parent = path[i];
        if (parent.type === "AssignmentExpression" && parent.left === child) return "set";
        if (parent.type === "UnaryExpression" && parent.operator === "typeof") return "tested";
        if (parent.type === "CallExpression" && parent.callee === child && parent.optional)
            return "tested";
        if (/^(If|While|For)Statement|^ConditionalExpression/.test(parent.type))
            return parent.test === child ? "tested" : "read";
        if (parent.type === "LogicalExpression" && parent.left === child) return "tested";
        if (parent.type === "BinaryExpression" && parent.operator === "instanceof") return "tested";
        if (!/^(Unary|Logical|Binary|Chain)Expression$/.test(parent.type)) return "read";
    }
    return "read";
}

function walk(node, path, visit) {
    visit(node, path);
    path.push(node);
    for (const child of Object.values(node))
        for (const one of Array.isArray(child) ? child : [child])
            if (typeof one?.type === "string") walk(one, path, visit);
    path.pop();
}

function tree(text) {
    const options = { ecmaVersion: "latest", locations: true, allowHashBang: true };
    try {
        return parse(text, { ...options, sourceType: "module" });
    } catch {
        const more = { allowReturnOutsideFunction: true, sourceType: "script" };
        return parse(text, { ...options, ...more });
    }
}

const mentions = new RegExp(
    String.raw`["'](node:)?[a-z_0-9]+(\/[a-z]+)?\/?["']|\bprocess\b|\bnew (${absentGlobals.join("|")})\b`
);
const loaders = { ts: "ts", mts: "ts", cts: "ts", tsx: "tsx", jsx: "jsx" };

async function usesOf(file) {
    let text = await readFile(file, "utf8");
    const loader = loaders[/\.(\w+)$/.exec(file)?.[1]];
    if (!mentions.test(text)) return [];
    if (loader) text = (await transform(text, { loader })).code;
    const found = new FileUses();
    const syntax = tree(text);
    walk(syntax, [], node => found.declare(node));
    walk(syntax, [], (node, path) => found.use(node, path));
    // What a file tests for in one place is safe in the others.
    const tested = new Set(
        found.uses
            .filter(({ how }) => how === "tested")
            .map(({ module, name }) => `${module} ${name}`)
    );
    return found.uses
        .filter(({ how, module, name }) => how !== "set" && !tested.has(`${module} ${name}`))
        .map(use => (loader ? { ...use, line: undefined } : use));
}

// --- What a bundle uses ---

// Files of which code is in an output, those of the preset excepted.
function reached(metafile, directory) {
    const files = new Set();
    for (const { inputs } of Object.values(metafile.outputs))
        for (const [path, { bytesInOutput }] of Object.entries(inputs))
            if (bytesInOutput > 0 && /\.[mc]?[jt]sx?$/.test(path))
                files.add(resolve(directory, path));
    return [...files].filter(file => !file.startsWith(here + sep));
}

function packageOf(file) {
    const parts = file.split(`${sep}node_modules${sep}`);
    if (parts.length === 1) return undefined;
    const [first, second] = parts.at(-1).split(sep);
    return first.startsWith("@") ? `${first}/${second}` : first;
}

// Each name once: { module, name, state, level, packages, places: [{ file, line }] }. `state`: "throws" when it
// is called, or "absent"; `level`: "error" if it is imported and absent, which Node itself would refuse.
export async function missingNames(metafile, directory = process.cwd()) {
    const found = new Map();
    for (const file of reached(metafile, directory)) {
        const uses = await usesOf(file).catch(() => []); // esbuild has read it; acorn may be older
        for (const { module, name, how, line } of uses) {
            const state =
                states[module][name] ?? (how === "import" && name !== "default" && "absent");
            if (!state || state === "works") continue;
            const level = how === "import" && state === "absent" ? "error" : "warning";
            const key = `${module} ${name}`;
            if (!found.has(key))
                found.set(key, { module, name, state, level, packages: [], places: [] });
            const told = found.get(key);
            if (level === "error") told.level = level;
            const user = packageOf(file);
            if (user && !told.packages.includes(user)) told.packages.push(user);
            told.places.push({ file: relative(directory, file), line });
        }
    }
    const order = ({ module, name }) => `${module} ${name}`;
    return [...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

// One line of text.
export function missingText({ module, name, state, packages, places }) {
    const what = state === "throws" ? "throws when it is called" : "is missing";
    const full = module === "globalThis" ? name : `${name} of node:${module}`;
    const [{ file, line }] = places;
    const users = packages.length > 0 ? `used by ${packages.join(", ")}, ` : "used ";
    return `${full} ${what} (${users}at ${file}${line ? `:${line}` : ""})`;
}
