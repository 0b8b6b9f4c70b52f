"use strict";
// What modules say about themselves when they are evaluated: names of the global object, for packages
// that look there, and for process.getBuiltinModule(), which knows what the bundle uses.
exports.define = (name, value, object = globalThis) => {
    if (object[name] === undefined)
        Object.defineProperty(object, name, { value, writable: true, configurable: true });
};

const modules = { __proto__: null };
exports.register = (name, value) => (modules[name] = () => value);
exports.known = name => modules[name]?.();
