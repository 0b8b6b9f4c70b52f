"use strict";
// Request and Response. A function that answers with a string loads neither Headers, nor URL, nor
// streams: each is required where it is first needed.
const idl = require("snapcell:idl");
const { brands, bytesOf, dictionary, expose, joinBytes, need, noOptions } = idl;

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

const isBody = value =>
    Boolean(
        brands.stream?.(value) ||
        bytesOf(value) ||
        brands.blob?.(value) ||
        brands.form?.(value) ||
        brands.params?.(value)
    );

// As in Node, what can be iterated asynchronously is a body, too: Node's own streams are.
const isIterable = value => typeof value[Symbol.asyncIterator] === "function";

// What is none of the objects that a body may be made of is text.
function convertBody(body) {
    if (typeof body === "string" || body === null || body === undefined) return body;
    return isObject(body) && (isBody(body) || isIterable(body)) ? body : `${body}`;
}

// Takes what convertBody() gave.
function setBody(state, body, what) {
    if (typeof body !== "string") {
        setObjectBody(state, body, what);
        return;
    }
    state.source = body.isWellFormed() ? body : body.toWellFormed();
    state.type = "text/plain;charset=UTF-8";
}

function setObjectBody(state, body, what) {
    const stream = brands.stream?.(body);
    if (stream) {
        if (stream.locked || require("snapcell:streams").isDisturbed(stream)) {
            throw new TypeError(`${what}: the body's stream is locked or was read from`);
        }
        state.stream = stream;
        return;
    }
    const bytes = bytesOf(body);
    if (bytes) state.source = bytes.slice();
    else setFormBody(state, body);
}

function setFormBody(state, body) {
    const blob = brands.blob?.(body);
    if (blob) {
        state.source = blob.bytes;
        state.shared = true;
        state.type = blob.type || null;
        return;
    }
    const form = brands.form?.(body);
    if (form) {
        const encoded = require("snapcell:form").encode(form);
        state.source = encoded.bytes;
        state.type = encoded.type;
        return;
    }
    if (!brands.params?.(body)) {
        state.stream = require("snapcell:streams").iterableStream(body);
        return;
    }
    state.source = require("snapcell:url").serializeParams(body);
    state.type = "application/x-www-form-urlencoded;charset=UTF-8";
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

const asItIs = body => body;

// What `convert` makes of the body, which is a string, a Uint8Array or null, knowing whether its
// bytes are shared; or a promise of that. A promise of bytes alone would look up a `then` on them.
function takeBody(state, what, convert = asItIs) {
    checkUnused(state, what);
    const { shared, source, stream } = state;
    if (stream !== null) return require("snapcell:streams").readAll(stream, convert);
    if (source === null) return convert(null, false);
    state.used = true;
    return typeof source === "function" ? drain(source, convert) : convert(source, shared);
}

// All bytes that a function gives piece by piece.
async function drain(next, convert) {
    const chunks = [];
    for (;;) {
        let chunk = next();
        if (chunk instanceof Promise) chunk = await chunk;
        if (chunk === null) return convert(joinBytes(chunks), false);
        chunks.push(chunk);
    }
}

const consume = async (state, what, convert) => takeBody(state, what, convert);

function toText(body) {
    if (body === null) return "";
    return typeof body === "string" ? dropMark(body) : native.utf8Decode(body, false, false);
}

// Decoding takes a byte order mark away, so a string that was never encoded loses it as well.
const dropMark = text => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

// In a form, a byte order mark belongs to the first name.
function toFormText(body) {
    if (body === null) return "";
    return typeof body === "string" ? body : native.utf8Decode(body, false, true);
}

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
    return urlencodedForm(FormData, toFormText(body));
}

function blobType(text) {
    const { extract, serialize } = require("snapcell:mime");
    const type = extract(text);
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
        const {
            ReadableStream,
            markWhole,
            pullStream,
            streamOf,
            useUp,
        } = require("snapcell:streams");
        if (state.used) state.stream = useUp(new ReadableStream());
        else if (typeof source === "function") state.stream = pullStream(source);
        else
            state.stream = markWhole(
                streamOf(() => toBytes(source, shared)),
                source
            );
    }
    return state.stream;
}

function cloneBody(from, to, what) {
    checkUnused(from, what);
    if (typeof from.source === "function") streamOf(from); // which two can read
    to.source = from.source;
    to.type = from.type;
    to.shared = from.shared = true;
    if (from.stream === null) return;
    const { isByteStream } = require("snapcell:streams");
    // The package's tee() copies chunks of byte streams.
    const [first, second] = isByteStream(from.stream)
        ? from.stream.tee()
        : require("snapcell:tee").split(from.stream);
    from.stream = first;
    to.stream = second;
}

// The members that requests and responses share; `stateOf` gives the state of either.
function bodyMembers(stateOf, what) {
    const read = async (target, name, convert) => {
        const state = stateOf(target);
        return consume(state, `${what}.${name}`, (body, shared) => convert(body, shared, state));
    };
    const typeOf = state => headersOf(state).get("content-type");
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
            return read(this, "blob", (body, shared, state) =>
                // Not through the constructor, which would change the type.
                require("snapcell:blob").ofState({
                    bytes: toBytes(body, shared),
                    type: blobType(typeOf(state)),
                })
            );
        },
        bytes() {
            return read(this, "bytes", toBytes);
        },
        formData() {
            return read(this, "formData", (body, shared, state) => toForm(body, typeOf(state)));
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
    idl.copyMembers(Class.prototype, members);
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
    // Of a response.
    kind: "",
    url: "",
    status: 0,
    statusText: "",
    redirected: false,
    // Of a request, with `url`.
    method: "",
    options: null,
    signal: null,
    follows: null,
    blob: undefined,
});

// --- Response ---

const isNullBodyStatus = status =>
    status === 204 || status === 205 || status === 304 || status === 101 || status === 103;

function checkedStatus(status) {
    if (status >= 200 && status <= 599) return status;
    throw new RangeError(`Response: the status must be 200 to 599, not ${status}`);
}

function checkedStatusText(text) {
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

// unsigned short
function convertStatus(status) {
    const isPlain = Number.isInteger(status) && status >= 0 && status < 65536;
    return isPlain ? status : require("snapcell:convert").unsigned(status, 16);
}

// ResponseInit, read in the order of Web IDL.
function convertInit(init, what) {
    const given = dictionary(init, what);
    if (given === noOptions) return given;
    let { headers } = given;
    if (headers !== undefined) headers = require("snapcell:headers").convert(headers, what);
    let { status } = given;
    if (status !== undefined) status = convertStatus(status);
    let { statusText } = given;
    if (statusText !== undefined) statusText = `${statusText}`;
    return { headers, status, statusText };
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
        body = convertBody(body);
        initResponse(state, body, convertInit(init, "Response"));
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
        need(1, arguments.length, "Response.redirect");
        url = `${url}`;
        const number = convertStatus(status);
        const location = require("snapcell:url").absolute(url, "Response.redirect");
        if (![301, 302, 303, 307, 308].includes(number)) {
            throw new RangeError(
                `Response.redirect: the status must be 301, 302, 303, 307 or 308, not ${number}`
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
        need(1, arguments.length, "Response.json");
        const given = convertInit(init, "Response.json");
        const text = JSON.stringify(data);
        if (text === undefined) {
            throw new TypeError("Response.json: the value has no JSON form");
        }
        const response = newResponse();
        const state = newState();
        state.kind = "default";
        initResponse(state, null, given);
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
    isReloadNavigation: false,
    isHistoryNavigation: false,
};

// A request's signal is made when it is looked at; until then, what it follows is known.
function signalOf(state) {
    if (state.signal === null) {
        const { follow } = require("snapcell:abort");
        state.signal = follow(state.follows ? [state.follows()] : []);
    }
    return state.signal;
}

function setRequestBody(state, init, from) {
    const given = init.body !== undefined && init.body !== null;
    if (!given && !(from && hasBody(from))) return;
    if (state.method === "GET" || state.method === "HEAD") {
        throw new TypeError(`Request: a ${state.method} request cannot have a body`);
    }
    if (given) {
        setBody(state, init.body, "Request");
        if (state.stream !== null) checkStreaming(state, init);
        return;
    }
    checkUnused(from, "Request");
    moveBody(from, state);
}

function checkStreaming({ options }, init) {
    if (init.duplex === undefined) {
        throw new TypeError('Request: a body that is a stream needs the option duplex: "half"');
    }
    if (options.mode === "no-cors") {
        throw new TypeError("Request: the mode no-cors does not go with a body that is a stream");
    }
}

// The body goes over to the new request; the old one keeps its stream, which counts as used.
function moveBody(from, to) {
    to.source = from.source;
    to.shared = from.shared;
    from.used = true;
    if (from.stream === null) return;
    const { passOn, useUp } = require("snapcell:streams");
    if (from.source !== null) useUp(from.stream);
    else to.stream = passOn(from.stream);
}

// Where a request has a URL of a Blob, it keeps the Blob.
const blobOf = (url, from) =>
    from
        ? from.blob
        : url.startsWith("blob:")
          ? require("snapcell:object_url").find(url)
          : undefined;

function initRequest(state, input, given) {
    const from = isObject(input) ? brands.request(input) : undefined;
    const url = from ? from.url : `${input}`;
    const plain = given === undefined || given === null;
    const init = plain ? noOptions : require("snapcell:request_options").convert(given);
    state.url = from ? url : require("snapcell:url").absolute(url, "Request");
    state.blob = blobOf(state.url, from);
    state.method = from?.method ?? "GET";
    state.options = from?.options ?? passive;
    if (!plain) applyOptions(state, init);
    const { signal } = init;
    if (signal !== undefined) state.follows = signal && (() => signal);
    else state.follows = from ? () => signalOf(from) : null;
    setRequestBody(state, init, from);
    if (init.headers === undefined && from) state.list = [...headerList(from)];
    setHeaders(state, init.headers, "Request");
}

function applyOptions(state, init) {
    const { checkedMethod, merge } = require("snapcell:request_options");
    if (init.method !== undefined) state.method = checkedMethod(init.method);
    state.options = merge(state.options, init, state.method);
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
            idl.copyMember(this.prototype, members, name);
        }
    }

    constructor(input, init = undefined) {
        const state = newState();
        this.#state = state;
        if (input === hostToken) fromHost(state, init);
        else if (arguments.length < 1)
            throw new TypeError("Request: 1 argument required, but only 0 present");
        else initRequest(state, input, init);
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
}

exports.Response = Response;
exports.Request = Request;
exports.convertBody = convertBody;

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

const functions = {
    async fetch(input, init = undefined) {
        need(1, arguments.length, "fetch");
        return require("snapcell:client").fetch(input, init);
    },
};
exports.fetch = functions.fetch;

// --- For dispatch ---

exports.headerList = headerList;
exports.takeBody = takeBody;
exports.consumeBytes = (state, what) => consume(state, what, toBytes);
// The string or the bytes of a body that is a stream of these, as they are; undefined for any other.
exports.takeWhole = ({ stream }) =>
    stream === null ? undefined : require("snapcell:streams").takeWhole(stream);
exports.takeStream = (state, what) => {
    checkUnused(state, what);
    return state.stream;
};
