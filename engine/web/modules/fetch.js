"use strict";
// Request and Response. A function that answers with a string loads neither Headers, nor URL, nor
// streams: each is required where it is first needed.
const { brands, bytesOf, expose, joinBytes } = require("snapcell:idl");

// --- Bodies ---
// The state of a request or a response holds its body:
//   source   a string or a Uint8Array; a function that gives the next
//            Uint8Array, null at the end, or a promise of these; null when there is no body, or
//            when there is a stream alone
//   shared   whether the source's bytes are somebody else's, too, so that who reads gets a copy
//   stream   the ReadableStream, once there is one
//   type     the content-type that goes with the source, or null
//   used     whether the source was read

const isObject = value => typeof value === "object" && value !== null;

function setBody(state, body, what) {
    if (body === undefined || body === null) return;
    if (typeof body === "string") {
        state.source = body.isWellFormed() ? body : body.toWellFormed();
        state.type = "text/plain;charset=UTF-8";
        return;
    }
    if (!isObject(body) || !setObjectBody(state, body, what)) setBody(state, `${body}`, what);
}

function setObjectBody(state, body, what) {
    const stream = brands.stream?.(body);
    if (stream) {
        if (stream.locked || require("snapcell:streams").isDisturbed(stream)) {
            throw new TypeError(`${what}: the body's stream is locked or was read from`);
        }
        state.stream = stream;
        return true;
    }
    const bytes = bytesOf(body);
    if (bytes) {
        state.source = bytes.slice();
        return true;
    }
    return setFormBody(state, body);
}

function setFormBody(state, body) {
    const blob = brands.blob?.(body);
    if (blob) {
        state.source = blob.bytes;
        state.shared = true;
        state.type = blob.type || null;
        return true;
    }
    const form = brands.form?.(body);
    if (form) {
        const encoded = require("snapcell:form").encode(form);
        state.source = encoded.bytes;
        state.type = encoded.type;
        return true;
    }
    if (!brands.params?.(body)) return false;
    state.source = body.toString();
    state.type = "application/x-www-form-urlencoded;charset=UTF-8";
    return true;
}

const hasBody = state => state.source !== null || state.stream !== null;

function isUsed(state) {
    if (state.stream === null) return state.used;
    return require("snapcell:streams").isDisturbed(state.stream);
}

function checkUnused(state, what) {
    if (isUsed(state)) throw new TypeError(`${what}: the body was used already`);
    if (state.stream?.locked) throw new TypeError(`${what}: the body's stream is locked`);
}

// Takes the body: a string, a Uint8Array, null, or a promise of a Uint8Array.
function takeBody(state, what) {
    checkUnused(state, what);
    if (!hasBody(state)) return null;
    if (state.stream !== null) return require("snapcell:streams").readAll(state.stream);
    state.used = true;
    return typeof state.source === "function" ? drain(state.source) : state.source;
}

// All bytes that a function gives piece by piece.
async function drain(next) {
    const chunks = [];
    for (;;) {
        let chunk = next();
        if (chunk instanceof Promise) chunk = await chunk;
        if (chunk === null) return joinBytes(chunks);
        chunks.push(chunk);
    }
}

// A promise of what `convert` makes of the body, knowing whether its bytes are shared.
async function consume(state, what, convert) {
    return convert(await takeBody(state, what), state.stream === null && state.shared);
}

function toText(body) {
    if (body === null) return "";
    return typeof body === "string" ? dropMark(body) : native.utf8Decode(body, false, false);
}

// Decoding takes a byte order mark away, so a string that was never encoded loses it as well.
const dropMark = text => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

function toBytes(body, shared) {
    if (body === null) return new Uint8Array(0);
    if (typeof body === "string") return native.utf8Encode(body);
    return shared || body.length < body.buffer.byteLength ? body.slice() : body;
}

function toForm(body, text) {
    const type = require("snapcell:mime").extract(text);
    const { FormData, parse } = require("snapcell:form");
    if (type?.essence === "multipart/form-data") {
        return parse(toBytes(body, false), type.parameters.get("boundary"));
    }
    if (type?.essence !== "application/x-www-form-urlencoded") {
        throw new TypeError(
            `formData: the content-type is ${text ? JSON.stringify(text) : "missing"}, expected ` +
                "multipart/form-data or application/x-www-form-urlencoded"
        );
    }
    return urlencodedForm(FormData, toText(body));
}

function blobType(headers) {
    const { extract, serialize } = require("snapcell:mime");
    const type = extract(headers.get("content-type"));
    return type === null ? "" : serialize(type);
}

function urlencodedForm(FormData, text) {
    const { URLSearchParams } = require("snapcell:url");
    const form = new FormData();
    const params = new URLSearchParams(text.startsWith("?") ? `?${text}` : text);
    for (const [name, value] of params) form.append(name, value);
    return form;
}

function streamOf(state) {
    if (state.stream === null && state.source !== null) {
        const { shared, source } = state;
        const { ReadableStream, pullStream, streamOf } = require("snapcell:streams");
        if (state.used) state.stream = usedStream(ReadableStream);
        else if (typeof source === "function") state.stream = pullStream(source);
        else state.stream = streamOf(() => toBytes(source, shared));
    }
    return state.stream;
}

// What stands for a body that was read before anybody asked for its stream.
function usedStream(ReadableStream) {
    const stream = new ReadableStream();
    stream.cancel();
    stream.getReader();
    return stream;
}

function cloneBody(from, to, what) {
    checkUnused(from, what);
    if (typeof from.source === "function") streamOf(from); // which two can read
    to.source = from.source;
    to.type = from.type;
    to.shared = from.shared = true;
    if (from.stream === null) return;
    const [first, second] = from.stream.tee();
    from.stream = first;
    to.stream = second;
}

// The members that requests and responses share; `stateOf` gives the state of either.
function bodyMembers(stateOf, what) {
    const read = (target, name, convert) =>
        new Promise(resolve => resolve(consume(stateOf(target), `${what}.${name}`, convert)));
    return {
        get body() {
            return streamOf(stateOf(this));
        },
        get bodyUsed() {
            return isUsed(stateOf(this));
        },
        arrayBuffer() {
            return read(this, "arrayBuffer", (body, shared) => toBytes(body, shared).buffer);
        },
        blob() {
            return read(this, "blob", body => {
                const { Blob } = require("snapcell:blob");
                return new Blob(body === null ? [] : [body], { type: blobType(this.headers) });
            });
        },
        bytes() {
            return read(this, "bytes", toBytes);
        },
        formData() {
            return read(this, "formData", body => toForm(body, this.headers.get("content-type")));
        },
        json() {
            return read(this, "json", body => JSON.parse(toText(body)));
        },
        text() {
            return read(this, "text", toText);
        },
    };
}

function addBodyMembers(Class, stateOf) {
    const members = bodyMembers(stateOf, Class.name);
    Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
}

// --- Headers, made when they are looked at ---

// `list` holds validated headers until there is an object; the content-type of the body counts
// when the headers have none.
function headersOf(state) {
    if (state.headers === null) {
        state.headers = require("snapcell:headers").wrap(state.list, state.immutable);
        state.list = null;
    }
    return state.headers;
}

function setHeaders(state, init, what) {
    if (init !== undefined) state.headers = require("snapcell:headers").fill(init, what);
    if (state.type === null) return;
    const { headers, list, type } = state;
    if (headers !== null)
        return require("snapcell:headers").addDefault(headers, "content-type", type);
    for (let i = 0; i < list.length; i += 2) if (list[i] === "content-type") return;
    list.push("content-type", type);
}

// Sorted, flat.
function headerList(state) {
    const { headers, list } = state;
    if (headers !== null) return require("snapcell:headers").listOf(headers);
    return list.length <= 2 ? list : require("snapcell:headers").sorted(list);
}

const newState = () => ({
    source: null,
    shared: false,
    stream: null,
    type: null,
    used: false,
    headers: null,
    list: [],
    immutable: false,
});

// --- Response ---

const isNullBodyStatus = status =>
    status === 204 || status === 205 || status === 304 || status === 101 || status === 103;

function checkedStatus(status) {
    const number = Math.trunc(Number(status)) || 0;
    if (number >= 200 && number <= 599) return number;
    throw new RangeError(`Response: the status must be 200 to 599, not ${String(status)}`);
}

function checkedStatusText(text) {
    text = `${text}`;
    for (let i = 0; i < text.length; i++) {
        const c = text.charCodeAt(i);
        if ((c < 0x20 && c !== 0x09) || c === 0x7f || c > 0xff) {
            throw new TypeError(
                "Response: the statusText has a character that is not allowed in it"
            );
        }
    }
    return text;
}

function initResponse(state, body, init) {
    state.status = init.status === undefined ? 200 : checkedStatus(init.status);
    state.statusText = init.statusText === undefined ? "" : checkedStatusText(init.statusText);
    if (body !== undefined && body !== null) {
        if (isNullBodyStatus(state.status)) {
            throw new TypeError(
                `Response: a response of status ${state.status} cannot have a body`
            );
        }
        setBody(state, body, "Response");
    }
    setHeaders(state, init.headers, "Response");
}

const noInit = Object.freeze({ __proto__: null });

function checkedInit(init, what) {
    if (init === undefined || init === null) return noInit;
    if (isObject(init) || typeof init === "function") return init;
    throw new TypeError(`${what}: the options must be an object`);
}

class Response {
    #state;

    static {
        brands.response = value => (#state in value ? value.#state : undefined);
        addBodyMembers(this, response => response.#state);
        // What fetch() got: `values` are members of a state, and valid.
        exports.createResponse = values => {
            const response = newResponse();
            Object.assign(response.#state, { kind: "basic", immutable: true, ...values });
            return response;
        };
    }

    constructor(body = null, init = undefined) {
        const state = newState();
        state.kind = "default";
        state.url = "";
        initResponse(state, body, checkedInit(init, "Response"));
        this.#state = state;
    }

    get type() {
        return this.#state.kind;
    }

    get url() {
        return this.#state.url;
    }

    get redirected() {
        return this.#state.redirected === true;
    }

    get status() {
        return this.#state.status;
    }

    get ok() {
        const { status } = this.#state;
        return status >= 200 && status <= 299;
    }

    get statusText() {
        return this.#state.statusText;
    }

    get headers() {
        return headersOf(this.#state);
    }

    clone() {
        const from = this.#state;
        const response = newResponse();
        const state = response.#state;
        cloneBody(from, state, "Response.clone");
        state.kind = from.kind;
        state.url = from.url;
        state.redirected = from.redirected;
        state.status = from.status;
        state.statusText = from.statusText;
        state.list = [...headerList(from)];
        state.immutable = from.immutable;
        return response;
    }

    static error() {
        const response = newResponse();
        const state = response.#state;
        state.kind = "error";
        state.status = 0;
        state.immutable = true;
        return response;
    }

    static redirect(url, status = 302) {
        const location = require("snapcell:url").absolute(url, "Response.redirect");
        const number = Math.trunc(Number(status)) || 0;
        if (
            number !== 301 &&
            number !== 302 &&
            number !== 303 &&
            number !== 307 &&
            number !== 308
        ) {
            throw new RangeError(
                `Response.redirect: the status must be 301, 302, 303, 307 or 308, not ${status}`
            );
        }
        const response = newResponse();
        const state = response.#state;
        state.status = number;
        state.list = ["location", location];
        state.immutable = true;
        return response;
    }

    static json(data, init = undefined) {
        const text = JSON.stringify(data);
        if (text === undefined) {
            throw new TypeError("Response.json: the value has no JSON form");
        }
        const response = newResponse();
        const state = newState();
        state.kind = "default";
        state.url = "";
        initResponse(state, null, checkedInit(init, "Response.json"));
        if (isNullBodyStatus(state.status)) {
            throw new TypeError(
                `Response.json: a response of status ${state.status} cannot have a body`
            );
        }
        state.source = text.toWellFormed();
        state.type = "application/json";
        setHeaders(state, undefined, "Response.json");
        response.#state = state;
        return response;
    }
}
expose(Response);
// A class that names itself in its body would be renamed by the bundler.
const newResponse = () => new Response();

// --- Request ---

function checkedMethod(method) {
    const text = `${method}`;
    const upper = text.toUpperCase();
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text)) {
        throw new TypeError(`Request: invalid method ${JSON.stringify(text)}`);
    }
    if (upper === "CONNECT" || upper === "TRACE" || upper === "TRACK") {
        throw new TypeError(`Request: the method ${upper} is not allowed`);
    }
    const known = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"].includes(upper);
    return known ? upper : text;
}

// Options that mean nothing here but are kept, with their defaults.
const passive = {
    destination: "",
    referrer: "about:client",
    referrerPolicy: "",
    mode: "cors",
    credentials: "same-origin",
    cache: "default",
    redirect: "follow",
    integrity: "",
    keepalive: false,
    duplex: "half",
};

// What an option may be that is no free text; made when one is given.
const choicesOf = name =>
    ({
        referrerPolicy:
            "|no-referrer|no-referrer-when-downgrade|same-origin|origin|strict-origin|" +
            "origin-when-cross-origin|strict-origin-when-cross-origin|unsafe-url",
        mode: "same-origin|no-cors|cors",
        credentials: "omit|same-origin|include",
        cache: "default|no-store|reload|no-cache|force-cache|only-if-cached",
        redirect: "follow|error|manual",
        duplex: "half",
        priority: "high|low|auto",
    })[name]?.split("|");

function checkedOption(name, value) {
    if (name === "keepalive") return Boolean(value);
    const text = `${value}`;
    const choices = choicesOf(name);
    if (!choices || choices.includes(text)) return text;
    throw new TypeError(
        `Request: the option ${name} must be one of ${choices.join(", ")}, not ` +
            JSON.stringify(text)
    );
}

function setPassive(state, init, from) {
    if (init === noInit) {
        state.options = from?.options ?? passive;
        return;
    }
    state.options = { ...(from?.options ?? passive) };
    for (const name in passive) {
        if (name === "destination" || init[name] === undefined) continue;
        state.options[name] = checkedOption(name, init[name]);
    }
    if (init.priority !== undefined) checkedOption("priority", init.priority);
    if (init.window !== undefined && init.window !== null) {
        throw new TypeError("Request: the option window can only be null");
    }
    const { cache, mode } = state.options;
    if (cache === "only-if-cached" && mode !== "same-origin") {
        throw new TypeError('Request: the cache mode only-if-cached needs the mode "same-origin"');
    }
}

// A request's signal is made when it is looked at; until then, what it follows is known.
function signalOf(state) {
    if (state.signal === null) {
        const { follow } = require("snapcell:abort");
        state.signal = follow(state.follows ? [state.follows()] : []);
    }
    return state.signal;
}

function checkedSignal(signal) {
    if (signal === null) return null;
    if (brands.signal?.(signal)) return () => signal;
    throw new TypeError("Request: the signal must be an AbortSignal");
}

function setRequestBody(state, init, from) {
    if (init.body !== undefined && init.body !== null) {
        if (state.method === "GET" || state.method === "HEAD") {
            throw new TypeError(`Request: a ${state.method} request cannot have a body`);
        }
        setBody(state, init.body, "Request");
        if (state.stream !== null && init.duplex === undefined) {
            throw new TypeError('Request: a body that is a stream needs the option duplex: "half"');
        }
        return;
    }
    if (!from || !hasBody(from)) return;
    if (state.method === "GET" || state.method === "HEAD") {
        throw new TypeError(`Request: a ${state.method} request cannot have a body`);
    }
    checkUnused(from, "Request");
    moveBody(from, state);
}

// The body goes over to the new request; the old one counts as used.
function moveBody(from, to) {
    to.source = from.source;
    to.shared = from.shared;
    to.stream = from.stream;
    if (from.stream !== null) {
        from.stream = usedStream(require("snapcell:streams").ReadableStream);
    }
    from.used = true;
}

function initRequest(state, input, init) {
    const from = isObject(input) ? brands.request(input) : undefined;
    state.url = from ? from.url : require("snapcell:url").absolute(input, "Request");
    if (state.url.startsWith("blob:")) {
        state.blob = from ? from.blob : require("snapcell:object_url").find(state.url);
    }
    state.method = init.method === undefined ? (from?.method ?? "GET") : checkedMethod(init.method);
    state.signal = null;
    if (init.signal !== undefined) state.follows = checkedSignal(init.signal);
    else state.follows = from ? () => signalOf(from) : null;
    setPassive(state, init, from);
    setRequestBody(state, init, from);
    if (init.headers === undefined && from) state.list = [...headerList(from)];
    setHeaders(state, init.headers, "Request");
}

const hostToken = {}; // the first argument when the rest is known to be valid

class Request {
    #state;

    static {
        brands.request = value => (#state in value ? value.#state : undefined);
        addBodyMembers(this, request => request.#state);
        exports.createRequest = (method, url, headers, body) =>
            hostRequest({ method, url, headers, body });
        exports.abortRequest = (request, message) => {
            const { DOMException } = require("snapcell:exception");
            const reason = new DOMException(message, "AbortError");
            const signal = signalOf(request.#state);
            brands.signal(signal).abort(signal, reason);
            return reason;
        };

        for (const name in passive) {
            const members = {
                get [name]() {
                    return this.#state.options[name];
                },
            };
            Object.defineProperty(
                this.prototype,
                name,
                Object.getOwnPropertyDescriptor(members, name)
            );
        }
    }

    constructor(input, init = undefined) {
        const state = newState();
        this.#state = state;
        if (input === hostToken) fromHost(state, init);
        else if (arguments.length < 1)
            throw new TypeError("Request: 1 argument required, but only 0 present");
        else initRequest(state, input, checkedInit(init, "Request"));
    }

    get method() {
        return this.#state.method;
    }

    get url() {
        return this.#state.url;
    }

    get headers() {
        return headersOf(this.#state);
    }

    get signal() {
        return signalOf(this.#state);
    }

    clone() {
        const from = this.#state;
        const request = hostRequest({
            method: from.method,
            url: from.url,
            headers: [...headerList(from)],
        });
        cloneBody(from, request.#state, "Request.clone");
        request.#state.options = from.options;
        request.#state.follows = () => signalOf(from);
        return request;
    }
}
expose(Request);
const hostRequest = values => new Request(hostToken, values);

// What the host hands over is valid. A body is bytes, or the number of the exchange that gives it.
function fromHost(state, { method, url, headers, body }) {
    state.method = method;
    state.url = url;
    state.list = headers;
    state.source = typeof body === "number" ? () => native.bodyRead(body) : (body ?? null);
    state.options = passive;
    state.signal = null;
    state.follows = null;
}

exports.Response = Response;
exports.Request = Request;

// Functions that make requests read the global; for them a snapshot holds that compiled.
if (native.building()) {
    Object.defineProperty(exports, "Request", {
        get() {
            if (native.building()) {
                const from = hostRequest({ method: "GET", url: "http://localhost/", headers: [] });
                new Request(from, { method: "POST", body: "a" });
            }
            return Request;
        },
    });
}

exports.fetch = async function fetch(input, init = undefined) {
    if (arguments.length < 1) throw new TypeError("fetch: 1 argument required, but only 0 present");
    return require("snapcell:client").fetch(input, init);
};

// --- For dispatch ---

exports.headerList = headerList;
exports.takeBody = takeBody;
exports.consumeBytes = (state, what) => consume(state, what, toBytes);
exports.takeStream = (state, what) => {
    checkUnused(state, what);
    return state.stream;
};
