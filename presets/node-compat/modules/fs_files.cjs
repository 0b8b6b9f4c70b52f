"use strict";
// What node:fs reads: the files that the build embedded, and the folders that they are in.
const path = require("./path.cjs");
const { Buffer } = require("./buffer.cjs");
const { bytesOf } = require("./embedded.cjs");
const { failure, invalidType } = require("./errors.cjs");
const files = require("./files.cjs");

// The system's numbers for what an entry is.
const isFile = 0o100444;
const isFolder = 0o40555;

// Node's class; those of a bundle's files are as old as the epoch.
class Stats {
    constructor(mode, size, number) {
        Object.assign(this, { dev: 1, mode, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096 });
        Object.assign(this, { ino: number, size, blocks: Math.ceil(size / 512) });
        for (const name of ["atime", "mtime", "ctime", "birthtime"]) {
            this[`${name}Ms`] = 0;
            this[name] = new Date(0);
        }
    }
    isFile() {
        return this.mode === isFile;
    }
    isDirectory() {
        return this.mode === isFolder;
    }
}

class Dirent {
    constructor(name, parentPath, mode) {
        this.name = name;
        this.parentPath = parentPath;
        Object.defineProperty(this, "mode", { value: mode });
    }
    isFile() {
        return this.mode === isFile;
    }
    isDirectory() {
        return this.mode === isFolder;
    }
}
for (const kind of ["BlockDevice", "CharacterDevice", "FIFO", "Socket", "SymbolicLink"])
    for (const Class of [Stats, Dirent])
        Object.defineProperty(Class.prototype, `is${kind}`, {
            value: () => false,
            writable: true,
            configurable: true,
        });

let folders = undefined; // path -> its entries' names

function allFolders() {
    if (folders) return folders;
    folders = new Map([["/", new Set()]]);
    for (const file of Object.keys(files))
        for (let at = file; at !== "/";) {
            const parent = path.dirname(at);
            if (!folders.has(parent)) folders.set(parent, new Set());
            folders.get(parent).add(path.basename(at));
            at = parent;
        }
    return folders;
}

function textOf(name) {
    if (typeof name === "string") return name;
    if (name instanceof URL) {
        if (name.protocol === "file:") return decodeURIComponent(name.pathname);
        throw failure(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
    }
    if (name instanceof Uint8Array) return Buffer.from(name).toString();
    throw invalidType("path", ["string", "Buffer", "URL"], name);
}

// What stands at a path: { at, file } or { at, names }, or undefined.
function find(name) {
    const text = path.resolve(textOf(name));
    const at = text.length > 1 ? text.replace(/\/$/, "") : text;
    if (files[at]) return { at, file: files[at] };
    const names = allFolders().get(at);
    return names && { at, names: [...names].sort() };
}

const encodingOf = options => (typeof options === "string" ? options : options?.encoding);

function content(file, options) {
    const bytes = bytesOf(file);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const encoding = encodingOf(options);
    return encoding && encoding !== "buffer" ? buffer.toString(encoding) : buffer;
}

const modeOf = found => (found.file ? isFile : isFolder);
const statsOf = found =>
    new Stats(
        modeOf(found),
        found.file ? found.file[1] : 4096,
        Object.keys(files).indexOf(found.at) + 2
    );

function entriesOf(found, options) {
    const entries = [];
    const add = (folder, prefix) => {
        for (const name of folder.names) {
            const child = find(path.join(folder.at, name));
            entries.push(
                options?.withFileTypes ? new Dirent(name, folder.at, modeOf(child)) : prefix + name
            );
            if (options?.recursive && child.names) add(child, `${prefix}${name}/`);
        }
    };
    add(found, "");
    return entries;
}

module.exports = { Dirent, Stats, content, entriesOf, find, statsOf, textOf };
