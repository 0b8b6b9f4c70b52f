"use strict";
// Finds a function's handler and calls it; the engine's core is the only one that uses this.
//
// What counts as a handler, in this order (docs/web-api.md tells it to users):
//   value   the default export of an ES module, module.exports and module.exports.default:
//             an object or a function with a function `fetch`     answers requests
//             a class whose instances have a method `fetch`        answers requests
//             a function                                          as `wanted` says, else as below
//             an object with a function `handler`                 as a function
//   named   exports `handler`, as a function, then `fetch`
//   global  a listener of "fetch", then globalThis.handler, as a function
// A function takes an event unless the compile's options say that it answers requests, or an export
// does that edge platforms read: see isEdge().
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

// Vercel and Netlify call a function with a request and a context, in which some look for the
// environment and others for waitUntil: it has both.
const edgeContext = (env, context) =>
    Object.defineProperties(
        { ...env },
        {
            env: { value: env, configurable: true, writable: true },
            waitUntil: { value: context.waitUntil, configurable: true, writable: true },
        }
    );

const edgeHandler = (target, method) => ({
    shape: FETCH,
    entry: fetchEntry((request, env, context) =>
        method.call(target, request, edgeContext(env, context), context)
    ),
});

function functionHandler(target, method, wanted) {
    if (wanted === FETCH) return edgeHandler(target, method);
    const found = jsonHandler(target, method);
    if (wanted === 0 && native.building())
        found.isDoubtful = require("snapcell:hints").mayTakeRequest(method);
    return found;
}

// What cannot be called without `new`, and so is not a handler by itself.
const isClass = value => Reflect.getOwnPropertyDescriptor(value, "prototype")?.writable === false;

const isCallable = value => typeof value === "function" && !isClass(value);

// A class with a method `fetch`, as what extends WorkerEntrypoint: each request gets an instance.
const classHandler = Class => ({
    shape: FETCH,
    entry: fetchEntry((request, env, context) => new Class(context, env).fetch(request)),
});

function fromValue(value, wanted) {
    if (!isObject(value)) return null;
    const isFunction = typeof value === "function";
    // Read once: a getter may give something else the next time.
    const { fetch } = value;
    if (isCallable(fetch) && !(isFunction && wanted === JSON_EVENT))
        return fetchHandler(value, fetch);
    if (isFunction && typeof value.prototype?.fetch === "function") return classHandler(value);
    if (isCallable(value)) return functionHandler(undefined, value, wanted);
    const { handler } = value;
    return isCallable(handler) ? functionHandler(value, handler, wanted) : null;
}

const edgeRuntimes = ["edge", "experimental-edge"];
// Of Netlify's and Vercel's routes: what has one answers requests.
const routes = ["path", "pattern", "matcher"];

// Exports that say of a function that it answers requests: `export const runtime = "edge"` or a
// `config` with such a runtime or a route.
function isEdge(names) {
    if (!isObject(names)) return false;
    if (edgeRuntimes.includes(names.runtime)) return true;
    const { config } = names;
    if (!isObject(config)) return false;
    const isRoute = value => typeof value === "string" || Array.isArray(value);
    return edgeRuntimes.includes(config.runtime) || routes.some(name => isRoute(config[name]));
}

// `config` may be a property of `module.exports` or of `exports`, next to `default`.
function shapeOf(format, value, wanted) {
    if (wanted !== 0 || format === "script") return wanted;
    return isEdge(value) ? FETCH : 0;
}

// Compilers set it to true. There are routers that answer any other name with a function.
const wasModule = value => value.__esModule === true;

// A module that was CommonJS: its own default export stands one level deeper.
function fromDefault(value, shape) {
    const inner = isObject(value) && wasModule(value) ? value.default : undefined;
    return fromValue(inner, shape) ?? fromValue(value, shape);
}

function fromNamed(names, shape) {
    if (isCallable(names.handler)) return functionHandler(undefined, names.handler, shape);
    if (isCallable(names.fetch)) return fetchHandler(undefined, names.fetch);
    return null;
}

function fromCommonJs(exported, shape) {
    if (!isObject(exported)) return null;
    if (wasModule(exported))
        return fromValue(exported.default, shape) ?? fromNamed(exported, shape);
    return fromValue(exported, shape) ?? fromValue(exported.default, shape);
}

function fromGlobal(shape) {
    if (require("snapcell:listeners").hasListeners("fetch")) {
        return { shape: FETCH, entry: fetchEntry(serviceWorker) };
    }
    const { handler } = globalThis;
    return isCallable(handler) ? functionHandler(undefined, handler, shape) : null;
}

// `wanted`: the shape of a function, or 0.
exports.select = (format, value, wanted) => {
    const shape = shapeOf(format, value, wanted);
    let found = null;
    if (format === "esm") found = fromDefault(value.default, shape) ?? fromNamed(value, shape);
    else if (format === "commonjs") found = fromCommonJs(value, shape);
    found ??= fromGlobal(shape);
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
    const answer = plainEntry(() => new Response("", { status: 200 }));
    answer("GET", "http://localhost/", ["host", "localhost"], undefined, {});
}

// The same again and again, with nothing of the function's, for memory that is restored for each call:
// it is to hold what V8 learns by it. `urls`: the module of that name, if it was evaluated.
exports.rehearse = (rounds, urls) => {
    const { Response } = require("snapcell:fetch");
    const answer = plainEntry(({ url, headers }) => {
        if (urls) new urls.URL(url).searchParams.get("a");
        headers.get("host");
        return new Response("text", { status: 200, headers: { "content-type": "text/plain" } });
    });
    for (let i = 0; i < rounds; i++)
        answer("GET", "http://localhost/?a=b", ["host", "localhost"], undefined, {});
};

// V8 interprets a regular expression the first time that it is used, and compiles it the second. A use
// may move where a global one goes on from; one that is frozen cannot be used.
exports.compileRegExp = regexp => {
    const { lastIndex } = regexp;
    try {
        for (let i = 0; i < 2; i++) {
            regexp.lastIndex = 0;
            regexp.exec("");
        }
        regexp.lastIndex = lastIndex;
    } catch {
        // As it was.
    }
};

// --- Contexts ---

// Waits for everything that was given to waitUntil, also while waiting. What fails since nobody reads the response, by
// its signal's reason, failed as it should.
async function settle(promises) {
    for (let i = 0; i < promises.length; i++) {
        try {
            await promises[i];
        } catch (error) {
            if (error === undefined || error !== promises.abandoned) report(error, "waitUntil");
        }
    }
}

let current = null; // what the call that runs waits for

function newWaitUntil(promises) {
    current = promises;
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

const isThenable = value =>
    value instanceof Promise || (isObject(value) && typeof value.then === "function");

let additions = undefined; // of the bundle, see additions.js

exports.setAdditions = given => {
    additions = given;
};

const bound = env => (additions === undefined ? env : additions.bound(env));
exports.bound = bound;

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
    const { headerList, takeBody, takeWhole } = require("snapcell:fetch");
    const headers = headerList(state);
    const whole = takeWhole(state);
    const isStream = state.stream !== null && whole === undefined;
    if (call.exchange !== undefined && isStream) return send(state, headers, call);
    const body = whole ?? takeBody(state, "Response");
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
        promises.abandoned = reason;
        promises.push(stop(stream, reason));
    }
    return [null, null, null, pendingOf(promises)];
}

const fetchEntry = handler =>
    plainEntry(
        (request, env, context) =>
            additions?.first(request) ?? handler(request, bound(env), context)
    );

function plainEntry(handler) {
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

// A response that sets several cookies has a list of them: they cannot be combined.
async function responseToObject(response) {
    const body = await response.text();
    const headers = Object.fromEntries(response.headers);
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 1) headers["set-cookie"] = cookies;
    return { status: response.status, headers, body };
}

const isResponse = value => isObject(value) && Boolean(brands.response?.(value));

function toJson(value, promises) {
    if (isResponse(value)) {
        return responseToObject(value).then(object => toJson(object, promises));
    }
    return [JSON.stringify(value) ?? "null", pendingOf(promises)];
}

function jsonEntry(handler) {
    return (event, env) => {
        const promises = [];
        const context = {
            env: bound(env),
            functionName: native.functionName(),
            waitUntil: newWaitUntil(promises),
        };
        const result = handler(event, context);
        if (!isThenable(result)) return toJson(result, promises);
        return Promise.resolve(result).then(value => toJson(value, promises));
    };
}

exports.newContext = newContext;
// What stands for a Response in a handler's result.
exports.withoutResponse = value => (isResponse(value) ? responseToObject(value) : value);
exports.pendingNow = () => current;
exports.pendingOf = pendingOf;
