// What a build was made from, so that the next one can tell that nothing changed: by content, not by time.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { makeFolder } from "./folders.js";

const version = 1;

/** The folder of bundles and of what is known about them. */
export const workFolder = root => join(root, ".snapcell");

const digest = data => createHash("sha256").update(data).digest("hex");

// What was hashed in this process. A file that was written just now may be written again in the same tick of the
// clock, so that only older ones are kept.
const hashes = new Map();
const settledMs = 2000;

function hashOf(file) {
    const facts = statSync(file, { throwIfNoEntry: false });
    if (!facts?.isFile()) return "missing";
    const { ino, size, mtimeMs, ctimeMs } = facts;
    const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    const known = hashes.get(file);
    if (known?.stamp === stamp) return known.hash;
    const hash = digestOfFile(file);
    if (Date.now() - Math.max(mtimeMs, ctimeMs) > settledMs) hashes.set(file, { stamp, hash });
    return hash;
}

function digestOfFile(file) {
    try {
        return digest(readFileSync(file));
    } catch {
        return "missing";
    }
}

// A new file may be found in place of another one, so folders count, too: the names in them.
function listingOf(folder) {
    try {
        return digest(
            JSON.stringify(
                readdirSync(folder)
                    .filter(name => !name.startsWith("."))
                    .sort()
            )
        );
    } catch {
        return "missing";
    }
}

const locks = ["package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "tsconfig.json"];

const tickMs = 10; // of the clock that files' times come from

// What was written while a bundle was made of it is not known to be what is in the bundle.
function hashSince(file, startedMs) {
    const facts = statSync(file, { throwIfNoEntry: false });
    const writtenMs = facts?.isFile() ? Math.max(facts.mtimeMs, facts.ctimeMs) : 0;
    return writtenMs > startedMs - tickMs ? "written meanwhile" : hashOf(file);
}

/**
 * @param {string} root
 * @param {string[]} files absolute paths of all that the bundle and its settings come from
 * @param {number} startedMs when they were begun to be read, by Date.now()
 */
export function factsOf(root, files, startedMs) {
    const all = [...new Set([...files, ...locks.map(name => join(root, name))])];
    const own = all.filter(file => !file.includes("/node_modules/"));
    const folders = [...new Set(own.map(file => dirname(file)))].filter(folder =>
        existsSync(folder)
    );
    const table = (paths, of) =>
        Object.fromEntries(paths.sort().map(path => [relative(root, path), of(path)]));
    return {
        files: table(all, file => hashSince(file, startedMs)),
        folders: table(folders, listingOf),
    };
}

/** The settings that decide a build, as one digest. @param {object} settings */
export const settingsDigest = settings =>
    digest(
        JSON.stringify(settings, (key, value) =>
            typeof value === "function"
                ? String(value)
                : value instanceof RegExp
                  ? String(value)
                  : value
        )
    );

/** What stands for the native program: it is large, and not read for this. @param {string} file */
export function programFacts(file) {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
}

const stateFile = (root, name) => join(workFolder(root), `${name}.json`);

/** @param {string} root @param {string} name */
export function readState(root, name) {
    try {
        const state = JSON.parse(readFileSync(stateFile(root, name), "utf8"));
        return state.version === version ? state : undefined;
    } catch {
        return undefined;
    }
}

/** @param {string} root @param {string} name @param {object} state */
export function writeState(root, name, state) {
    makeWorkFolder(root);
    writeFileSync(stateFile(root, name), `${JSON.stringify({ version, ...state })}\n`);
}

/** The work folder, which git is told to ignore. @param {string} root */
export function makeWorkFolder(root) {
    const folder = workFolder(root);
    makeFolder(folder);
    if (!existsSync(join(folder, ".gitignore"))) writeFileSync(join(folder, ".gitignore"), "*\n");
    return folder;
}

/**
 * Is everything as it was when `state` was written?
 * @param {any} state
 * @param {string} root
 * @param {string} settings
 */
export function isUnchanged(state, root, settings) {
    if (!state || state.settings !== settings) return false;
    const same = (table, of) =>
        Object.entries(table).every(([path, hash]) => of(resolve(root, path)) === hash);
    return same(state.facts.folders, listingOf) && same(state.facts.files, hashOf);
}
