"use strict";
// node:fs of a function: it reads the files that the build embedded, and can make none.
const { Readable } = require("./stream.cjs");
const { checkFunction, missingAll } = require("./errors.cjs");
const { Dirent, Stats, content, entriesOf, find, statsOf, textOf } = require("./fs_files.cjs");
const { errno } = require("./os_constants.cjs");

const texts = {
    EACCES: "permission denied",
    EBADF: "bad file descriptor",
    EINVAL: "invalid argument",
    EISDIR: "illegal operation on a directory",
    ENOENT: "no such file or directory",
    ENOTDIR: "not a directory",
    EROFS: "read-only file system",
};

function failureOf(code, call, path, dest) {
    const places = [path, dest].filter(place => place !== undefined).map(textOf);
    const shown = places.map(place => `'${place}'`).join(" -> ");
    const error = new Error(`${code}: ${texts[code]}, ${call}${shown && ` ${shown}`}`);
    Object.assign(error, { errno: -errno[code], code, syscall: call });
    if (places.length > 0) error.path = places[0];
    if (places.length > 1) error.dest = places[1];
    return error;
}

function at(path, call, dest) {
    const found = find(path);
    if (found) return found;
    throw failureOf("ENOENT", call, path, dest);
}

// --- What reads ---

const open = new Map(); // numbers of open files -> { path, found, offset }
let nextNumber = 20;

function openFile(path, flags = "r") {
    if (/[wa+]/.test(`${flags}`) || (typeof flags === "number" && (flags & 3) !== 0))
        throw failureOf("EROFS", "open", path);
    open.set(nextNumber, { path, found: at(path, "open"), offset: 0 });
    return nextNumber++;
}

function opened(number, call) {
    if (open.has(number)) return open.get(number);
    throw failureOf("EBADF", call);
}

function readFile(path, options) {
    const found = typeof path === "number" ? opened(path, "read").found : at(path, "open");
    if (found.names) throw failureOf("EISDIR", "read");
    return content(found.file, options);
}

function read(number, buffer, ...rest) {
    const options = typeof rest[0] === "object" ? (rest[0] ?? {}) : undefined;
    const [offset = 0, length = buffer.byteLength - offset, position = null] = options
        ? [options.offset, options.length, options.position]
        : rest;
    const file = opened(number, "read");
    const from = position === null || position < 0 ? file.offset : Number(position);
    const part = content(file.found.file).subarray(from, from + length);
    buffer.set(part, offset);
    if (position === null || position < 0) file.offset += part.length;
    return part.length;
}

function readdir(path, options) {
    const found = at(path, "scandir");
    if (found.names) return entriesOf(found, options);
    throw failureOf("ENOTDIR", "scandir", path);
}

function access(path, mode = 0) {
    at(path, "access");
    if ((mode & 2) !== 0) throw failureOf("EROFS", "access", path);
}

const quiet = options => options?.throwIfNoEntry === false;
const stat = call => (path, options) =>
    quiet(options) && !find(path) ? undefined : statsOf(at(path, call));

function readlink(path) {
    at(path, "readlink");
    throw failureOf("EINVAL", "readlink", path);
}

// Node's functions.
const reading = {
    access,
    close: number => {
        opened(number, "close");
        open.delete(number);
    },
    fstat: number => statsOf(opened(number, "fstat").found),
    lstat: stat("lstat"),
    open: openFile,
    read,
    readFile,
    readdir,
    readlink,
    realpath: path => at(path, "lstat").at,
    stat: stat("stat"),
};
// With the system call that fails.
const writing = {
    appendFile: "open",
    chmod: "chmod",
    mkdir: "mkdir",
    mkdtemp: "mkdtemp",
    rename: "rename",
    rm: "rm",
    rmdir: "rmdir",
    symlink: "symlink",
    truncate: "open",
    unlink: "unlink",
    utimes: "utime",
    writeFile: "open",
};
for (const [name, call] of Object.entries(writing))
    reading[name] = path => {
        throw failureOf("EROFS", call, path);
    };

for (const [name, call] of Object.entries({ copyFile: "copyfile", cp: "lstat" }))
    reading[name] = (path, target) => {
        at(path, call, target);
        throw failureOf("EROFS", call, path, target);
    };

const fs = {};
const promises = {};
for (const [name, act] of Object.entries(reading)) {
    fs[`${name}Sync`] = { [`${name}Sync`]: (...args) => act(...args) }[`${name}Sync`];
    fs[name] = (...args) => {
        const done = args.length > 1 || typeof args[0] === "function" ? args.pop() : undefined;
        checkFunction(done, "cb");
        let outcome;
        try {
            outcome = [null, act(...args)];
        } catch (error) {
            if (!error.syscall) throw error;
            outcome = [error];
        }
        if (name === "read" && !outcome[0]) outcome.push(args[1]);
        setTimeout(() => done(...outcome), 0);
    };
}
for (const name of ["close", "fstat", "read"]) delete reading[name];
for (const [name, act] of Object.entries(reading)) promises[name] = async (...args) => act(...args);

fs.realpathSync.native = fs.realpathSync;
fs.realpath.native = fs.realpath;

// An open file of node:fs/promises.
class FileHandle {
    constructor(number) {
        this.fd = number;
    }
    async readFile(options) {
        return readFile(this.fd, options);
    }
    async stat() {
        return statsOf(opened(this.fd, "fstat").found);
    }
    async read(buffer, ...rest) {
        return { bytesRead: read(this.fd, buffer, ...rest), buffer };
    }
    async close() {
        open.delete(this.fd);
    }
    async [Symbol.asyncDispose]() {
        open.delete(this.fd);
    }
}
promises.open = async (...args) => new FileHandle(openFile(...args));

class ReadStream extends Readable {
    constructor(path, options) {
        const {
            start = 0,
            end = Infinity,
            encoding,
            highWaterMark = 65536,
        } = typeof options === "string" ? { encoding: options } : (options ?? {});
        super({ encoding, highWaterMark });
        this.path = path;
        this.bytesRead = 0;
        this.range = [start, end === Infinity ? undefined : end + 1];
    }
    _construct(done) {
        fs.readFile(this.path, (error, bytes) => {
            this.rest = bytes?.subarray(...this.range);
            done(error);
            if (!error) this.emit("open", -1);
        });
    }
    _read(size) {
        const chunk = this.rest.subarray(0, size);
        this.rest = this.rest.subarray(chunk.length);
        this.bytesRead += chunk.length;
        this.push(chunk.length > 0 ? chunk : null);
    }
}
fs.createReadStream = (path, options) => new ReadStream(path, options);
fs.ReadStream = fs.FileReadStream = ReadStream;
fs.createWriteStream = path => {
    throw failureOf("EROFS", "open", path);
};
fs.exists = (path, done) => void setTimeout(() => done(fs.existsSync(path)), 0);
fs.existsSync = path => {
    try {
        return find(path) !== undefined;
    } catch {
        return false;
    }
};
Object.assign(fs, { Dirent, Stats });
fs.constants = require("./fs_constants.cjs");
// What takes an open file, or waits for one to change.
const ofFiles = ["chown", "fchmod", "fchown", "fdatasync", "fsync", "ftruncate", "futimes"];
ofFiles.push(
    "glob",
    "lchown",
    "link",
    "lutimes",
    "mkdtempDisposable",
    "readv",
    "statfs",
    "write",
    "writev"
);
const others = ["Dir", "FileWriteStream", "Utf8Stream", "WriteStream"];
others.push("opendir", "opendirSync", "openAsBlob", "unwatchFile", "watch", "watchFile");
Object.assign(fs, missingAll("fs", [...ofFiles, ...ofFiles.map(name => `${name}Sync`), ...others]));
const ofPaths = [
    "chown",
    "glob",
    "lchmod",
    "lchown",
    "link",
    "lutimes",
    "mkdtempDisposable",
    "opendir",
    "statfs",
    "watch",
];
Object.assign(promises, missingAll("fs/promises", ofPaths));
delete fs.mkdtempDisposable;

promises.constants = fs.constants;
fs.promises = promises;

module.exports = fs;
