"use strict";
// Lets WebAssembly be kept from the top level. V8 cannot put a module or an instance into a
// snapshot: both hold compiled code. So what a bundle makes while it is built is a stand-in, which
// makes the real one of the same bytes when it is first used, once in each instance of the snapshot.
// While building, a real one in another isolate answers calls; they are made again before the first
// call at run time, so that the state is what they left. Without imports nothing else can change it.
// The engine evaluates this when a bundle uses WebAssembly at build time, and at no other time.

const [MODULE, INSTANCE] = [3, 4];

// More calls than this are not made again at run time: the bundle becomes no snapshot.
const CALLS_MAX = 1000;

let real; // V8's own functions, in the order of late_builtins.cc
const held = new WeakMap(); // stand-in -> { make, made, and of a module: bytes, imports, exports }

require("snapcell:idl").cloners.push(object => {
    if (!held.has(object)) return undefined;
    const { DOMException } = require("snapcell:exception");
    const tag = Object.prototype.toString.call(object);
    throw new DOMException(`structuredClone: ${tag} cannot be cloned`, "DataCloneError");
});

function actual(value) {
    const entry = held.get(value);
    if (entry === undefined) return value;
    entry.made ??= entry.make();
    return entry.made;
}

const refuse = what => native.wasmRefuse(`${what} at build time`);

const errorClass = name =>
    globalThis.WebAssembly?.[name] ?? { RangeError, TypeError, SyntaxError }[name] ?? Error;

// Errors are told as those of the function `label`, where it is not the one that does the work.
function work(operation, list, label = "Module") {
    const answer = native.wasmWork(operation, list);
    if (answer === undefined) refuse("WebAssembly was given or gave an object");
    const [value, name, message] = answer;
    if (name === undefined) return value;
    throw new (errorClass(name))(message.replace("WebAssembly.Module()", `WebAssembly.${label}()`));
}

// --- Modules ---

const isBytes = value =>
    ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === "[object ArrayBuffer]";

function copyOf(bytes) {
    if (!ArrayBuffer.isView(bytes)) return new Uint8Array(bytes).slice();
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
}

// A function that gives the bytes. Those that a build put into the text of the bundle are read again from there, so
// that the snapshot does not hold them a second time.
function bytesOf(given) {
    const text = require("snapcell:text_bytes").textOf(given);
    if (text !== undefined) return () => native.functionBytes(text);
    const bytes = copyOf(given);
    return () => bytes;
}

function checkBytes(value, label) {
    if (isBytes(value)) return;
    const orModule = label === "instantiate" ? " or a WebAssembly.Module object" : "";
    throw new TypeError(`WebAssembly.${label}(): Argument 0 must be a buffer source${orModule}`);
}

function newModule(given, label, prototype = real[MODULE].prototype) {
    checkBytes(given, label);
    const bytes = bytesOf(given);
    const [imports, exports] = work("inspect", [bytes()], label);
    const standIn = Object.create(prototype);
    const make = () => new real[MODULE](bytes());
    held.set(standIn, { make, made: undefined, bytes, imports, exports });
    return standIn;
}

const describeImport = ([module, name, kind]) => ({ module, name, kind });
const describeExport = ([name, kind]) => ({ name, kind });

// Module.exports() and its like, which look into what they are given.
function adoptStatics() {
    const Module = real[MODULE].prototype.constructor;
    const lists = {
        imports: entry => entry.imports.map(describeImport),
        exports: entry => entry.exports.map(describeExport),
        customSections: () => refuse("WebAssembly.Module.customSections() was used"),
    };
    for (const name of Object.keys(lists)) {
        const original = Module[name];
        if (typeof original !== "function") continue;
        const { [name]: replacement } = {
            [name](module, ...rest) {
                const entry = held.get(module);
                if (entry !== undefined && native.building()) return lists[name](entry);
                return original(actual(module), ...rest);
            },
        };
        Object.defineProperty(Module, name, { value: replacement });
    }
}

// --- Instances ---

const isPlain = value => value === null || !["object", "function", "symbol"].includes(typeof value);

function functionOf(standIn, calls, number, [name, label, length]) {
    let made;
    const { method } = {
        method(...list) {
            if (!native.building()) return (made ??= actual(standIn).exports[name])(...list);
            if (calls.length === CALLS_MAX)
                refuse("functions of WebAssembly were called too often");
            if (!list.every(isPlain)) refuse("WebAssembly was given an object");
            calls.push({ name, list });
            return work("call", [number, name, ...list]);
        },
    };
    Object.defineProperties(method, { name: { value: label }, length: { value: length } });
    return method;
}

// In the order of the module, as V8 has it.
function exportsOf(standIn, module, calls, number, functions) {
    const exports = { __proto__: null };
    for (const [name, kind] of module.exports) {
        const described = functions.find(each => each[0] === name);
        const get = () => {
            if (native.building()) refuse(`a ${kind} of WebAssembly was used`);
            return actual(standIn).exports[name];
        };
        Object.defineProperty(exports, name, {
            enumerable: true,
            ...(described ? { value: functionOf(standIn, calls, number, described) } : { get }),
        });
    }
    return Object.freeze(exports);
}

function newInstance(module, prototype = real[INSTANCE].prototype) {
    const entry = held.get(module);
    const [number, functions] = work("instantiate", [entry.bytes()]);
    const standIn = Object.create(prototype);
    const calls = [];
    const make = () => {
        const instance = new real[INSTANCE](actual(module));
        for (const { name, list } of calls) {
            try {
                instance.exports[name](...list);
            } catch {
                // It failed then, too.
            }
        }
        return instance;
    };
    held.set(standIn, { make, made: undefined });
    const value = exportsOf(standIn, entry, calls, number, functions);
    Object.defineProperty(standIn, "exports", { value });
    return standIn;
}

function checkImports(imports, label) {
    const isObject = typeof imports === "object" || typeof imports === "function";
    if (imports === undefined || (isObject && imports !== null)) return;
    throw new TypeError(`WebAssembly.${label}(): Argument 1 must be an object`);
}

// --- What the engine calls ---

const needsImports = module => held.get(module).imports.length > 0;

// V8's own functions throw for what is called without `new`, or is not a module.
function constructModule([bytes], target) {
    if (target === undefined) return [real[MODULE](bytes)];
    return [newModule(bytes, "Module", target.prototype)];
}

function constructInstance([module, imports], target) {
    if (target === undefined) return [real[INSTANCE](module)];
    if (!held.has(module)) return [new real[INSTANCE](module, imports)];
    checkImports(imports, "Instance");
    return needsImports(module) ? undefined : [newInstance(module, target.prototype)];
}

function validate(bytes) {
    checkBytes(bytes, "validate");
    try {
        work("inspect", [copyOf(bytes)]);
        return true;
    } catch {
        return false;
    }
}

function instantiate([source, imports]) {
    const isModule = held.has(source);
    try {
        checkImports(imports, "instantiate");
        const module = isModule ? source : newModule(source, "instantiate");
        if (needsImports(module)) return undefined;
        const instance = newInstance(module);
        return [Promise.resolve(isModule ? instance : { module, instance })];
    } catch (error) {
        return [Promise.reject(error)];
    }
}

async function compile(bytes) {
    return newModule(bytes, "compile");
}

// What `WebAssembly[name]` gives at build time, in a list; undefined when only V8's own would do.
exports.make = (functions, name, list, target) => {
    if (real === undefined) {
        real = functions;
        adoptStatics();
    }
    if (name === "validate") return [validate(list[0])];
    if (name === "compile") return [compile(list[0])];
    if (name === "instantiate") return instantiate(list);
    if (name === "Module") return constructModule(list, target);
    if (name === "Instance") return constructInstance(list, target);
    return undefined;
};

// At run time: the module that a stand-in is for, or the value itself.
exports.actual = actual;
