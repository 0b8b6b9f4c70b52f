"use strict";
// Finds a function's handler and calls it; the engine's core is the only one that uses this.
//
// What counts as a handler, in this order (docs/web-api.md tells it to users):
//   value   the default export of an ES module, module.exports and module.exports.default:
//             an object or a function with a function `fetch`     answers requests
//             a function                                          takes an event
//             an object with a function `handler`                 takes an event
//   named   exports `handler`, then `fetch`
//   global  a listener of "fetch", then globalThis.handler
const { brands, report } = require("snapcell:idl");

const FETCH = 1;
const JSON_EVENT = 2;

const isObject = value =>
    (typeof value === "object" && value !== null) || typeof value === "function";

const fetchHandler = (target, method) => ({
    shape: FETCH,
    entry: fetchEntry((request, env, context) => method.call(target, request, env, context)),
});

const jsonHandler = (target, method) => ({
    shape: JSON_EVENT,
    entry: jsonEntry((event, context) => method.call(target, event, context)),
});

function fromValue(value) {
    if (!isObject(value)) return null;
    if (typeof value.fetch === "function") return fetchHandler(value, value.fetch);
    if (typeof value === "function") return jsonHandler(undefined, value);
    if (typeof value.handler === "function") return jsonHandler(value, value.handler);
    return null;
}

// Compilers set it to true. There are routers that answer any other name with a function.
const wasModule = value => value.__esModule === true;

// A module that was CommonJS: its own default export stands one level deeper.
function fromDefault(value) {
    const inner = isObject(value) && wasModule(value) ? value.default : undefined;
    return fromValue(inner) ?? fromValue(value);
}

function fromNamed(names) {
    if (typeof names.handler === "function") return jsonHandler(undefined, names.handler);
    if (typeof names.fetch === "function") return fetchHandler(undefined, names.fetch);
    return null;
}

function fromCommonJs(exported) {
    if (!isObject(exported)) return null;
    if (wasModule(exported)) return fromValue(exported.default) ?? fromNamed(exported);
    return fromValue(exported) ?? fromValue(exported.default);
}

function fromGlobal() {
    if (require("snapcell:listeners").hasListeners("fetch")) {
        return { shape: FETCH, entry: fetchEntry(serviceWorker) };
    }
    const { handler } = globalThis;
    return typeof handler === "function" ? jsonHandler(undefined, handler) : null;
}

exports.select = (format, value) => {
    let found = null;
    if (format === "esm") found = fromDefault(value.default) ?? fromNamed(value);
    else if (format === "commonjs") found = fromCommonJs(value);
    found ??= fromGlobal();
    const handlers = handlersOf(format, value);
    found ??= onlyByName(handlers);
    if (found && handlers) found.entry.handlers = handlers;
    if (found?.shape === FETCH) compileAhead();
    return found;
};

// --- Handlers that are called by name, by the module "handlers" ---

// Where to look for them. A module's namespace is not kept, since no snapshot could hold it.
function handlersOf(format, value) {
    if (!isObject(value)) return null;
    const named = { __proto__: null };
    for (const name of format === "esm" ? Object.keys(value) : []) {
        if (name !== "default" && typeof value[name] === "function") named[name] = value[name];
    }
    const given = format === "esm" ? value.default : value;
    const targets = [given, isObject(given) ? given.default : undefined].filter(isObject);
    return { targets, named };
}

// A function may have no other ones.
function onlyByName(handlers) {
    const names = ["scheduled", "queue"].filter(
        name =>
            typeof handlers?.named[name] === "function" ||
            handlers?.targets.some(target => typeof target[name] === "function") ||
            require("snapcell:listeners").hasListeners(name)
    );
    if (names.length === 0) return null;
    return jsonHandler(undefined, () => {
        throw new TypeError(`this function is called by name alone: it has ${names.join(" and ")}`);
    });
}

// Runs what every request runs, so that a snapshot holds it compiled.
function compileAhead() {
    const { Response } = require("snapcell:fetch");
    const answer = fetchEntry(() => new Response("", { status: 200 }));
    answer("GET", "http://localhost/", ["host", "localhost"], undefined, {});
}

// --- Contexts ---

// Waits for everything that was given to waitUntil, also while waiting.
async function settle(promises) {
    for (let i = 0; i < promises.length; i++) {
        try {
            await promises[i];
        } catch (error) {
            report(error, "waitUntil");
        }
    }
}

function newWaitUntil(promises) {
    return function waitUntil(promise) {
        promises.push(promise);
    };
}

const newContext = promises => ({
    waitUntil: newWaitUntil(promises),
    passThroughOnException() {},
    props: {},
});

const pendingOf = promises => (promises.length > 0 ? settle(promises) : undefined);

const isThenable = value => isObject(value) && typeof value.then === "function";

// --- Requests ---

function serviceWorker(request, env, context) {
    const answer = require("snapcell:listeners").respond(request, context.waitUntil);
    if (!answer) throw new TypeError('no listener of "fetch" called respondWith');
    return answer.value;
}

function describe(value) {
    if (value === null || !isObject(value))
        return typeof value === "string" ? "a string" : String(value);
    const name = value.constructor?.name;
    return `an object${typeof name === "string" && name ? ` of class ${name}` : ""}`;
}

// [status, headers, body, pending], or a promise of that. `call` is {method, promises, request} and,
// when the response goes out as it comes, the number of its exchange.
function finish(value, call) {
    const { method, promises } = call;
    const state = isObject(value) ? brands.response(value) : undefined;
    if (!state) throw new TypeError(`handler returned ${describe(value)}, expected a Response`);
    if (state.kind === "error") throw new TypeError("handler returned Response.error()");
    const { headerList, takeBody } = require("snapcell:fetch");
    const headers = headerList(state);
    if (call.exchange !== undefined && state.stream !== null) return send(state, headers, call);
    const body = takeBody(state, "Response");
    if (!isThenable(body)) {
        return [state.status, headers, method === "HEAD" ? null : body, pendingOf(promises)];
    }
    return body.then(bytes => [
        state.status,
        headers,
        method === "HEAD" ? null : bytes,
        pendingOf(promises),
    ]);
}

// Sends a stream while it gives chunks; its head first. The status null says that it is gone.
async function send(state, headers, { method, promises, request, exchange }) {
    const { abortRequest, takeStream } = require("snapcell:fetch");
    const stream = takeStream(state, "Response");
    const wanted = native.responseHead(exchange, state.status, headers) && method !== "HEAD";
    const write = chunk => native.responseWrite(exchange, chunk);
    const { sendAll, stop } = require("snapcell:streams");
    if (!wanted || !(await sendAll(stream, write))) {
        const reason = abortRequest(request, "nobody reads the response's body any more");
        promises.push(stop(stream, reason));
    }
    return [null, null, null, pendingOf(promises)];
}

function fetchEntry(handler) {
    const { createRequest } = require("snapcell:fetch");
    return (method, url, headers, body, env, exchange) => {
        const promises = [];
        const context = newContext(promises);
        const request = createRequest(method, url, lowerCase(headers), body);
        const call = { method, promises, request, exchange };
        const result = handler(request, env, context);
        if (!isThenable(result)) return finish(result, call);
        return Promise.resolve(result).then(value => finish(value, call));
    };
}

function lowerCase(headers) {
    for (let i = 0; i < headers.length; i += 2) headers[i] = headers[i].toLowerCase();
    return headers;
}

// --- Events ---

async function responseToObject(response) {
    const body = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

function toJson(value, promises) {
    if (isObject(value) && brands.response?.(value)) {
        return responseToObject(value).then(object => toJson(object, promises));
    }
    return [JSON.stringify(value) ?? "null", pendingOf(promises)];
}

function jsonEntry(handler) {
    return (event, env) => {
        const promises = [];
        const context = {
            env,
            functionName: native.functionName(),
            waitUntil: newWaitUntil(promises),
        };
        const result = handler(event, context);
        if (!isThenable(result)) return toJson(result, promises);
        return Promise.resolve(result).then(value => toJson(value, promises));
    };
}

exports.newContext = newContext;
exports.pendingOf = pendingOf;
