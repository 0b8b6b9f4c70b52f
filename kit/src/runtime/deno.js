// What functions written for Deno use of it: serve(), and the environment.
import { variables } from "./variables.js";

const address = { transport: "tcp", hostname: "0.0.0.0", port: 8000 };

function handlerOf(first, second) {
    const handler = [first, second, first?.handler].find(one => typeof one === "function");
    if (!handler) throw new TypeError("Deno.serve() takes a handler, a function");
    return { handler, options: typeof first === "function" ? (second ?? {}) : first };
}

async function answer(request, handler, { onError }) {
    const info = {
        remoteAddr: { ...address, hostname: "127.0.0.1" },
        completed: Promise.resolve(),
    };
    try {
        return await handler(request, info);
    } catch (error) {
        if (typeof onError !== "function") throw error;
        return onError(error);
    }
}

function serve(first, second) {
    const { handler, options } = handlerOf(first, second);
    addEventListener("fetch", event =>
        event.respondWith(answer(event.request, handler, options ?? {}))
    );
    options?.onListen?.(address);
    return {
        addr: address,
        finished: Promise.resolve(), // a top level that waits for it is done, too
        ref() {},
        unref() {},
        shutdown: async () => {},
    };
}

const missing = name =>
    function () {
        throw new TypeError(
            `Deno.${name}() is not there: functions have no files and no processes`
        );
    };

const files = ["mkdir", "open", "readDir", "readFile", "readTextFile", "remove", "stat"];
files.push("writeFile", "writeTextFile");
const absent = [...files, ...files.map(name => `${name}Sync`)];
absent.push("Command", "connect", "exit", "listen", "openKv", "upgradeWebSocket");

export const Deno = {
    serve,
    env: variables,
    args: [],
    build: { target: "x86_64-unknown-linux-gnu", arch: "x86_64", os: "linux", vendor: "unknown" },
    version: { deno: "2.0.0", v8: "13.6", typescript: "5.0" },
    errors: { NotFound: class NotFound extends Error {} },
    cwd: () => "/",
    ...Object.fromEntries(absent.map(name => [name, missing(name)])),
};
