import process, { env, nextTick } from "node:process";
import { behaviours } from "./behaviours.js";

export const handler = () =>
    behaviours({
        "env takes texts": () => {
            process.env.A_NUMBER = 1;
            process.env.A_NOTHING = undefined;
            const told = [
                env.A_NUMBER,
                env.A_NOTHING,
                "A_NUMBER" in env,
                env.NOT_THERE === undefined,
            ];
            delete process.env.A_NUMBER;
            return [...told, "A_NUMBER" in env];
        },
        "env lists": () => {
            process.env.LISTED = "x";
            return [Object.keys(env).includes("LISTED"), { ...env }.LISTED];
        },
        "env and symbols": () => (process.env.S = Symbol("s")),
        listeners: () => {
            const listener = () => {};
            process.on("own", listener);
            const count = process.listenerCount("own");
            const told = [count, process.listeners("own")[0] === listener, process.emit("own")];
            process.removeListener("own", listener);
            return [...told, process.emit("own"), typeof process.prependListener];
        },
        nextTick: () =>
            new Promise(resolve => {
                const order = [];
                nextTick((a, b) => order.push(a + b), "t", 1);
                Promise.resolve().then(() => order.push("promise"));
                nextTick(() => order.push("t2"));
                order.push("now");
                setTimeout(() => resolve([order[0], order.indexOf("t1") < order.indexOf("t2")]), 1);
            }),
        "nextTick, bad": () => nextTick(1),
        hrtime: () => {
            const [seconds, rest] = process.hrtime();
            const since = process.hrtime([seconds, rest]);
            return [rest < 1e9, since[0], typeof process.hrtime.bigint()];
        },
        "hrtime, bad": () => process.hrtime(1),
        names: () => [process.platform, process.arch, typeof process.pid, process.title.length > 0],
        versions: () => [/^v24\./.test(process.version), /^24\./.test(process.versions.node)],
        uptime: () => typeof process.uptime(),
        cwd: () => typeof process.cwd(),
        memoryUsage: () => Object.keys(process.memoryUsage()).sort(),
        stdout: () => [typeof process.stdout.write, typeof process.stderr.write],
        emitWarning: () =>
            new Promise(resolve => {
                process.once("warning", warning =>
                    resolve([warning.name, warning.message, warning.code])
                );
                process.emitWarning("careful", { type: "Own", code: "C1" });
            }),
        getBuiltinModule: () => [
            typeof process.getBuiltinModule("buffer").Buffer,
            process.getBuiltinModule("nothing") === undefined,
        ],
        tag: () => Object.prototype.toString.call(process),
        global: () => globalThis.process === process,
        argv: () => Array.isArray(process.argv) && Array.isArray(process.execArgv),
        exitCode: () => process.exitCode === undefined,
    });
