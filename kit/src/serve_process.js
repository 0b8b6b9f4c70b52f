// Runs `snapcell serve` for development: one process, at a socket that only this user has.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "./failure.js";
import { cannotStart } from "./native.js";

const listening = /^listening on /m;

export class ServeProcess {
    #child;
    #config;
    #reloaded = [];
    #early = new Map(); // by function: who waits for what becomes of its version
    #takesEarly = false;
    #stopping = false;

    /**
     * @param {{ program: string, store: string, event: (line: any) => void,
     *     ended: (text: string) => void }} options
     */
    constructor(options) {
        this.options = options;
        this.folder = mkdtempSync(join(tmpdir(), "snapcell-dev-"));
        this.socket = join(this.folder, "socket");
    }

    get isRunning() {
        return this.#child !== undefined;
    }

    /**
     * Has the server serve a version of a function that is not in the store yet, by a process that waits for one with
     * this prelude.
     * @param {object} config that is to hold @param {string} name of the function
     * @param {{ prelude: string, encoding: "latin1" | "utf-16le", text: string, map: string }} version after a prelude
     *     of this hash
     * @returns {Promise<boolean>} whether it does; the store is to get the version either way
     */
    async serveEarly(config, name, version) {
        if (!this.#takesEarly || JSON.stringify(config) !== this.#config) return false;
        const { prelude, encoding } = version;
        const text = Buffer.from(version.text, encoding);
        const map = Buffer.from(version.map);
        const line = {
            function: name,
            prelude_sha256: prelude,
            encoding,
            text_bytes: text.length,
            map_bytes: map.length,
        };
        const served = new Promise(done => this.#early.set(name, done));
        this.#child.stdin.write(
            Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), text, map])
        );
        return served;
    }

    /** Has the server run with this configuration and what is in the store now. @param {object} config */
    async update(config) {
        const text = JSON.stringify(config);
        if (text !== this.#config)
            writeFileSync(join(this.folder, "serve.json"), text, { mode: 0o600 }); // it has secrets
        this.#config = text;
        if (!this.#child) return this.#start();
        await new Promise(done => {
            this.#reloaded.push(done);
            this.#child.kill("SIGHUP");
        });
    }

    #start() {
        const { program, store } = this.options;
        const parameters = ["serve", "--dev", "--versions-from-stdin", "--store", store];
        parameters.push("--listen", `unix:${this.socket}`);
        parameters.push("--config", join(this.folder, "serve.json"));
        rmSync(this.socket, { force: true });
        const child = spawn(program, parameters, { stdio: ["pipe", "pipe", "pipe"] });
        this.#child = child;
        this.#takesEarly = true;
        child.stdin.on("error", () => {}); // it ends, which is noticed
        let words = "";
        this.#readLines(child.stderr, text => (words = text));
        return new Promise((done, failed) => {
            let output = "";
            child.stdout.setEncoding("utf8").on("data", text => {
                output += text;
                if (listening.test(output)) done();
            });
            child.on("error", error => failed(cannotStart(program, error)));
            child.on("close", status => {
                this.#child = undefined;
                for (const waiting of this.#reloaded.splice(0)) waiting();
                this.#endEarly();
                const text = words.replace(/^snapcell: /, "") || `it ended with status ${status}`;
                failed(
                    new Failure(`snapcell serve could not start: ${text}`, {
                        status: 3,
                        code: "E_SERVE",
                    })
                );
                if (!this.#stopping) this.options.ended(text);
            });
        });
    }

    #readLines(stream, other) {
        let rest = "";
        stream.setEncoding("utf8").on("data", text => {
            const lines = (rest + text).split("\n");
            rest = lines.pop();
            for (const line of lines) this.#take(line, other);
        });
    }

    #take(line, other) {
        if (!line.startsWith("{")) return other(line);
        const event = JSON.parse(line);
        if (/^reload/.test(event.event)) for (const waiting of this.#reloaded.splice(0)) waiting();
        if (/^version_/.test(event.event))
            this.#tellEarly(event.function, event.event === "version_served");
        if (event.event === "versions_lost") this.#endEarly();
        this.options.event(event);
    }

    // No version is taken any more.
    #endEarly() {
        this.#takesEarly = false;
        for (const name of [...this.#early.keys()]) this.#tellEarly(name, false);
    }

    #tellEarly(name, isServed) {
        this.#early.get(name)?.(isServed);
        this.#early.delete(name);
    }

    async stop() {
        this.#stopping = true;
        if (this.#child) {
            const closed = new Promise(done => this.#child.on("close", done));
            this.#child.kill("SIGTERM");
            await closed;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}
