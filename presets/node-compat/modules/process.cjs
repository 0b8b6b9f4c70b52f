"use strict";
// node:process, of a program that has no system around it. Its environment is the function's: the
// texts of `env`, while a call runs.
const EventEmitter = require("./events.cjs");
const { define, known, register } = require("./global_object.cjs");
const { checkFunction, checkString, failure, invalidType, missingAll } = require("./errors.cjs");

const process = Object.create(
    Object.create(EventEmitter.prototype, { constructor: { value: function process() {} } })
);
EventEmitter.call(process);

const support = require("./support.mjs").default;
const nodeEnv = require("./node_env.cjs");

// --- The environment: what was set here, over what the call was given ---

const own = { __proto__: null };
const deleted = new Set();

const given = () => support.environment() ?? {};

const isText = value => typeof value === "string";

function variable(name) {
    if (name in own) return own[name];
    if (!isText(name) || deleted.has(name)) return undefined;
    const env = given();
    if (Object.hasOwn(env, name) && isText(env[name])) return env[name];
    return name === "NODE_ENV" ? nodeEnv() : undefined;
}

function setVariable(name, value) {
    if (typeof name === "symbol" || typeof value === "symbol")
        throw new TypeError("Cannot convert a Symbol value to a string");
    own[name] = `${value}`;
    deleted.delete(name);
    return true;
}

const env = new Proxy(
    {},
    {
        get: (target, name) => variable(name) ?? target[name],
        has: (target, name) => variable(name) !== undefined || name in target,
        set: (target, name, value) => setVariable(name, value),
        defineProperty: (target, name, { value }) => setVariable(name, value),
        deleteProperty(target, name) {
            delete own[name];
            deleted.add(name);
            return true;
        },
        ownKeys() {
            const names = Object.keys(given()).filter(name => variable(name) !== undefined);
            if (variable("NODE_ENV") !== undefined) names.push("NODE_ENV");
            return [...new Set([...names, ...Object.keys(own)])];
        },
        getOwnPropertyDescriptor(target, name) {
            const value = variable(name);
            if (value === undefined) return undefined;
            return { value, writable: true, enumerable: true, configurable: true };
        },
    }
);

// --- Time ---

const nanoseconds = () => BigInt(Math.round(performance.now() * 1e6));

function hrtime(since) {
    if (since !== undefined && !Array.isArray(since)) throw invalidType("time", "Array", since);
    const [seconds, rest] = since ?? [0, 0];
    const now = nanoseconds() - BigInt(seconds) * 1000000000n - BigInt(rest);
    return [Number(now / 1000000000n), Number(now % 1000000000n)];
}
hrtime.bigint = nanoseconds;

// --- Tasks ---

// Node's queue of ticks comes before its microtasks: all ticks of a turn run in one.
let ticks = [];

function runTicks() {
    for (let i = 0; i < ticks.length; i++) {
        const tick = ticks[i];
        ticks[i] = undefined;
        try {
            tick();
        } catch (error) {
            ticks = ticks.slice(i + 1);
            if (ticks.length > 0) queueMicrotask(runTicks);
            throw error;
        }
    }
    ticks = [];
}

function nextTick(callback, ...values) {
    checkFunction(callback, "callback");
    const bound = support.inFrame(() => Reflect.apply(callback, undefined, values));
    if (ticks.push(bound) === 1) queueMicrotask(runTicks);
}

// --- Output: lines to the console ---

function output(log) {
    let rest = "";
    return {
        isTTY: false,
        writable: true,
        fd: log === "log" ? 1 : 2,
        write(chunk, encoding, done) {
            const lines = (rest + (isText(chunk) ? chunk : new TextDecoder().decode(chunk))).split(
                "\n"
            );
            rest = lines.pop();
            for (const line of lines) console[log](line);
            const callback = typeof encoding === "function" ? encoding : done;
            if (callback) queueMicrotask(callback);
            return true;
        },
        end(...args) {
            if (args.length > 0) this.write(...args);
        },
        on() {
            return this;
        },
        once() {
            return this;
        },
    };
}

function emitWarning(warning, options, code) {
    const isError = warning instanceof Error;
    if (!isError && !isText(warning)) throw invalidType("warning", ["string", "Error"], warning);
    const details =
        typeof options === "object" && options !== null ? options : { type: options, code };
    const error = isError
        ? warning
        : Object.assign(new Error(warning), details.code && { code: details.code });
    if (!isError) error.name = details.type ?? "Warning";
    nextTick(() => {
        if (!process.emit("warning", error)) console.warn(`${error.name}: ${error.message}`);
    });
}

const system = ["_kill", "abort", "chdir", "cpuUsage", "dlopen", "execve", "initgroups", "kill"];
system.push("loadEnvFile", "reallyExit", "resourceUsage", "setegid", "seteuid", "setgid");
system.push("setgroups", "setuid", "threadCpuUsage", "binding");
system.push("getActiveResourcesInfo", "getgroups", "openStdin", "setSourceMapsEnabled");
system.push("setUncaughtExceptionCaptureCallback");

Object.assign(process, missingAll("process", system), {
    arch: "x64",
    allowedNodeEnvironmentFlags: new Set(),
    umask: () => 0o22,
    debugPort: 9229,
    mainModule: undefined,
    noProcessWarnings: false,
    sourceMapsEnabled: false,
    argv: ["/usr/bin/node", "/function"],
    argv0: "node",
    availableMemory: () => 0,
    constrainedMemory: () => 0,
    config: { target_defaults: {}, variables: {} },
    cwd: () => "/",
    emitWarning,
    env,
    execArgv: [],
    execPath: "/usr/bin/node",
    exit(code) {
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            `process.exit(${code ?? ""}) was called: a function has no process to end`
        );
    },
    exitCode: undefined,
    features: {
        inspector: false,
        ipv6: true,
        tls: false,
        require_module: false,
        typescript: false,
    },
    getBuiltinModule(name) {
        checkString(name, "id");
        const plain = name.replace(/^node:/, "");
        if (plain === "async_hooks") return require("./async_hooks.mjs").default;
        return plain === "buffer" ? require("./buffer.cjs") : known(plain);
    },
    getegid: () => 0,
    geteuid: () => 0,
    getgid: () => 0,
    getuid: () => 0,
    hasUncaughtExceptionCaptureCallback: () => false,
    hrtime,
    memoryUsage: Object.assign(
        () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
        {
            rss: () => 0,
        }
    ),
    nextTick,
    pid: 1,
    platform: "linux",
    ppid: 0,
    ref() {},
    release: { name: "node" },
    stderr: output("error"),
    stdin: {
        isTTY: false,
        fd: 0,
        on() {
            return this;
        },
        once() {
            return this;
        },
    },
    stdout: output("log"),
    title: "node",
    unref() {},
    uptime: () => performance.now() / 1000,
    // What packages look at to choose their code, and not what this is.
    version: "v24.9.0",
    versions: { node: "24.9.0", v8: "13.6.233.17" },
});
Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });

module.exports = process;
define("process", process);
define("global", globalThis);
register("process", process);
