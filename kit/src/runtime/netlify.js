// What edge functions written for Netlify use of it: the object Netlify, and the context of a call.
import { variables } from "./variables.js";

globalThis.Netlify = {
    env: variables,
};

const named = given => (typeof given === "string" ? { name: given } : given);

// Cookies of the request, and what the function sets of them.
function cookiesOf(request) {
    const pairs = (request.headers.get("cookie") ?? "")
        .split(/;\s*/)
        .filter(Boolean)
        .map(pair => pair.split(/=(.*)/s).slice(0, 2));
    const known = new Map(pairs);
    const changes = [];
    const attributes = ({ domain, expires, httpOnly, maxAge, path, sameSite, secure }) =>
        [
            domain && `Domain=${domain}`,
            path && `Path=${path}`,
            expires !== undefined && `Expires=${new Date(expires).toUTCString()}`,
            maxAge !== undefined && `Max-Age=${maxAge}`,
            sameSite && `SameSite=${sameSite}`,
            secure && "Secure",
            httpOnly && "HttpOnly",
        ].filter(Boolean);
    const change = (name, value, more) =>
        void changes.push([`${name}=${value}`, ...attributes(more)].join("; "));
    return {
        changes,
        cookies: {
            get: given => known.get(named(given).name),
            set(given, text) {
                const { name, value = text, ...more } = named(given);
                change(name, value, more);
            },
            delete(given) {
                const { name, ...more } = named(given);
                change(name, "", { ...more, expires: 0 });
            },
        },
    };
}

function paramsOf({ path = [] } = {}, url) {
    for (const pathname of [path].flat()) {
        const match = pathname.startsWith("/") && new URLPattern({ pathname }).exec(url);
        if (match) return { ...match.pathname.groups };
    }
    return {};
}

// What comes after an edge function: the files of the site.
function following(request, given) {
    if (given.ASSETS) return given.ASSETS.fetch(request);
    throw new TypeError("nothing follows this function: --assets names the site's files");
}

function contextOf(request, { given, context, config, cookies }) {
    const { headers, url } = request;
    const next = async (other = request) => following(new Request(other), given);
    return {
        account: {},
        cookies,
        deploy: {},
        geo: {},
        ip: headers.get("x-forwarded-for")?.split(/,\s*/)[0] ?? "127.0.0.1",
        json: (value, init) => Response.json(value, init),
        log: (...values) => console.log(...values),
        next,
        params: paramsOf(config, url),
        requestId: headers.get("x-request-id") ?? crypto.randomUUID(),
        rewrite: async place => following(new Request(new URL(place, url), request), given),
        server: {},
        site: {},
        url: new URL(url),
        waitUntil: promise => context.waitUntil(promise),
    };
}

function withCookies(response, changes) {
    if (changes.length === 0) return response;
    const changed = new Response(response.body, response);
    for (const text of changes) changed.headers.append("set-cookie", text);
    return changed;
}

/** @param {Record<string, any>} module what the function's entry exports */
export function netlifyFetch({ default: handler, config }) {
    if (typeof handler !== "function")
        throw new TypeError("no function is exported as default, which Netlify would call");
    return {
        async fetch(request, given, context) {
            const { cookies, changes } = cookiesOf(request);
            const full = contextOf(request, { given, context, config, cookies });
            const result = await handler(request, full);
            const answers = result instanceof Response;
            const response = answers ? result : await (result ? full.rewrite(result) : full.next());
            return withCookies(response, changes);
        },
    };
}
