"use strict";
// What a bundle adds to its calls, by "snapcell:node": variables of env that are no JSON, and a function that
// gets requests before the handler. Loaded with the first of them.
const { setAdditions } = require("snapcell:dispatch");

const bindings = []; // [name, value] each
let first = undefined;

exports.bind = (name, value) => void bindings.push([name, value]);
exports.answerFirst = callback => {
    first = callback;
};

// The embedder's variables come before those of the bundle.
function bound(env) {
    if (typeof env !== "object" || env === null) return env;
    for (const [name, value] of bindings) {
        if (Object.hasOwn(env, name)) continue;
        const property = { __proto__: null, value, enumerable: true };
        Object.defineProperty(env, name, { ...property, writable: true, configurable: true });
    }
    return env;
}

setAdditions({ __proto__: null, bound, first: request => first?.(request) });
