// Files that a build puts into a bundle: those that node:fs reads and those that the binding ASSETS serves.
// Each is a function of its own, which V8 compiles when it is first called, so that a file that nobody
// asks for is in the bundle's text alone.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
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
