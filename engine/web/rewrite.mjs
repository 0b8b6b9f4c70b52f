// Rewrites built-in modules, packages included, so that they use the built-ins as they were before
// any code of the function ran (modules/pristine.js), in all that looks something up on them:
//   Map, Object.keys, Promise.resolve      what was captured
//   list.push(x), text.slice(1)            functions that know what they are called on
//   bytes.buffer, map.size                 the same for getters
//   for (x of list), [...list], [a] = list the built-ins' own iterators
//   for (name in object)                   own names alone
//   value instanceof Class                 without Symbol.hasInstance
//   defineProperty(o, k, { value }), new Stream({ pull })
//                                          objects without a prototype
//   return promise                         in async functions: without a look at its `then`
// What it does not know how to rewrite, and would have to, it refuses.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import {
    absent,
    array,
    buffer,
    descriptorKeys,
    direct,
    directly,
    getters,
    left,
    map,
    methods,
    moduleScope,
    namespaces,
    newerStatics,
    newHelpers,
    number,
    on,
    own,
    set,
    staticHelpers,
    string,
    typedArrays,
    unknown,
    webModules,
} from "./rewrite_tables.mjs";

// --- Small trees ---

const identifier = name => ({ type: "Identifier", name });
const literal = value => ({ type: "Literal", value });
const callOf = (callee, ...args) => ({
    type: "CallExpression",
    callee,
    arguments: args,
    optional: false,
});
const memberOf = (object, name) => ({
    type: "MemberExpression",
    object,
    property: identifier(name),
    computed: false,
    optional: false,
});
const nullPrototype = () => ({
    type: "Property",
    key: identifier("__proto__"),
    value: literal(null),
    kind: "init",
    computed: false,
    method: false,
    shorthand: false,
});

const isObject = node => node?.type === "ObjectExpression";
const isNamed = (node, name) => node?.type === "Identifier" && node.name === name;
const hasPrototype = node =>
    node.properties.some(
        one => one.type === "Property" && !one.computed && isNamed(one.key, "__proto__")
    );

function withoutPrototype(node) {
    if (isObject(node) && !hasPrototype(node)) node.properties.unshift(nullPrototype());
}

// V8 parses a function in parentheses at once. Without them it would parse a package, which the
// bundler puts into a method, to skip it, and again when the method is called. The path that names
// the method would tell where this was built.
const EAGER = "__eager";
function makeEager(node) {
    const [method] = node.properties;
    method.key = literal(method.key.value.replace(/^.*\/(?=(?:node_modules|shims)\/)/, ""));
    method.value = callOf(identifier(EAGER), method.value);
    method.method = false;
}

const isDescriptor = node =>
    isObject(node) &&
    node.properties.length > 0 &&
    node.properties.some(one => one.key && one.key.name !== "value") &&
    node.properties.every(one => one.type === "SpreadElement" || descriptorKeys.has(one.key.name));

// What an async function may return as it is.
const simple = new Set([
    "Literal",
    "TemplateLiteral",
    "ObjectExpression",
    "ArrayExpression",
    "NewExpression",
    "ArrowFunctionExpression",
    "UnaryExpression",
    "BinaryExpression",
]);

// --- The rewriting of one module ---

class Rewriter {
    constructor(name, tools, pristine) {
        this.name = name;
        this.tools = tools;
        this.pristine = pristine; // what all modules use, gathered
        this.parts = 0; // how many objects were taken apart
        this.used = new Map(); // names of this module's own constants -> what they are
    }

    fail(node, message) {
        throw new Error(`rewrite.mjs: ${this.name}: ${message}\n${this.tools.print(node)}`);
    }

    // A constant of the module: `make()` is JavaScript that gives its value. Its name is short, since a
    // snapshot holds it.
    constant(what, make) {
        if (!this.used.has(what)) {
            const value = make();
            this.used.set(what, { name: `$$${this.used.size}`, value });
        }
        return identifier(this.used.get(what).name);
    }

    raw(path) {
        return this.constant(path, () => `$$pristine.take[${this.pristine.index(path)}]`);
    }

    method(path) {
        return this.constant(`${path}()`, () => `$$pristine.method(${this.pristine.index(path)})`);
    }

    getter(path) {
        return this.method(`get ${path}`);
    }

    helper(name) {
        return this.constant(`.${name}`, () => `$$pristine.${name}`);
    }

    // A built-in's static function; some use `this`.
    static(global, name) {
        const path = `${global}.${name}`;
        if (staticHelpers.has(path)) return this.helper(staticHelpers.get(path));
        if (
            namespaces.has(global) ||
            (global !== "Promise" && !/^(from|of|withResolvers)$/.test(name))
        )
            return this.raw(path);
        const [self, made] = [this.pristine.index(global), this.pristine.index(path)];
        const bound = `$$pristine.bound($$pristine.take[${made}], $$pristine.take[${self}])`;
        return this.constant(path, () => bound);
    }

    run(source) {
        const { acorn, scopes } = this.tools;
        const ast = acorn.parse(source, {
            ecmaVersion: 2023,
            allowReturnOutsideFunction: true,
            ranges: true,
        });
        const found = scopes.analyze(ast, { ecmaVersion: 2022, nodejsScope: true });
        this.free = new Set(found.globalScope.through.map(reference => reference.identifier));
        this.aliases = this.aliasesIn(found.scopes);
        for (const node of this.free) this.checkFree(node);
        this.visitAll(ast, "body", { async: false });
        const at = ast.body[0]?.directive ? 1 : 0;
        return { ast, at };
    }

    checkFree({ name }) {
        if (left.has(name) || absent.has(name) || moduleScope.has(name)) return;
        if (webModules.has(name) || isBuiltIn(name)) return;
        throw new Error(`rewrite.mjs: ${this.name}: "${name}" is not a built-in`);
    }

    // Identifiers of variables that are another name of a global, as minified code has them.
    aliasesIn(scopes) {
        const aliases = new Map();
        for (const { references } of scopes.flatMap(({ variables }) => variables)) {
            const writes = references.filter(reference => reference.isWrite());
            if (writes.length !== 1 || !this.isGlobal(writes[0].writeExpr)) continue;
            for (const { identifier } of references)
                aliases.set(identifier, writes[0].writeExpr.name);
        }
        return aliases;
    }

    isGlobal(node) {
        return node?.type === "Identifier" && this.free.has(node) && isBuiltIn(node.name);
    }

    visitAll(node, key, context) {
        const value = node[key];
        if (Array.isArray(value))
            for (let i = 0; i < value.length; i++)
                value[i] = this.visit(value[i], node, key, context);
        else if (value && typeof value.type === "string")
            node[key] = this.visit(value, node, key, context);
    }

    children(node, context) {
        const keys = this.tools.keys[node.type] ?? Object.keys(node);
        for (const key of keys) this.visitAll(node, key, context);
        return node;
    }

    visit(node, parent, key, context) {
        if (!node) return node;
        const rewrite = this[`on${node.type}`];
        return rewrite
            ? rewrite.call(this, node, parent, key, context)
            : this.children(node, context);
    }

    // --- Names ---

    onIdentifier(node, parent, key) {
        if (!this.free.has(node)) return node;
        const { name } = node;
        if (
            webModules.has(name) &&
            !(parent.type === "UnaryExpression" && parent.operator === "typeof")
        )
            return memberOf(
                callOf(identifier("require"), literal(`snapcell:${webModules.get(name)}`)),
                name
            );
        return isBuiltIn(name) ? this.raw(name) : node;
    }

    onProperty(node, parent, key, context) {
        if (node.shorthand && parent.type === "ObjectExpression") {
            const value = this.visit(node.value, node, "value", context);
            return { ...node, shorthand: value === node.value, value };
        }
        if (node.computed) this.visitAll(node, "key", context);
        this.visitAll(node, "value", context);
        return node;
    }

    onMemberExpression(node, parent, key, context) {
        const { object, property, computed } = node;
        const isTarget =
            (parent.type === "AssignmentExpression" && key === "left") ||
            parent.type === "UpdateExpression" ||
            (parent.type === "UnaryExpression" && parent.operator === "delete");
        if (!computed && property.type === "Identifier" && !isTarget) {
            const value = this.staticValue(object, property.name);
            if (value) return value;
            if (getters.has(property.name) && object.type !== "Super" && !inChain(node)) {
                this.visitAll(node, "object", context);
                return callOf(this.dispatch(property.name, getters, "get"), node.object);
            }
        }
        this.visitAll(node, "object", context);
        if (computed) this.visitAll(node, "property", context);
        return node;
    }

    // Object.keys, or Object.prototype.toString; not what cannot be replaced, as Symbol.iterator.
    // What comes out is part of the engine's fingerprint: it must not depend on which functions the
    // Node has that builds.
    staticValue(object, name) {
        if (this.isGlobal(object)) {
            const held = globalThis[object.name][name];
            const isNewer = newerStatics.has(`${object.name}.${name}`);
            if (held === undefined && !isNewer)
                this.fail(object, `.${name} is not known here: add it to the newer statics`);
            return (typeof held === "function" || isNewer) && name !== "prototype"
                ? this.static(object.name, name)
                : undefined;
        }
        if (object.type !== "MemberExpression" || object.computed) return undefined;
        if (!this.isGlobal(object.object) || !isNamed(object.property, "prototype"))
            return undefined;
        const prototype = globalThis[object.object.name].prototype;
        const described = Object.getOwnPropertyDescriptor(prototype, name);
        if (prototype === Promise.prototype && name === "then") return this.helper("thenMethod");
        return typeof described?.value === "function" && name !== "constructor"
            ? this.raw(`${object.object.name}.prototype.${name}`)
            : undefined;
    }

    // --- Calls ---

    // A function of the module that calls a method of what its first argument is: the built-in's, or
    // else the object's own. "all": with a list of arguments; "get": reads a property; "maybe": the
    // call is part of an optional chain, which ends where there is no object.
    dispatch(name, table, suffix) {
        return this.constant(`${name} ${suffix}`, () => this.dispatcher(name, table, suffix));
    }

    dispatcher(name, table, suffix) {
        const [count, how = count] = suffix.split("_");
        const names = ["a", "b", "c", "d", "e"].slice(0, parseInt(count, 10) || 0);
        const cases = table.get(name).map(kind => this.dispatchCase(kind, how, names));
        const start = how === "maybe" ? "o === undefined || o === null ? undefined : " : "";
        let otherwise = `o.${name}(${names.join(", ")})`;
        if (how === "get") otherwise = `o.${name}`;
        if (how === "all") otherwise = `${this.raw("Reflect.apply").name}(o.${name}, o, list)`;
        const head = how === "all" ? "o, list" : ["o", ...names].join(", ");
        return `(${head}) => ${start}${cases.join("")}${otherwise}`;
    }

    dispatchCase({ test, path, helper }, how, names) {
        const asked = this.test(test);
        const args = ["o", ...names].join(", ");
        if (helper !== undefined) {
            if (how === "all") throw new Error(`rewrite.mjs: ${helper}() is called with a spread`);
            return `${asked} ? ${this.helper(helper).name}(${args}) : `;
        }
        if (how === "all")
            return `${asked} ? ${this.raw("Reflect.apply").name}(${this.raw(path).name}, o, list) : `;
        const target = how === "get" ? this.getter(path) : this.method(path);
        return `${asked} ? ${target.name}(${args}) : `;
    }

    // Whether `o` is of a kind, as an expression.
    test(kind) {
        if (kind === "any") return "true";
        if (kind === "string" || kind === "number") return `typeof o === "${kind}"`;
        const made = { isArray: "Array.isArray", isView: "ArrayBuffer.isView" }[kind];
        return `${(made ? this.raw(made) : this.helper(kind)).name}(o)`;
    }

    onCallExpression(node, parent, key, context) {
        const { callee } = node;
        if (isNamed(callee, "__commonJS") || isNamed(callee, "__esm")) makeEager(node.arguments[0]);
        if (isDescriptor(node.arguments[2])) withoutPrototype(node.arguments[2]);
        this.describe(node);
        if (this.isTypedFrom(callee)) return this.typedFrom(node, context);
        const definer = this.definer(node);
        if (definer) {
            this.visitAll(node, "arguments", context);
            return callOf(this.helper(definer), ...node.arguments);
        }
        if (
            callee.type !== "MemberExpression" ||
            callee.computed ||
            callee.property.type !== "Identifier"
        )
            return this.children(node, context);
        const { name } = callee.property;
        if (unknown.has(name))
            this.fail(node, `${name}() is not known here: add it to the methods`);
        const isStatic = this.isGlobal(callee.object) || callee.object.type === "Super";
        if (isStatic || (!methods.has(name) && !direct.has(name)))
            return this.children(node, context);
        if (isNamed(callee.object, "Reflect") || node.optional) return this.children(node, context);
        return this.methodCall(node, name, context);
    }

    methodCall(node, name, context) {
        const { callee } = node;
        this.visitAll(callee, "object", context);
        this.visitAll(node, "arguments", context);
        const spreads = node.arguments.some(one => one.type === "SpreadElement");
        const isMaybe = callee.optional || inChain(callee.object);
        if (spreads && (isMaybe || direct.has(name)))
            this.fail(node, "no spread can be passed here");
        if (spreads) {
            const list = { type: "ArrayExpression", elements: node.arguments };
            return callOf(this.dispatch(name, methods, "all"), callee.object, list);
        }
        const count = String(node.arguments.length);
        const isDirect = direct.has(name) && !isMaybe;
        const called = isDirect
            ? this.method(direct.get(name))
            : this.dispatch(
                  name,
                  direct.has(name) ? directly : methods,
                  isMaybe ? `${count}_maybe` : count
              );
        return callOf(called, callee.object, ...node.arguments);
    }

    isTypedFrom({ type, object, property }) {
        return (
            type === "MemberExpression" &&
            this.isGlobal(object) &&
            typedArrays.has(object.name) &&
            property.name === "from"
        );
    }

    // Uint8Array.from(list, convert)
    typedFrom(node, context) {
        this.visitAll(node, "arguments", context);
        const list = callOf(this.helper("arrayFrom"), ...node.arguments);
        return callOf(this.helper("newTyped"), this.raw(node.callee.object.name), list);
    }

    // What takes the place of a function that is given descriptions from elsewhere.
    definer({ callee, arguments: args }) {
        if (callee.type !== "MemberExpression" || !this.isGlobal(callee.object)) return undefined;
        if (callee.object.name !== "Object") return undefined;
        const { name } = callee.property;
        if (name === "defineProperty" && !isObject(args[2])) return "define";
        return name === "defineProperties" && !isObject(args[1]) ? "defineAll" : undefined;
    }

    // Objects that describe properties.
    describe({ callee, arguments: args }) {
        let name = callee.type === "MemberExpression" ? callee.property.name : undefined;
        if (isNamed(callee, "__defProp")) name = "defineProperty"; // the bundler's name for it
        const maps = name === "defineProperties" || name === "create";
        if (name === "defineProperty" || isNamed(callee, "__defProp")) withoutPrototype(args[2]);
        if (!maps || !isObject(args[1])) return;
        for (const one of args[1].properties) withoutPrototype(one.value);
        withoutPrototype(args[1]);
    }

    onNewExpression(node, parent, key, context) {
        const { callee } = node;
        const name = this.isGlobal(callee) ? callee.name : this.aliases.get(callee);
        if (name !== "Proxy") for (const one of node.arguments) withoutPrototype(one);
        this.children(node, context);
        if (name === undefined || node.arguments.length !== 1) return node;
        if (newHelpers.has(name))
            return callOf(this.helper(newHelpers.get(name)), ...node.arguments);
        const [only] = node.arguments;
        const isCount = only.type === "Literal" || only.type === "BinaryExpression";
        if (!typedArrays.has(name) || isCount) return node;
        return callOf(this.helper("newTyped"), node.callee, only);
    }

    onChainExpression(node, parent, key, context) {
        const expression = this.visit(node.expression, node, "expression", context);
        return inChain(expression) ? { ...node, expression } : expression;
    }

    // --- Iteration ---

    iterated(node) {
        return callOf(this.helper("iter"), node);
    }

    onForOfStatement(node, parent, key, context) {
        if (node.left.type === "VariableDeclaration") {
            const [declared] = node.left.declarations;
            declared.id = this.byIndex(declared.id);
        }
        this.children(node, context);
        if (!node.await) node.right = callOf(this.helper("iter"), node.right);
        return node;
    }

    onForInStatement(node, parent, key, context) {
        this.children(node, context);
        const names = callOf(this.helper("keys"), node.right);
        return { ...node, type: "ForOfStatement", await: false, right: this.iterated(names) };
    }

    onSpreadElement(node, parent, key, context) {
        this.children(node, context);
        if (parent.type !== "ObjectExpression") node.argument = this.iterated(node.argument);
        return node;
    }

    // const { buffer, other } = view: each getter is called separately.
    onVariableDeclaration(node, parent, key, context) {
        this.children(node, context);
        node.declarations = node.declarations.flatMap(one => this.declared(one));
        return node;
    }

    declared(node) {
        const isGetter = one =>
            one.type === "Property" &&
            !one.computed &&
            getters.has(one.key.name) &&
            one.value.type === "Identifier";
        if (node.id.type !== "ObjectPattern" || !node.init || !node.id.properties.some(isGetter))
            return [node];
        const whole = identifier(`$$from${this.parts++}`);
        const asked = node.id.properties.filter(isGetter).map(one => ({
            ...node,
            id: one.value,
            init: callOf(this.dispatch(one.key.name, getters, "get"), whole),
        }));
        node.id.properties = node.id.properties.filter(one => !isGetter(one));
        return [{ ...node, id: whole }, { ...node, init: whole }, ...asked];
    }

    onVariableDeclarator(node, parent, key, context) {
        this.children(node, context);
        if (node.id.type === "ArrayPattern" && node.init) node.init = this.iterated(node.init);
        return node;
    }

    onAssignmentExpression(node, parent, key, context) {
        this.children(node, context);
        if (node.left.type === "ArrayPattern") node.right = this.iterated(node.right);
        return node;
    }

    // [a, b] as {0: a, 1: b}: of parameters and loops, which are given arrays.
    byIndex(pattern) {
        if (pattern.type !== "ArrayPattern") return pattern;
        if (pattern.elements.some(one => one?.type === "RestElement"))
            this.fail(pattern, "a rest element cannot be taken apart by index");
        const properties = pattern.elements.flatMap((value, i) =>
            value === null
                ? []
                : [{ ...nullPrototype(), key: literal(i), value: this.byIndex(value) }]
        );
        return { type: "ObjectPattern", properties };
    }

    // --- Functions ---

    function(node, context) {
        node.params = node.params.map(one => this.byIndex(one));
        const inner = { async: node.async && !node.generator };
        this.visitAll(node, "params", context);
        this.visitAll(node, "body", inner);
        if (inner.async && node.expression) node.body = this.settled(node.body);
        return node;
    }

    onFunctionDeclaration(node, parent, key, context) {
        return this.function(node, context);
    }

    onFunctionExpression(node, parent, key, context) {
        return this.function(node, context);
    }

    onArrowFunctionExpression(node, parent, key, context) {
        return this.function(node, context);
    }

    settled(node) {
        return simple.has(node.type) ? node : callOf(this.helper("settled"), node);
    }

    onReturnStatement(node, parent, key, context) {
        this.children(node, context);
        if (context.async && node.argument) node.argument = this.settled(node.argument);
        return node;
    }

    onBinaryExpression(node, parent, key, context) {
        this.children(node, context);
        if (node.operator !== "instanceof") return node;
        return callOf(this.helper("instanceOf"), node.left, node.right);
    }
}

const isBuiltIn = name =>
    !left.has(name) && !webModules.has(name) && Object.hasOwn(builtIns, name) && name in globalThis;
const builtIns = Object.fromEntries(
    (
        "AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError " +
        "FinalizationRegistry Float32Array Float64Array Function Int16Array Int32Array Int8Array JSON Map Math " +
        "Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError " +
        "TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet " +
        "decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN parseFloat parseInt"
    )
        .split(" ")
        .map(name => [name, true])
);

// Whether an optional link is in the chain that ends here.
function inChain(node) {
    for (let at = node; at; at = at.type === "CallExpression" ? at.callee : at.object) {
        if (at.optional) return true;
        if (at.type !== "CallExpression" && at.type !== "MemberExpression") return false;
    }
    return false;
}

// --- What all modules use ---

const roots = {
    "%TypedArray%": "Object.getPrototypeOf(Uint8Array)",
    "%ArrayIteratorPrototype%": "Object.getPrototypeOf([][Symbol.iterator]())",
    "%MapIteratorPrototype%": "Object.getPrototypeOf(new Map()[Symbol.iterator]())",
    "%SetIteratorPrototype%": "Object.getPrototypeOf(new Set()[Symbol.iterator]())",
    "%StringIteratorPrototype%": 'Object.getPrototypeOf(""[Symbol.iterator]())',
    "%IteratorPrototype%": "Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))",
};

// JavaScript that gives the built-in of a path; "get " before it: its getter.
function expressionOf(path) {
    if (path.startsWith("get ")) {
        const [, holder, name] = path.match(/^get (.*)(\.\w+|\[[\w.]+\])$/);
        const key = name.startsWith(".") ? `"${name.slice(1)}"` : name.slice(1, -1);
        return `Object.getOwnPropertyDescriptor(${expressionOf(holder)}, ${key}).get`;
    }
    const [root] = path.match(/^(%\w+%|\w+)/);
    return (roots[root] ?? root) + path.slice(root.length);
}

class Pristine {
    paths = [];

    index(path) {
        const known = this.paths.indexOf(path);
        return known >= 0 ? known : this.paths.push(path) - 1;
    }

    // Evaluated in each new context, before anything else: an array of the built-ins.
    captureSource() {
        return `[${this.paths.map(expressionOf).join(",\n")}]`;
    }

    // The text of modules/pristine.js with what take(), method() and getter() stand for.
    moduleSource(text) {
        return text.replace(/\b(take|method|getter)\("([^"]+)"\)/g, (_, how, path) => {
            const index = this.index(how === "getter" ? `get ${path}` : path);
            return how === "take" ? `$$pristine[${index}]` : `methodOf(${index})`;
        });
    }
}

// --- All modules ---

// Gives the modules, rewritten, and the source that captures the built-ins. `modules`: {name, source}.
export async function rewriteModules(modules, npmDir) {
    const require = createRequire(join(resolve(npmDir), "package.json"));
    const tools = {
        acorn: require("acorn"),
        scopes: require("eslint-scope"),
        keys: require("eslint-visitor-keys").KEYS,
        print: node => require("astring").generate(node, { indent: "  " }),
    };
    const pristine = new Pristine();
    const rewritten = modules.map(({ name, source }) => {
        if (name === "pristine") return { name, source };
        const rewriter = new Rewriter(name, tools, pristine);
        const { ast, at } = rewriter.run(source);
        const body = tools.print({ ...ast, body: ast.body.slice(at) });
        const text = body.replaceAll(`${EAGER}(`, "(");
        const constants = [...rewriter.used.values()].map(one => `${one.name} = ${one.value}`);
        const head = constants.length > 0 ? `const ${constants.join(",\n")};\n` : "";
        return { name, source: `"use strict";\n${head}${text}` };
    });
    const runtime = rewritten.find(({ name }) => name === "pristine");
    runtime.source = pristine.moduleSource(runtime.source);
    return { modules: rewritten, capture: pristine.captureSource() };
}
