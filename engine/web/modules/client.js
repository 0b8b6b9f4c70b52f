"use strict";
// fetch(): what the Fetch standard does around a request that goes to a server: redirects, bodies,
// abort. The embedder's client carries each single request. Loaded when fetch() is first called.
const { brands } = require("snapcell:idl");
const { Request, createResponse, headerList } = require("snapcell:fetch");

// What a listener of native.fetchStart() is told.
const HEAD = 0;
const READABLE = 1;
const PULL = 2;

const pieceSize = 65536;
const discardMax = 65536;
const redirectsMax = 20;

// Ports of other protocols, which a request must not be smuggled to (Fetch, 2.9).
const badPorts =
    " 0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 " +
    "111 113 115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 " +
    "540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 " +
    "5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080 ";

// The connection's own headers: what a function forwards of a request that it got, is not for the
// next server.
const ownHeaders =
    " connection content-length expect host keep-alive proxy-authorization proxy-connection te " +
    "trailer transfer-encoding upgrade ";

const bodyHeaders =
    " content-encoding content-language content-length content-location content-type ";

const listed = (list, word) => list.includes(` ${word} `);

function valueOf(list, name) {
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
    return null;
}

function without(list, names) {
    const kept = [];
    for (let i = 0; i < list.length; i += 2) {
        if (!listed(names, list[i])) kept.push(list[i], list[i + 1]);
    }
    return kept;
}

// --- What is sent ---

// One request of the chain of redirects. `url` is a record of URL; `piece` gives the next bytes of
// the body, null at its end.
function firstHop(request) {
    const { URL } = require("snapcell:url");
    const list = without(headerList(request), ownHeaders);
    if (valueOf(list, "accept") === null) list.push("accept", "*/*");
    if (valueOf(list, "user-agent") === null) list.push("user-agent", "snapcell");
    const { source } = request;
    const bytes = typeof source === "string" ? native.utf8Encode(source) : source;
    const stream = bytes === null ? request.stream : null;
    if (bytes !== null) request.used = true;
    return {
        method: request.method,
        url: new URL(request.url),
        list,
        bytes,
        reader: stream === null ? null : stream.getReader(),
    };
}

function bodySize({ bytes, reader, method }) {
    if (bytes !== null) return bytes.length;
    if (reader !== null) return -2;
    return method === "POST" || method === "PUT" ? 0 : -1;
}

// Sends the next piece of the body of `hop`. `upload` holds what is left to send.
async function sendPiece(id, hop, upload) {
    while (upload.rest.length === 0 && hop.reader !== null) {
        const { done, value } = await hop.reader.read();
        if (done) {
            native.fetchSend(id, upload.rest, true);
            return;
        }
        if (!(value instanceof Uint8Array)) {
            throw new TypeError("fetch: a chunk of the request's body is not a Uint8Array");
        }
        upload.rest = value;
    }
    const piece = upload.rest.subarray(0, pieceSize);
    upload.rest = upload.rest.subarray(pieceSize);
    native.fetchSend(id, piece, hop.reader === null && upload.rest.length === 0);
}

const shown = url => url.origin + url.pathname;

function failure(hop, message, code) {
    const cause = new Error(message);
    if (code) cause.code = code;
    return new TypeError(`fetch: ${hop.method} ${shown(hop.url)}: ${message}`, { cause });
}

function checkTarget(url) {
    if (url.protocol !== "http:" && url.protocol !== "https:") {
        throw new TypeError(`fetch: a URL with the scheme "${url.protocol}" cannot be fetched`);
    }
    if (listed(badPorts, url.port)) {
        throw new TypeError(`fetch: port ${url.port} of ${url.hostname} is not one of the web's`);
    }
}

// Sends `hop` on behalf of `call`; a promise of {id, status, statusText, list, link}.
function exchange(call, hop) {
    checkTarget(hop.url);
    const upload = { rest: hop.bytes ?? new Uint8Array(0) };
    const link = { id: 0, wake: undefined, fail: undefined };
    return new Promise((resolve, reject) => {
        const fail = error => {
            native.fetchClose(link.id);
            hop.reader?.cancel(error).catch(() => {});
            reject(error);
            link.fail?.(error);
        };
        const listener = (kind, first, second, third) => {
            if (kind === HEAD) resolve({ status: first, statusText: second, list: third, link });
            else if (kind === READABLE) link.wake();
            else if (kind === PULL) sendPiece(link.id, hop, upload).catch(fail);
            else fail(failure(hop, first, second));
        };
        call.fail = fail;
        const url = hop.url.href.replace(/#[^]*/, "");
        try {
            link.id = native.fetchStart(hop.method, url, hop.list, bodySize(hop), listener);
        } catch (error) {
            fail(failure(hop, error.message));
        }
    });
}

// --- What comes back ---

// A promise of the next bytes, null at the end.
async function read(link) {
    for (;;) {
        const bytes = native.fetchRead(link.id);
        if (bytes !== undefined) return bytes;
        await new Promise(resolve => (link.wake = resolve));
    }
}

function streamOf(link, call) {
    const { ReadableStream } = require("snapcell:streams");
    return new ReadableStream(
        {
            type: "bytes",
            start(controller) {
                link.fail = error => controller.error(error);
            },
            async pull(controller) {
                const bytes = await read(link);
                if (bytes !== null) {
                    controller.enqueue(bytes);
                    return;
                }
                call.forget();
                controller.close();
                controller.byobRequest?.respond(0);
            },
            cancel() {
                call.forget();
                native.fetchClose(link.id);
            },
        },
        { highWaterMark: 0 }
    );
}

// Reads the little that a body without a reader may have, so that its connection can be used again.
async function discard(link) {
    let size = 0;
    while (size < discardMax) {
        const bytes = await read(link);
        if (bytes === null) return;
        size += bytes.length;
    }
    native.fetchClose(link.id);
}

const drop = link => {
    discard(link).catch(() => {});
};

function respond(call, hop, head, redirected) {
    const { status, link } = head;
    const empty = hop.method === "HEAD" || status === 204 || status === 205 || status === 304;
    const stream = empty ? null : streamOf(link, call);
    if (empty) {
        call.forget();
        drop(link);
    }
    return createResponse({
        status,
        statusText: head.statusText,
        list: lowerCase(head.list),
        url: hop.url.href.replace(/#[^]*/, ""),
        redirected,
        stream,
    });
}

function lowerCase(list) {
    for (let i = 0; i < list.length; i += 2) list[i] = list[i].toLowerCase();
    return list;
}

// --- Redirects ---

const isRedirect = status =>
    status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

function nextUrl(hop, location) {
    const url = require("snapcell:url").URL.parse(location, hop.url.href);
    if (url === null) throw failure(hop, `it redirects to "${location}", which is not a URL`);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
        throw failure(hop, `it redirects to a URL with the scheme "${url.protocol}"`);
    }
    if (url.username !== "" || url.password !== "") {
        throw failure(hop, "it redirects to a URL with credentials");
    }
    if (url.hash === "") url.hash = hop.url.hash;
    return url;
}

// Does a redirect of this status turn the request into a GET without a body?
const becomesGet = (status, method) =>
    status === 303
        ? method !== "GET" && method !== "HEAD"
        : (status === 301 || status === 302) && method === "POST";

function nextHop(hop, status, location) {
    const url = nextUrl(hop, location);
    const next = { ...hop, url };
    if (becomesGet(status, hop.method)) {
        hop.reader?.cancel().catch(() => {});
        Object.assign(next, { method: "GET", bytes: null, reader: null });
        next.list = without(next.list, bodyHeaders);
    } else if (hop.reader !== null) {
        throw failure(hop, "it redirects, but a body that is a stream cannot be sent again");
    }
    if (url.origin !== hop.url.origin) next.list = without(next.list, " authorization cookie ");
    return next;
}

async function follow(call, request) {
    const { redirect } = request.options;
    let hop = firstHop(request);
    for (let count = 0; ; count++) {
        const head = await exchange(call, hop);
        const location =
            isRedirect(head.status) && redirect !== "manual"
                ? valueOf(lowerCase(head.list), "location")
                : null;
        if (location === null) return respond(call, hop, head, count > 0);
        drop(head.link);
        if (redirect === "error") {
            throw failure(hop, `it redirects (${head.status}), and redirect is "error"`);
        }
        if (count === redirectsMax) throw failure(hop, `more than ${redirectsMax} redirects`);
        hop = nextHop(hop, head.status, location);
    }
}

// --- fetch() ---

// `call.fail` ends what is on its way: the exchange, its request's body, its response's stream;
// `call.forget` is for when there is nothing left to end.
function abortable(call, request, signal) {
    return new Promise((resolve, reject) => {
        const step = () => {
            reject(signal.reason);
            call.fail?.(signal.reason);
        };
        call.forget = signal.onAbort(step);
        follow(call, request).then(resolve, error => {
            call.forget();
            reject(error);
        });
    });
}

function refuse(request, reason) {
    request.stream?.cancel(reason).catch(() => {});
    return Promise.reject(reason);
}

exports.fetch = (input, init) => {
    const request = brands.request(new Request(input, init));
    const followed = request.follows?.(); // this loads what knows signals
    const signal = followed ? brands.signal(followed) : null;
    if (signal?.aborted) return refuse(request, signal.reason);
    if (request.options.integrity !== "") {
        return refuse(request, new TypeError("fetch: the option integrity is not supported"));
    }
    if (request.url.startsWith("data:")) return require("snapcell:data_url").respond(request);
    if (request.url.startsWith("blob:")) return require("snapcell:object_url").respond(request);
    const call = { fail: undefined, forget() {} };
    return signal === null ? follow(call, request) : abortable(call, request, signal);
};
