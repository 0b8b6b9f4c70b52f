// Finds the native program and runs it.
import { spawn } from "node:child_process";
import {
    accessSync,
    closeSync,
    constants,
    openSync,
    readSync,
    realpathSync,
    statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { constants as system } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure, fileFailure, statuses } from "./failure.js";

const packaged = fileURLToPath(new URL("../build/native/snapcell", import.meta.url));

// The program's own package, where it is installed next to this one. It has nothing to run at install.
function platformPackage() {
    const name = `snapcell-${process.platform}-${process.arch}`;
    try {
        const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
        return [join(dirname(file), "bin/snapcell")];
    } catch {
        return [];
    }
}

const howToGet =
    "install snapcell's package of the program, or build it with scripts/build in snapcell's sources, " +
    "then put build/ on the PATH, " +
    "set $SNAPCELL to build/snapcell, or use --native FILE";

/**
 * The program: `option`, else $SNAPCELL, else the packaged one, in this package or in its own, else the one on PATH.
 * @param {{ option?: string, cwd?: string, env?: NodeJS.ProcessEnv }} [where]
 */
export function findNative({ option, cwd = ".", env = process.env } = {}) {
    if (option) return named(resolve(cwd, option), "--native");
    if (env.SNAPCELL) return named(resolve(cwd, env.SNAPCELL), "$SNAPCELL");
    const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
    const onPath = folders.map(folder => join(folder, "snapcell"));
    const found = [packaged, ...platformPackage(), ...onPath].find(isNative);
    if (found) return realpathSync(found);
    throw fileFailure(`the native program snapcell was not found: ${howToGet}`);
}

function named(file, where) {
    if (isNative(file)) return file;
    throw fileFailure(`${where} names ${file}, which is not the native program: ${howToGet}`);
}

// npm puts a script of this package on the PATH under the same name: only a binary counts.
function isNative(file) {
    try {
        if (!statSync(file).isFile()) return false;
        accessSync(file, constants.X_OK);
        return startOf(file) === "\x7fELF";
    } catch {
        return false;
    }
}

function startOf(file) {
    const start = Buffer.alloc(4);
    const descriptor = openSync(file, "r");
    try {
        readSync(descriptor, start, 0, 4, 0);
    } finally {
        closeSync(descriptor);
    }
    return start.toString("latin1");
}

/**
 * Runs a command and waits for it.
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ input?: string, cwd?: string, env?: NodeJS.ProcessEnv, signal?: AbortSignal }} [options]
 * @returns {Promise<{ status: number, stdout: string, stderr: string }>}
 */
export function runNative(program, parameters, { input, ...options } = {}) {
    const { child, ended } = startNative(program, parameters, options);
    child.stdin.end(input);
    return ended;
}

/**
 * Starts a command, which has its input still to come.
 * @param {string} program
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, signal?: AbortSignal }} [options]
 */
export function startNative(program, parameters, { cwd, env, signal } = {}) {
    const child = spawn(program, parameters, { cwd, env, signal });
    child.stdin.on("error", () => {}); // it may end without reading
    const ended = new Promise((done, failed) => {
        const output = { stdout: "", stderr: "" };
        for (const name of ["stdout", "stderr"])
            child[name].setEncoding("utf8").on("data", text => (output[name] += text));
        child.on("error", error => failed(cannotStart(program, error)));
        child.on("close", (code, by) =>
            done({ status: code ?? 128 + system.signals[by], ...output })
        );
    });
    return { child, ended };
}

export const cannotStart = (program, error) =>
    fileFailure(`${program} could not be started: ${error.message}`);

/** The objects of a command's `--json` lines. @param {string} text */
export function jsonLines(text) {
    return text
        .split("\n")
        .filter(Boolean)
        .map(line => JSON.parse(line));
}

/** The last words of a command that failed, without the program's name. */
export function lastWords({ status, stderr }) {
    const line = stderr.trim().split("\n").at(-1) || `it ended with status ${status}`;
    return new Failure(line.replace(/^snapcell: /, ""), {
        status: Object.values(statuses).includes(status) ? status : statuses.failed,
        code: "E_NATIVE",
    });
}

/**
 * Hands a command over: its input and output are this process's, and so are signals and status.
 * @param {string} program
 * @param {string[]} parameters
 * @returns {Promise<number>}
 */
export function handOver(program, parameters) {
    return new Promise((done, failed) => {
        const child = spawn(program, parameters, { stdio: "inherit" });
        // A terminal sends SIGINT to both; the child decides when it is over.
        const forward = signal => child.kill(signal);
        const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
        for (const signal of signals) process.on(signal, forward);
        child.on("error", error => failed(cannotStart(program, error)));
        child.on("close", (code, by) => {
            for (const signal of signals) process.off(signal, forward);
            done(code ?? 128 + system.signals[by]);
        });
    });
}
