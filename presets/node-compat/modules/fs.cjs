"use strict";
// node:fs of a function: there are no files, and none can be made.
const { Readable } = require("./stream.cjs");
const { checkFunction, missingAll } = require("./errors.cjs");
const { errno } = require("./os_constants.cjs");

const texts = { ENOENT: "no such file or directory", EROFS: "read-only file system" };

function failureOf(code, call, path) {
    const shown = path instanceof URL ? path.pathname : `${path}`;
    const error = new Error(`${code}: ${texts[code]}, ${call} '${shown}'`);
    return Object.assign(error, { errno: -errno[code], code, syscall: call, path: shown });
}

// Node's functions, with the system call that fails.
const reading = {
    access: "access",
    lstat: "lstat",
    open: "open",
    opendir: "opendir",
    readFile: "open",
    readdir: "scandir",
    readlink: "readlink",
    realpath: "realpath",
    stat: "stat",
    copyFile: "copyfile",
    cp: "lstat",
};
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

const fs = {};
const promises = {};
function add(name, code, call) {
    fs[`${name}Sync`] = path => {
        throw failureOf(code, call, path);
    };
    fs[name] = (path, ...rest) => {
        const done = rest.at(-1);
        checkFunction(done, "cb");
        setTimeout(() => done(failureOf(code, call, path)), 0);
    };
    promises[name] = async path => {
        throw failureOf(code, call, path);
    };
}
for (const [name, call] of Object.entries(reading)) add(name, "ENOENT", call);
for (const [name, call] of Object.entries(writing)) add(name, "EROFS", call);

const { statSync, lstatSync } = fs;
const unlessQuiet = stat => (path, options) =>
    options?.throwIfNoEntry === false ? undefined : stat(path);
fs.statSync = unlessQuiet(statSync);
fs.lstatSync = unlessQuiet(lstatSync);
fs.realpathSync.native = fs.realpathSync;

fs.createReadStream = path => {
    const stream = new Readable({ read() {} });
    setTimeout(() => stream.destroy(failureOf("ENOENT", "open", path)), 0);
    return stream;
};
fs.createWriteStream = path => {
    throw failureOf("EROFS", "open", path);
};
fs.exists = (path, done) => void setTimeout(() => done(false), 0);
fs.existsSync = () => false;
fs.constants = require("./fs_constants.cjs");
// What takes an open file, or waits for one to change.
const ofFiles = [
    "chown",
    "close",
    "fchmod",
    "fchown",
    "fdatasync",
    "fstat",
    "fsync",
    "ftruncate",
    "futimes",
];
ofFiles.push(
    "glob",
    "lchown",
    "link",
    "lutimes",
    "mkdtempDisposable",
    "read",
    "readv",
    "statfs",
    "write",
    "writev"
);
const others = [
    "Dir",
    "Dirent",
    "FileReadStream",
    "FileWriteStream",
    "ReadStream",
    "Stats",
    "Utf8Stream",
    "WriteStream",
];
others.push("openAsBlob", "unwatchFile", "watch", "watchFile");
Object.assign(fs, missingAll("fs", [...ofFiles, ...ofFiles.map(name => `${name}Sync`), ...others]));
const ofPaths = [
    "chown",
    "glob",
    "lchmod",
    "lchown",
    "link",
    "lutimes",
    "mkdtempDisposable",
    "statfs",
    "watch",
];
Object.assign(promises, missingAll("fs/promises", ofPaths));
delete fs.mkdtempDisposable;

promises.constants = fs.constants;
fs.promises = promises;

module.exports = fs;
