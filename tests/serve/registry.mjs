// Docker's registry for tests, and a machine that builds, signs and pushes releases.
import { execFile, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { program, until } from "./server.mjs";

export const hasRegistry = spawnSync("docker-registry", ["--version"]).status === 0;

const freePort = () =>
    new Promise(resolve => {
        const server = createServer().listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });

export class Registry {
    // `prefix`: words before the command, as those that enter a namespace of the network.
    constructor(folder, { host = "127.0.0.1", port, prefix = [] } = {}) {
        Object.assign(this, { folder, host, port, prefix });
    }

    async start() {
        mkdirSync(this.folder, { recursive: true });
        this.port ??= await freePort();
        const file = join(this.folder, "registry.yml");
        const log = join(this.folder, "registry.log");
        writeFileSync(
            file,
            JSON.stringify({
                version: 0.1,
                log: { level: "info", accesslog: { disabled: true } },
                storage: { filesystem: { rootdirectory: join(this.folder, "data") } },
                http: { addr: `${this.host}:${this.port}` },
            })
        );
        const [command, ...args] = [...this.prefix, "docker-registry", "serve", file];
        const output = openSync(log, "w");
        this.child = spawn(command, args, { stdio: ["ignore", output, output] });
        closeSync(output);
        process.prependListener("exit", () => this.child.kill("SIGKILL"));
        await until("the registry", () => readFileSync(log, "utf8").includes("listening on"));
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

export const snapcell = (...args) => run([program, ...args]);

// Others go on meanwhile: clients that ask, and wait for answers.
const execute = promisify(execFile);
const run = async ([command, ...args]) => (await execute(command, args)).stdout;

// Builds functions from { name: source }, makes a release of all that its store has, and pushes it.
export class Builder {
    constructor(folder) {
        this.folder = folder;
        this.store = join(folder, "store");
        this.key = join(folder, "key");
    }

    async open() {
        mkdirSync(this.folder, { recursive: true });
        await snapcell("keygen", this.key);
        return this;
    }

    async compile(sources, { sign = true } = {}) {
        const files = Object.entries(sources).map(([name, source]) => {
            const file = join(this.folder, `${name}.js`);
            writeFileSync(file, source);
            return file;
        });
        const signed = sign ? ["--sign", this.key] : [];
        const patient = ["--wall-ms", "600000"]; // machines may be busy
        await snapcell("compile", "--store", this.store, ...patient, ...signed, ...files);
    }

    // `prefix`: as of Registry.
    async push(release, url, prefix = []) {
        await snapcell("release", "create", release, "--activate", "--store", this.store);
        const args = ["push", "--release", release, url, "--plain-http", "--json"];
        return JSON.parse(await run([...prefix, program, ...args, "--store", this.store]));
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
