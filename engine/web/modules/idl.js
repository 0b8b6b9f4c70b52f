"use strict";
// What Web IDL asks of classes, and what the modules know of each other's objects without loading
// each other.

// Makes the members of `Class` enumerable and gives it its tag.
exports.expose = Class => {
    const { prototype } = Class;
    for (const name of Object.getOwnPropertyNames(prototype)) {
        if (name !== "constructor") Object.defineProperty(prototype, name, { enumerable: true });
    }
    for (const name of Object.getOwnPropertyNames(Class)) {
        if (name !== "length" && name !== "name" && name !== "prototype")
            Object.defineProperty(Class, name, { enumerable: true });
    }
    Object.defineProperty(prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
};

// Gives `to` a member of `from`, or all. A descriptor has a prototype, to which the function may have
// added what makes no descriptor of it.
const copyMember = (exports.copyMember = (to, from, key) =>
    Object.defineProperty(
        to,
        key,
        Object.setPrototypeOf(Object.getOwnPropertyDescriptor(from, key), null)
    ));
exports.copyMembers = (to, from) => {
    for (const key of Reflect.ownKeys(from)) copyMember(to, from, key);
};

// The options of a call or a constructor: a dictionary of Web IDL, whose members are read one by one.
exports.noOptions = Object.freeze({ __proto__: null });
exports.dictionary = (value, what) => {
    if (value === undefined || value === null) return exports.noOptions;
    if (typeof value === "object" || typeof value === "function") return value;
    throw new TypeError(`${what}: the options must be an object`);
};

// How `function` tells the number of its arguments.
exports.need = (count, given, what) => {
    if (given < count) {
        throw new TypeError(
            `${what}: ${count} argument${count === 1 ? "" : "s"} required, but only ${given} present`
        );
    }
};

// Only a shared buffer gets here that DataView takes: its class is not a global.
function sharedBytesOf(value) {
    try {
        return new Uint8Array(new DataView(value).buffer);
    } catch {
        return undefined;
    }
}

// Bytes of a BufferSource, not copied; undefined for any other value. A view of shared memory is refused
// unless the standard says [AllowShared].
exports.bytesOf = (value, allowShared = false) => {
    if (ArrayBuffer.isView(value)) {
        if (!allowShared && !(value.buffer instanceof ArrayBuffer)) {
            throw new TypeError("a view of shared memory cannot be taken here");
        }
        if (value.byteLength === 0) return new Uint8Array(0); // the buffer may be detached
        return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    }
    if (value instanceof ArrayBuffer) return new Uint8Array(value.detached ? 0 : value);
    return allowShared ? sharedBytesOf(value) : undefined;
};

// One Uint8Array of several.
exports.joinBytes = chunks => {
    if (chunks.length === 1) return chunks[0];
    const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
        bytes.set(chunk, offset);
        offset += chunk.length;
    }
    return bytes;
};

// Brands: a module that defines a class puts a function here that gives the state of an instance,
// or undefined. A class whose module was never loaded has no instances.
// All names are here from the start, so that looking one up stays quick.
exports.brands = {
    blob: undefined,
    event: undefined,
    exception: undefined,
    form: undefined,
    headers: undefined,
    key: undefined,
    params: undefined,
    port: undefined,
    quota: undefined,
    request: undefined,
    response: undefined,
    signal: undefined,
    stream: undefined,
    target: undefined,
    transform: undefined,
    url: undefined,
    writable: undefined,
};

// What structuredClone copies: modules add functions (object, moved) that give a function that makes
// the copy, or undefined. `moved` maps transferred ports to those that take their place.
exports.cloners = [];

// Whether a DOMException was asked for its name since this was set to false: V8 does so when it clones
// one.
exports.met = { exception: false };

exports.illegalConstructor = () => new TypeError("Illegal constructor");

// Tells about an exception that nobody can catch: first the listeners of "error" of the global
// object, when somebody ever listened there.
exports.offerError = undefined;

exports.report = (error, where) => {
    const described = native.describeError(error);
    if (typeof globalThis.onerror === "function") require("snapcell:listeners");
    if (exports.offerError?.(error, described)) return;
    native.consoleWrite(3, `Uncaught ${where ? `(in ${where}) ` : ""}${described[0]}`);
};
