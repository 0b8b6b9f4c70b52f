// Asks both sides, and tells how their answers differ.
import { spawnSync } from "node:child_process";
import { request as httpRequest } from "node:http";

// What connections decide, not functions.
const ofConnections = new Set([
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "transfer-encoding",
]);

// What servers of assets add, as the tags that they make up.
const ofAssets =
    /^(access-control-allow-origin|cf-cache-status|content-type|etag|referrer-policy|x-content-type-options|x-server-env):/;

const listed = headers =>
    headers
        .map(([name, value]) => [name.toLowerCase(), value])
        .filter(([name]) => !ofConnections.has(name))
        .map(([name, value]) => `${name}: ${value}`)
        .sort();

export function askHttp(port, { path, method = "GET", headers = {}, body }) {
    return new Promise((resolve, reject) => {
        const options = { port, host: "127.0.0.1", method, path: encodeURI(decodeURI(path)) };
        options.headers = { host: "localhost", ...headers };
        if (body !== undefined) options.headers["content-length"] = Buffer.byteLength(body);
        httpRequest(options, response => {
            const chunks = [];
            response.on("data", chunk => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () => {
                const pairs = [];
                for (let i = 0; i < response.rawHeaders.length; i += 2)
                    pairs.push(response.rawHeaders.slice(i, i + 2));
                const text = Buffer.concat(chunks).toString("latin1");
                resolve({ status: response.statusCode, headers: listed(pairs), text });
            });
        })
            .on("error", reject)
            .end(body);
    });
}

const variable = ([name, value]) => ["-e", `${name}=${value}`];

export const runArguments = ({ name, store, env = {} }, { path, method, headers = {}, body }) => [
    "run",
    "--store",
    store,
    name,
    `http://localhost${encodeURI(decodeURI(path))}`,
    ...Object.entries(env).flatMap(variable),
    ...(method ? ["-X", method] : []),
    ...(body === undefined ? [] : ["-d", body]),
    // As every request over HTTP has it.
    ...Object.entries({ host: "localhost", ...headers }).flatMap(([key, value]) => [
        "-H",
        `${key}: ${value}`,
    ]),
];

export function askSnapcell(built, request) {
    const { stdout, stderr, status } = spawnSync(
        built.snapcell,
        [...runArguments(built, request), "-i"],
        {
            maxBuffer: 1 << 28,
        }
    );
    if (status !== 0) return { status: `exit status ${status}`, headers: [], text: String(stderr) };
    const text = stdout.toString("latin1");
    const end = /\r?\n\r?\n/.exec(text);
    const [first, ...lines] = text.slice(0, end.index).split(/\r?\n/);
    const pairs = lines.map(line => /^([^:]+): ?(.*)$/.exec(line).slice(1));
    return {
        status: Number(first.split(" ")[1]),
        headers: listed(pairs),
        text: text.slice(end.index + end[0].length),
    };
}

const shown = text =>
    text.length > 300 ? `${text.slice(0, 300)}... (${text.length} bytes)` : text;

// The text from where two differ.
function fromDifference(text, other) {
    let at = 0;
    while (at < text.length && text[at] === other[at]) at++;
    return at > 60 ? `...${text.slice(at - 30)}` : text;
}

export function differences(expected, got, same) {
    const told = [];
    const tell = (what, theirs, ours) =>
        told.push(
            `${what}: expected ${JSON.stringify(theirs)}`,
            `${what}: got      ${JSON.stringify(ours)}`
        );
    if (expected.status !== got.status) tell("status", expected.status, got.status);
    const isAsset = expected.headers.some(line => /^(cf-cache-status|x-server-env):/.test(line));
    const counts = line => !isAsset || !ofAssets.test(line);
    const [theirs, ours] = [expected, got].map(({ headers }) => headers.filter(counts).map(same));
    const missing = theirs.filter(line => !ours.includes(line));
    const more = ours.filter(line => !theirs.includes(line));
    if (missing.length + more.length > 0) tell("headers", missing, more);
    const [text, other] = [same(expected.text), same(got.text)];
    if (text !== other)
        tell("body", shown(fromDifference(text, other)), shown(fromDifference(other, text)));
    return told;
}
