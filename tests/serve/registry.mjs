// Docker's registry for tests, and a machine that builds, signs and pushes releases.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { program, until } from "./server.mjs";

export const hasRegistry = spawnSync("docker-registry", ["--version"]).status === 0;

export const freePort = (host = "127.0.0.1") =>
    new Promise(resolve => {
        const server = createServer().listen(0, host, () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });

const accepts = (host, port) =>
    new Promise(resolve => {
        const socket = connect(port, host, () => resolve(true)).on("error", () => resolve(false));
        socket.on("connect", () => socket.destroy());
    });

export class Registry {
    constructor(folder, host = "127.0.0.1") {
        this.folder = folder;
        this.host = host;
    }

    async start() {
        mkdirSync(this.folder, { recursive: true });
        this.port ??= await freePort(this.host);
        const file = join(this.folder, "registry.yml");
        writeFileSync(
            file,
            JSON.stringify({
                version: 0.1,
                log: { level: "error", accesslog: { disabled: true } },
                storage: { filesystem: { rootdirectory: join(this.folder, "data") } },
                http: { addr: `${this.host}:${this.port}` },
            })
        );
        this.child = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
        process.on("exit", () => this.child.kill("SIGKILL"));
        await until("the registry", () => accepts(this.host, this.port));
        return this;
    }

    async stop() {
        const ended = new Promise(resolve => this.child.on("exit", resolve));
        this.child.kill("SIGKILL");
        await ended;
    }

    url(repository, tag) {
        return `oci://${this.host}:${this.port}/${repository}:${tag}`;
    }
}

export function snapcell(...args) {
    const done = spawnSync(program, args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`snapcell ${args.join(" ")}: ${done.stderr}`);
    return done.stdout;
}

// Builds functions from { name: source }, makes a release of all that its store has, and pushes it.
export class Builder {
    constructor(folder) {
        this.folder = folder;
        this.store = join(folder, "store");
        this.key = join(folder, "key");
        mkdirSync(folder, { recursive: true });
        snapcell("keygen", this.key);
    }

    compile(sources, { sign = true } = {}) {
        const files = Object.entries(sources).map(([name, source]) => {
            const file = join(this.folder, `${name}.js`);
            writeFileSync(file, source);
            return file;
        });
        const signed = sign ? ["--sign", this.key] : [];
        snapcell("compile", "--store", this.store, ...signed, ...files);
    }

    push(release, url) {
        snapcell("release", "create", release, "--activate", "--store", this.store);
        const args = ["push", "--release", release, url, "--plain-http", "--json"];
        return JSON.parse(snapcell(...args, "--store", this.store));
    }
}

// Functions that tell which release they are of.
export const marked = (mark, ...names) =>
    Object.fromEntries(
        names.map(name => [
            name,
            `export default { fetch: () => new Response("${name} ${mark}") };`,
        ])
    );
