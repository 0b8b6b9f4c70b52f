// What rewrite.mjs knows of names: globals, methods and getters of built-ins.

// What is never rewritten: the engine replaces these itself.
export const left = new Set(["Intl", "WebAssembly", "globalThis", "undefined", "NaN", "Infinity"]);
// Web APIs that packages use: they are those of another module.
export const webModules = new Map([
    ["URL", "url"],
    ["TextDecoder", "encoding"],
    ["TextEncoder", "encoding"],
    ["queueMicrotask", "timers"],
    ["structuredClone", "clone"],
]);
// Names that packages look for with typeof.
export const absent = new Set(["window", "global", "HTMLElement"]);
export const moduleScope = new Set(["module", "exports", "require", "native", "arguments"]);
export const namespaces = new Set([
    "Object",
    "Reflect",
    "Math",
    "JSON",
    "Number",
    "String",
    "Symbol",
    "Date",
]);
// Static functions that a helper takes the place of.
export const staticHelpers = new Map([
    ["Array.from", "arrayFrom"],
    ["Object.fromEntries", "fromEntries"],
    ["Promise.resolve", "resolve"],
    ["Promise.all", "all"],
    ["Promise.withResolvers", "withResolvers"],
]);
// Static functions that V8 has and Debian 12's Node does not.
export const newerStatics = new Set(["Promise.withResolvers"]);
// Constructors of one argument that iterate it, or resolve what they are given.
export const newHelpers = new Map([
    ["Map", "newMap"],
    ["Set", "newSet"],
    ["Promise", "newPromise"],
]);
export const typedArrays = new Set(["Uint8Array", "Uint16Array", "Uint32Array", "Int32Array"]);

// What a method may be called on: a test, and a built-in's path, or a function of modules/pristine.js.
export const on = (test, path) => ({ test, path });
export const own = (test, helper) => ({ test, helper });
export const array = name => on("isArray", `Array.prototype.${name}`);
export const string = name => on("string", `String.prototype.${name}`);
const typed = name => on("isView", `%TypedArray%.prototype.${name}`);
export const map = name => on("isMap", `Map.prototype.${name}`);
export const set = name => on("isSet", `Set.prototype.${name}`);
const weakMap = name => on("isWeakMap", `WeakMap.prototype.${name}`);
const weakSet = name => on("isWeakSet", `WeakSet.prototype.${name}`);
export const number = name => on("number", `Number.prototype.${name}`);
export const buffer = name => on("isBuffer", `ArrayBuffer.prototype.${name}`);
const plain = names => names.flatMap(name => [[name, [array(name)]]]);

// Methods by name: what they may be called on, in the order in which it is tried. A name that is not
// here is a method of the modules' own classes, or of a user's object.
export const methods = new Map([
    ...plain(["push", "pop", "shift", "unshift", "splice", "some", "every", "find", "findIndex"]),
    ...plain(["findLast", "findLastIndex", "reduce", "reduceRight", "flat", "sort", "reverse"]),
    ["join", [array("join"), typed("join")]],
    ["fill", [typed("fill"), array("fill")]],
    ["map", [own("isArray", "mapArray")]],
    ["filter", [own("isArray", "filterArray")]],
    ["flatMap", [own("isArray", "flatMapArray")]],
    [
        "slice",
        [
            string("slice"),
            own("isArray", "sliceArray"),
            own("isView", "sliceTyped"),
            buffer("slice"),
        ],
    ],
    ["subarray", [own("isView", "subarray")]],
    ["transfer", [buffer("transfer")]],
    ["includes", [string("includes"), array("includes"), typed("includes")]],
    ["indexOf", [string("indexOf"), array("indexOf"), typed("indexOf")]],
    ["lastIndexOf", [string("lastIndexOf"), array("lastIndexOf")]],
    ["concat", [array("concat"), string("concat")]],
    ["at", [string("at"), array("at"), typed("at")]],
    ["forEach", [array("forEach"), map("forEach"), set("forEach")]],
    ["get", [map("get"), weakMap("get")]],
    ["set", [map("set"), typed("set"), weakMap("set")]],
    ["has", [map("has"), set("has"), weakMap("has"), weakSet("has")]],
    ["delete", [map("delete"), set("delete"), weakMap("delete"), weakSet("delete")]],
    ["add", [set("add"), weakSet("add")]],
    ["clear", [map("clear"), set("clear")]],
    ["keys", [map("keys"), array("keys")]],
    ["values", [map("values"), set("values"), array("values")]],
    ["entries", [map("entries"), set("entries"), array("entries")]],
    ["toString", [number("toString")]],
    ["toFixed", [number("toFixed")]],
    ["test", [own("isRegExp", "test")]],
    ["exec", [own("isRegExp", "exec")]],
    ["replace", [own("string", "replace")]],
    ["replaceAll", [own("string", "replaceAll")]],
    ["split", [own("string", "split")]],
    ["match", [own("string", "match")]],
    ["matchAll", [own("string", "matchAll")]],
    ["search", [own("string", "search")]],
    ["bind", [on("isBindable", "Function.prototype.bind")]],
    ["then", [own("isPromise", "then")]],
    ["catch", [own("isPromise", "rescue")]],
]);
// Methods that nothing else has.
export const direct = new Map(
    ["charAt", "charCodeAt", "codePointAt", "substring", "substr", "toLowerCase", "toUpperCase"]
        .concat(["startsWith", "endsWith", "trim", "trimStart", "trimEnd", "padStart", "padEnd"])
        .concat(["repeat", "isWellFormed", "toWellFormed", "localeCompare", "normalize"])
        .map(name => [name, `String.prototype.${name}`])
        .concat(["call", "apply"].map(name => [name, `Function.prototype.${name}`]))
);
export const directly = new Map([...direct].map(([name, path]) => [name, [on("any", path)]]));
// Methods of built-ins that are in none of these, and that nothing uses yet.
export const unknown = new Set(["finally", "copyWithin", "toSorted", "toSpliced"]);
export const getters = new Map([
    ["byteLength", [own("isView", "viewLength"), buffer("byteLength")]],
    ["byteOffset", [own("isView", "viewOffset")]],
    ["buffer", [own("isView", "viewBuffer")]],
    ["detached", [buffer("detached")]],
    ["size", [map("size"), set("size")]],
]);
export const descriptorKeys = new Set([
    "value",
    "writable",
    "get",
    "set",
    "enumerable",
    "configurable",
]);
