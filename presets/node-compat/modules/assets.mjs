// The binding of a folder's files, as on Workers; and, unless the function comes first, the answers to
// requests for one of them.
import files from "./assets_files.cjs";
import options from "./assets_options.cjs";
import { bytesOf } from "./embedded.cjs";
import support from "./support.mjs";

const redirected = (redirect, status = 307) => ({ redirect, status });
const found = path => (files[path] ? { file: files[path], status: 200 } : undefined);

// /page is page.html, /folder/ is folder/index.html; the other names of both lead there.
function automatic(path) {
    if (path.endsWith("/index.html")) return redirected(path.slice(0, -"index.html".length));
    if (path.endsWith(".html") && files[path]) return redirected(path.slice(0, -".html".length));
    if (files[path]) return found(path);
    if (!path.endsWith("/")) {
        if (files[`${path}.html`]) return found(`${path}.html`);
        return files[`${path}/index.html`] && redirected(`${path}/`);
    }
    if (files[`${path}index.html`]) return found(`${path}index.html`);
    return files[`${path.slice(0, -1)}.html`] && redirected(path.slice(0, -1));
}

function decoded(path) {
    try {
        return decodeURIComponent(path);
    } catch {
        return path;
    }
}

function named(path) {
    const match = options.html === "none" ? found(path) : automatic(path);
    // A redirection must lead to a file.
    return match?.redirect === undefined || automatic(match.redirect)?.file ? match : undefined;
}

// What a pattern matched, in the text that stands for it.
const filled = (text, groups = {}) =>
    text.replace(/:([A-Za-z]\w*)/g, (word, name) => groups[name] ?? word);

function lookUp(pathname) {
    const path = decoded(pathname);
    for (const [expression, to, status] of options.redirects) {
        const match = new RegExp(expression).exec(path);
        if (!match) continue;
        const target = filled(to, match.groups);
        return status === 200 ? named(target) : redirected(target, status);
    }
    return named(path);
}

// The rules of a file _headers: what several rules set is joined.
function addHeaders(path, headers) {
    const set = new Set();
    for (const [expression, removed, added] of options.headers) {
        const match = new RegExp(expression).exec(path);
        if (!match) continue;
        for (const name of removed) headers.delete(name);
        for (const name of removed) set.delete(name.toLowerCase());
        for (const [name, value] of added) {
            const text = filled(value, match.groups);
            if (set.has(name.toLowerCase())) headers.append(name, text);
            else headers.set(name, text);
            set.add(name.toLowerCase());
        }
    }
}

// The page for what is not there: the nearest folder's 404.html, or the application's only one.
function missing(path) {
    if (options.missing === "single-page-application") return found("/index.html");
    if (options.missing !== "404-page") return undefined;
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
        const page = found(`${path.slice(0, end)}/404.html`);
        if (page) return { ...page, status: 404 };
        if (end === 0) break;
    }
    return undefined;
}

function answer(request, { pathname, search }, match) {
    if (match.redirect !== undefined)
        return new Response(null, {
            status: match.status,
            headers: { location: match.redirect + (match.redirect.includes("?") ? "" : search) },
        });
    const { file, status } = match;
    const [, size, , type, tag] = file;
    const etag = `"${tag}"`;
    const headers = new Headers({ "cache-control": "public, max-age=0, must-revalidate", etag });
    addHeaders(pathname, headers);
    const known = request.headers.get("if-none-match");
    if (known?.split(",").some(one => one.trim().replace(/^W\//, "") === etag))
        return new Response(null, { status: 304, headers });
    if (!headers.has("content-type")) headers.set("content-type", type);
    headers.set("content-length", `${size}`);
    return new Response(request.method === "HEAD" ? null : bytesOf(file), { status, headers });
}

const isRead = ({ method }) => method === "GET" || method === "HEAD";

function answerAlone(request, url) {
    const match = lookUp(url.pathname) ?? missing(url.pathname);
    if (!match) return new Response(null, { status: 404 });
    if (!isRead(request))
        return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    return answer(request, url, match);
}

async function fetch(input, init) {
    const request = new Request(input, init);
    return answerAlone(request, new URL(request.url));
}

// With a list of patterns, what none of them matches is never the function's, as on Workers; without one, a browser
// that goes to a page is.
const patterns = Array.isArray(options.workerFirst) ? options.workerFirst : undefined;
const isOneOf = (expressions, path) =>
    expressions.some(expression => new RegExp(expression).test(path));
const keepsMissing = request =>
    patterns || (options.navigation && request.headers.get("sec-fetch-mode") === "navigate");

function first(request) {
    const url = new URL(request.url);
    const { pathname } = url;
    if (patterns && isOneOf(patterns[1], pathname)) return answerAlone(request, url);
    if (patterns && isOneOf(patterns[0], pathname)) return undefined;
    if (!isRead(request)) return undefined;
    const match = lookUp(pathname) ?? (keepsMissing(request) ? missing(pathname) : undefined);
    return match && answer(request, url, match);
}

support.bind(options.binding, { fetch });
if (options.workerFirst !== true) support.first(first);
