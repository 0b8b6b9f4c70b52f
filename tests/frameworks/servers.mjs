// The framework's own server, in a process: { port, stop(), ready } once it accepts connections.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createServer, connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

const freePort = () =>
    new Promise(resolve => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });

const accepts = port =>
    new Promise(resolve => {
        const socket = connect(port, "127.0.0.1");
        socket.on("connect", () => (socket.destroy(), resolve(true)));
        socket.on("error", () => resolve(false));
    });

function commandOf({ peer: { kind, bundle, command } }, port) {
    if (kind === "listen") return [process.execPath, bundle];
    if (kind === "fetch") return [process.execPath, join(here, "peer.mjs"), bundle];
    return command.map(word => word.replaceAll("PORT", port));
}

export async function startPeer(built, patience = 60_000) {
    const port = await freePort();
    const [command, ...args] = commandOf(built, String(port));
    const log = openSync(join(built.folder, "peer.log"), "a");
    const child = spawn(command, args, {
        cwd: built.peer.cwd,
        env: {
            ...process.env,
            PORT: String(port),
            HOST: "127.0.0.1",
            CI: "1",
            NODE_ENV: "production",
        },
        stdio: ["ignore", log, log],
        detached: true, // so that what it starts ends with it
    });
    closeSync(log);
    let ended = false;
    child.on("exit", () => (ended = true));
    const stop = () => {
        if (!ended) process.kill(-child.pid, "SIGKILL");
    };
    for (const until = Date.now() + patience; Date.now() < until && !ended; await pause(2))
        if (await accepts(port)) return { port, stop };
    stop();
    throw new Error(
        `${command} ${args.join(" ")} did not listen: see ${join(built.folder, "peer.log")}`
    );
}
