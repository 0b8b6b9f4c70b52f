// Files that a build puts into a bundle: those that node:fs reads and those that the binding ASSETS serves.
// Each is a function of its own, which V8 compiles when it is first called, so that a file that nobody
// asks for is in the bundle's text alone.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { lookup } from "mrmime";

// What a bundle's text can hold as it is: characters of one byte each.
const isPlain = bytes =>
    bytes.every(byte => byte < 0x7f && (byte >= 0x20 || byte === 9 || byte === 10));

function content(bytes) {
    if (isPlain(bytes)) return [0, JSON.stringify(bytes.toString("latin1"))];
    return [1, JSON.stringify(bytes.toString("base64"))];
}

// [path, file], sorted, whatever the file system's order is.
function filesOf(folder) {
    if (!statSync(folder).isDirectory()) return [["", folder]];
    return readdirSync(folder, { recursive: true })
        .map(name => [`/${name.replaceAll("\\", "/")}`, join(folder, name)])
        .filter(([, file]) => statSync(file).isFile())
        .sort(([a], [b]) => (a < b ? -1 : 1));
}

const entry = (path, parts) => `${JSON.stringify(path)}: [${parts.join(", ")}]`;
const table = entries => `module.exports = { __proto__: null,\n${entries.join(",\n")}\n};\n`;

function typeOf(path) {
    const type = lookup(path) ?? "application/octet-stream";
    return /^text\/|\/(json|xml)$/.test(type) && !type.includes(";")
        ? `${type}; charset=utf-8`
        : type;
}

// What tools leave in such a folder for a platform, and nobody may ask for.
const isConfiguration = path =>
    /^\/(_headers|_redirects|_routes\.json|_worker\.js(\/.*)?|\.assetsignore)$/.test(path);

// { path: [kind, size, content, type, tag] }
export function assetsModule(folder) {
    const entries = filesOf(resolve(folder))
        .filter(([path]) => !isConfiguration(path))
        .map(([path, file]) => {
            const bytes = readFileSync(file);
            const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
            const [kind, text] = content(bytes);
            return entry(path, [
                kind,
                bytes.length,
                `() => ${text}`,
                JSON.stringify(typeOf(path)),
                `"${tag}"`,
            ]);
        });
    return table(entries);
}

export function checkPlaces(places) {
    for (const [place, source] of Object.entries(places))
        if (!place.startsWith("/"))
            throw new Error(
                `"${place}", the place of ${source} in the function, must start with a slash`
            );
}

// `places`: { "/path/in/the/function": "file or folder" }; gives { path: [kind, size, content] }
export function filesModule(places) {
    const entries = [];
    for (const [place, source] of Object.entries(places)) {
        for (const [path, file] of filesOf(resolve(source))) {
            const bytes = readFileSync(file);
            const [kind, text] = content(bytes);
            entries.push(
                entry(place.replace(/\/$/, "") + path, [kind, bytes.length, `() => ${text}`])
            );
        }
    }
    return table(entries);
}

// --- _headers and _redirects of such a folder ---

const lines = text =>
    text.split(/\r?\n/).filter(line => line.trim() !== "" && !line.trim().startsWith("#"));
const escaped = text => text.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");

// Patterns of paths as regular expressions: those that count, and those that do not, with a `!`.
export function expressionsOf(patterns) {
    const expression = text => `^${escaped(text).replaceAll("*", ".*")}$`;
    const except = patterns.filter(text => text.startsWith("!"));
    return [
        patterns.filter(text => !except.includes(text)).map(expression),
        except.map(text => expression(text.slice(1))),
    ];
}

// A pattern of paths, with `*` and `:name`, as a regular expression that has groups of these names.
function expressionOf(pattern) {
    const path = pattern.replace(/^https:\/\/[^/]*/, "");
    const text = escaped(path)
        .replace("*", "(?<splat>.*)")
        .replace(/:([A-Za-z]\w*)/g, "(?<$1>[^/]+)");
    return `^${text}$`;
}

// [[expression, names to remove, [name, value] to set]]
function headerRules(text) {
    const rules = [];
    for (const line of lines(text)) {
        const rule = rules.at(-1);
        const [, removed] = /^\s+!\s*(\S+)/.exec(line) ?? [];
        const [, name, value] = /^\s+([^:\s]+):\s*(.*?)\s*$/.exec(line) ?? [];
        if (/^\S/.test(line)) rules.push([expressionOf(line.trim()), [], []]);
        else if (!rule || !(removed || name))
            throw new Error(`_headers: "${line.trim()}" is not a header`);
        else if (removed) rule[1].push(removed);
        else rule[2].push([name, value]);
    }
    return rules;
}

// [[expression, where to, status]]
function redirectRules(text) {
    return lines(text).map(line => {
        const [from, to, status = "302", ...more] = line.trim().split(/\s+/);
        if (!to || more.some(word => !word.startsWith("#")) || !/^(200|30[12378])$/.test(status))
            throw new Error(
                `_redirects: "${line.trim()}" is not a path, where it leads and a status`
            );
        return [expressionOf(from), to, Number(status)];
    });
}

export function rulesOf(folder) {
    const read = name => {
        const file = join(resolve(folder), name);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    };
    return { headers: headerRules(read("_headers")), redirects: redirectRules(read("_redirects")) };
}
