"use strict";
// What WebAssembly.compileStreaming() and instantiateStreaming() are given: a Response.
const { brands } = require("snapcell:idl");

function checkedBody(value) {
    const state = typeof value === "object" && value !== null && brands.response?.(value);
    if (!state) throw new TypeError("WebAssembly: the source must be a Response");
    if (value.headers.get("content-type")?.toLowerCase().trim() !== "application/wasm") {
        throw new TypeError("WebAssembly: the response's content-type must be application/wasm");
    }
    if (!value.ok) throw new TypeError(`WebAssembly: the response's status is ${value.status}`);
    return require("snapcell:fetch").consumeBytes(state, "WebAssembly");
}

// compileStreaming() and instantiateStreaming() of a context that came from a snapshot; `use` is
// compile() or instantiate().
exports.useResponse = async (use, source, ...rest) => use(await checkedBody(await source), ...rest);

exports.feed = async (id, value) => {
    try {
        native.wasmFeed(id, await checkedBody(value));
        native.wasmFinish(id);
    } catch (error) {
        native.wasmAbort(id, error);
    }
};
