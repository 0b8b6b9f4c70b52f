// A registry that misbehaves. What it does follows from the first part of a repository's name; see `faults`. Two ports:
// the registry, and a host elsewhere, to which it redirects and which has the token service. GET /_log has what both
// were asked, and with which Authorization. Prints the two ports; ends when standard input does.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const blobs = new Map(); // by digest: whatever the repository, unless a mount or a HEAD is to fail
const known = new Set(); // "REPOSITORY@DIGEST"
const manifests = new Map(); // "REPOSITORY:TARGET" -> { type, bytes }
const uploads = new Map();
const log = [];
const counts = new Map();
let tokens = new Set();

const digestOf = bytes => "sha256:" + createHash("sha256").update(bytes).digest("hex");
const count = key => counts.set(key, (counts.get(key) ?? 0) + 1).get(key);
const bodyOf = async request => {
    const parts = [];
    for await (const part of request) parts.push(part);
    return Buffer.concat(parts);
};
const answer = (response, status, headers = {}, body = "") =>
    response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
const refuse = (response, status, code, message, headers = {}) =>
    answer(response, status, headers, JSON.stringify({ errors: [{ code, message }] }));
const cut = (response, bytes) => response.write(bytes, () => response.socket.destroy());
const pour = response => {
    const piece = Buffer.alloc(65536, " ");
    const more = () => {
        while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more).writeHead(200, { "content-type": "application/json" });
    more();
};

// Each may answer, and then gives true.
const faults = {
    // Never more than a third of a blob at once.
    cut({ kind, response, range, blob }) {
        if (kind !== "blob") return false;
        const rest = blob.subarray(range);
        if (rest.length < 1000) return false;
        response.writeHead(range ? 206 : 200, {
            "content-length": rest.length,
            ...(range && { "content-range": `bytes ${range}-${blob.length - 1}/${blob.length}` }),
        });
        cut(response, rest.subarray(0, Math.ceil(blob.length / 3)));
        return true;
    },
    // As above the first time; then all of it, whatever was requested.
    norange({ kind, response, blob, name }) {
        if (kind !== "blob") return false;
        if (count(name + blob.length) > 1) answer(response, 200, {}, blob);
        else
            cut(response.writeHead(200, { "content-length": blob.length }), blob.subarray(0, 5000));
        return true;
    },
    // Goes on where nobody asked it to.
    misplaced({ kind, response, range, blob }) {
        if (kind !== "blob" || blob.length < 5000) return false;
        if (range)
            answer(
                response,
                206,
                { "content-range": `bytes 0-${blob.length - 1}/${blob.length}` },
                blob
            );
        else if (count("misplaced" + blob.length) > 1) answer(response, 200, {}, blob);
        else
            cut(response.writeHead(200, { "content-length": blob.length }), blob.subarray(0, 5000));
        return true;
    },
    wrong({ kind, response, blob }) {
        if (kind !== "blob") return false;
        const other = Buffer.from(blob);
        other[other.length >> 1] ^= 1;
        answer(response, 200, {}, other);
        return true;
    },
    short({ kind, response, blob }) {
        if (kind !== "blob") return false;
        answer(response, 200, {}, blob.subarray(0, 100));
        return true;
    },
    busy({ response, request }) {
        if (count("busy" + request.method + request.url) > 1) return false;
        refuse(response, 429, "TOOMANYREQUESTS", "slow down", {
            "retry-after": request.method === "GET" ? "Mon, 01 Jan 2024 00:00:00 GMT" : "0",
        });
        return true;
    },
    later({ response }) {
        refuse(response, 429, "TOOMANYREQUESTS", "tomorrow", { "retry-after": "9999" });
        return true;
    },
    flaky({ response, request }) {
        if (count("flaky" + request.method) > 2) return false;
        refuse(response, 503, "UNAVAILABLE", "starting");
        return true;
    },
    down({ response }) {
        refuse(response, 500, "UNKNOWN", "broken \u001b[31mred\u001b[0m \u009b31m");
        return true;
    },
    endless({ kind, response }) {
        if (kind !== "manifest" && kind !== "tags") return false;
        pour(response);
        return true;
    },
    overflow({ kind, response }) {
        if (kind !== "blob") return false;
        pour(response);
        return true;
    },
    headers({ response }) {
        response.writeHead(
            200,
            Object.fromEntries([...Array(400)].map((_, i) => [`x-${i}`, "y".repeat(1000)]))
        );
        response.end();
        return true;
    },
    loop({ request, response }) {
        answer(response, 307, { location: request.url });
        return true;
    },
    nowhere({ response, kind }) {
        if (kind !== "blob") return false;
        answer(response, 307, { location: "file:///etc/passwd" });
        return true;
    },
    away({ kind, response, blob }) {
        if (kind !== "blob") return false;
        answer(response, 307, {
            location: `http://127.0.0.1:${elsewhere.address().port}/blob/${digestOf(blob)}`,
        });
        return true;
    },
    // HEAD leads to a host that allows GET alone.
    signed({ kind, response, request, blob }) {
        if (kind !== "blob" || request.method !== "HEAD") return false;
        answer(response, 307, {
            location: `http://127.0.0.1:${elsewhere.address().port}/signed/${digestOf(blob)}`,
        });
        return true;
    },
    lies({ kind, response }) {
        if (kind !== "manifest") return false;
        answer(
            response,
            200,
            { "docker-content-digest": digestOf("other") },
            manifests.values().next().value.bytes
        );
        return true;
    },
    junk({ kind, response }) {
        if (kind === "manifest")
            answer(response, 200, {}, '{"schemaVersion":2,"manifests":[{"mediaType":7}]}');
        else if (kind === "tags") answer(response, 200, {}, '{"tags":["a","\\u001b[31m"]}');
        return kind === "manifest" || kind === "tags";
    },
    // The blob is there, the answer is not.
    lost({ kind, response, request, body, digest }) {
        if (kind !== "upload" || request.method !== "PUT" || count("lost" + digest) > 1)
            return false;
        blobs.set(digest, body);
        response.socket.destroy();
        return true;
    },
    refuses({ kind, response, request }) {
        if (kind !== "manifest" || request.method !== "PUT") return false;
        refuse(
            response,
            400,
            "MANIFEST_INVALID",
            "unknown media type: application/vnd.snapcell.function.v1"
        );
        return true;
    },
};

const accounts = {
    basic: request => request.headers.authorization === "Basic " + btoa("user:pass:word"),
    bearer: request => tokens.delete(request.headers.authorization?.slice(7)), // each serves once
    away: request => tokens.has(request.headers.authorization?.slice(7)),
    identity: request => request.headers.authorization === "Bearer refreshed",
    given: request => request.headers.authorization === "Bearer as-it-is",
};
const challenge = name =>
    name.startsWith("basic")
        ? 'Basic realm="all of it"'
        : `Negotiate, Bearer error="x", realm="http://127.0.0.1:${elsewhere.address().port}/token",service="a \\"b\\"",scope="repository:${name}:pull"`;

async function upload({ request, response, name, id, query, digest }) {
    const here = `/v2/${name}/blobs/uploads/`;
    if (request.method === "POST" && query.get("mount")) {
        if (known.has(query.get("from") + "@" + query.get("mount"))) {
            known.add(name + "@" + query.get("mount"));
            return answer(response, 201, { location: "/" });
        }
    }
    if (request.method === "POST") {
        const fresh = String(uploads.size + 1);
        uploads.set(fresh, Buffer.alloc(0));
        const location = name.startsWith("relative")
            ? `${fresh}?state=a%2Fb`
            : `http://${request.headers.host}${here}${fresh}?state=x`;
        return answer(response, 202, {
            location,
            "oci-chunk-min-length": name.startsWith("least") ? "20000" : "1",
        });
    }
    const there = uploads.get(id);
    if (!there) return refuse(response, 404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
    const location = `${here}${id}?state=${there.length}`;
    const range = `0-${Math.max(there.length - 1, 0)}`;
    if (request.method === "GET") return answer(response, 204, { location, range });
    if (request.method === "DELETE") return (uploads.delete(id), answer(response, 204));
    if (request.method === "PATCH" && name.startsWith("broken") && count("broken" + id) === 2) {
        // Half of the second piece comes through.
        const part = await new Promise(taken => request.once("data", taken));
        uploads.set(id, Buffer.concat([there, part.subarray(0, part.length >> 1)]));
        return request.socket.destroy();
    }
    const all = Buffer.concat([there, await bodyOf(request)]);
    uploads.set(id, all);
    if (request.method === "PATCH") {
        if (Number(request.headers["content-range"].split("-")[0]) !== there.length)
            return (uploads.set(id, there), answer(response, 416, { location, range }));
        return answer(response, 202, {
            location: `${here}${id}?state=${all.length}`,
            range: `0-${all.length - 1}`,
        });
    }
    if (digestOf(all) !== digest) return refuse(response, 400, "DIGEST_INVALID", "another digest");
    blobs.set(digest, all);
    known.add(name + "@" + digest);
    return answer(response, 201, { location: "/" });
}

async function serve(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, "http://x");
    log.push(
        `${request.method} ${request.url} ${request.headers.authorization ?? "-"} ${request.headers.range ?? "-"}`
    );
    if (pathname === "/_log") return answer(response, 200, {}, log.join("\n") + "\n");
    const found = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags)\/(.*)$/.exec(pathname);
    if (!found) return refuse(response, 404, "UNSUPPORTED", "no such path");
    const [, name, place, target] = found;
    const kind = { "blobs/uploads": "upload", blobs: "blob", manifests: "manifest", tags: "tags" }[
        place
    ];
    const fault = name.split("/")[0];
    if (accounts[fault] && !accounts[fault](request))
        return refuse(response, 401, "UNAUTHORIZED", "who?", {
            "www-authenticate": challenge(name),
        });
    const isBlobGet = kind === "blob" && request.method === "GET";
    const digest = query.get("digest");
    const state = {
        request,
        response,
        name,
        query,
        digest,
        kind,
        blob: blobs.get(target),
        id: target,
    };
    state.range = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (fault === "lost" && kind === "upload" && request.method === "PUT")
        state.body = await bodyOf(request);
    const isRead =
        isBlobGet || (kind === "manifest" && request.method === "GET") || kind === "tags";
    const always = [
        "busy",
        "flaky",
        "down",
        "later",
        "lost",
        "refuses",
        "headers",
        "loop",
        "signed",
    ].includes(fault);
    if (
        (always || isRead) &&
        (kind !== "blob" || state.blob || (always && fault !== "signed")) &&
        faults[fault]?.(state)
    )
        return;
    if (kind === "upload")
        return state.body
            ? upload({
                  ...state,
                  request: Object.assign(ReadableFrom(state.body), {
                      method: "PUT",
                      headers: request.headers,
                  }),
              })
            : upload(state);
    if (kind === "tags") {
        const all = [
            ...new Set(
                [...manifests.keys()]
                    .filter(key => key.startsWith(name + ":") && !key.includes("sha256"))
                    .map(key => key.slice(name.length + 1))
            ),
        ];
        const from = Number(query.get("from") ?? 0);
        const link = from + 1 < all.length ? { link: `<list?from=${from + 1}>; rel="next"` } : {};
        return answer(
            response,
            200,
            link,
            JSON.stringify({ name, tags: all.slice(from, from + 1) })
        );
    }
    if (kind === "manifest" && request.method === "PUT") {
        const bytes = await bodyOf(request);
        const entry = { type: request.headers["content-type"], bytes };
        manifests.set(`${name}:${target}`, entry).set(`${name}:${digestOf(bytes)}`, entry);
        return answer(response, 201, { "docker-content-digest": digestOf(bytes) });
    }
    if (kind === "manifest") {
        const entry = manifests.get(`${name}:${target}`) ?? manifests.get(`plain/app:${target}`);
        if (!entry) return refuse(response, 404, "MANIFEST_UNKNOWN", "no such manifest");
        return answer(response, 200, { "content-type": entry.type }, entry.bytes);
    }
    const isThere = state.blob && (request.method === "GET" || known.has(`${name}@${target}`));
    if (!isThere && !(fault === "lost" && state.blob))
        return refuse(response, 404, "BLOB_UNKNOWN", "no such blob");
    if (state.range)
        return answer(
            response,
            206,
            {
                "content-range": `bytes ${state.range}-${state.blob.length - 1}/${state.blob.length}`,
            },
            state.blob.subarray(state.range)
        );
    return answer(response, 200, {}, request.method === "HEAD" ? "" : state.blob);
}

async function serveElsewhere(request, response) {
    const { pathname, searchParams: query } = new URL(request.url, "http://x");
    const body = (await bodyOf(request)).toString();
    log.push(
        `elsewhere ${request.method} ${request.url} ${request.headers.authorization ?? "-"} ${body || "-"}`
    );
    if (pathname.startsWith("/signed/")) return answer(response, 403);
    if (pathname.startsWith("/blob/"))
        return answer(response, 200, {}, blobs.get(pathname.slice(6)));
    if (body.includes("refresh_token=long%2Flived"))
        return answer(response, 200, {}, '{"access_token":"refreshed"}');
    if (query.getAll("scope").some(scope => scope.includes("bearer/pours"))) return pour(response);
    if (query.getAll("scope").some(scope => scope.includes("bearer/injects")))
        return answer(response, 200, {}, '{"token":"a\\r\\nX-Evil: 1"}');
    if (request.headers.authorization !== "Basic " + btoa("user:pass:word"))
        return refuse(response, 401, "UNAUTHORIZED", "unknown user");
    const token = `token-${tokens.size}-${log.length}`;
    tokens.add(token);
    return answer(response, 200, {}, JSON.stringify({ token, expires_in: 60 }));
}

const ReadableFrom = body => ({
    async *[Symbol.asyncIterator]() {
        yield body;
    },
});
const elsewhere = createServer((...both) => serveElsewhere(...both).catch(() => both[1].destroy()));
const registry = createServer((...both) => serve(...both).catch(() => both[1].destroy()));
elsewhere.listen(0, "127.0.0.1", () =>
    registry.listen(0, "127.0.0.1", () =>
        console.log(registry.address().port, elsewhere.address().port)
    )
);
process.stdin.on("end", () => process.exit()).resume();
