// Builds, serves through `snapcell serve`, and builds again whenever a source changes.
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { DevProxy } from "./dev_proxy.js";
import { readEnvFiles } from "./env_files.js";
import { Failure, usageFailure } from "./failure.js";
import { makeFolder } from "./folders.js";
import { ServeProcess } from "./serve_process.js";
import { Session } from "./session.js";
import { Preludes } from "./preludes.js";
import { makeWorkFolder, workFolder } from "./state.js";
import { UnevaluatedCompiler, waitingMax } from "./unevaluated.js";

const defaultPort = 8787;
const answersPauseMs = 20; // for the first answers, before the store gets the version
const snapshotPauseMs = 150; // for the first answers, and for the next change

/** @param {string | undefined} text HOST:PORT, :PORT or PORT */
export function addressOf(text) {
    if (text === undefined) return { host: "127.0.0.1", port: defaultPort, isFixed: false };
    const [, host, bare, port] = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d+)$/.exec(text) ?? [];
    if (port === undefined || Number(port) > 65535)
        throw usageFailure(`--listen takes HOST:PORT, such as 127.0.0.1:8787, not "${text}"`);
    return { host: host || bare || "127.0.0.1", port: Number(port), isFixed: true };
}

// Development reaches every host; what runs in production names those that it needs.
const network = { allow_net: ["*"], allow_net_private: true };

/** The configuration of a server for development. */
export function serveConfig(functions, env) {
    const settings = functions.map(one => [one.name, { ...network, env: { ...one.env, ...env } }]);
    const [only] = functions.length === 1 ? functions : [];
    return {
        routes: only ? [{ pattern: "/*", function: only.name }] : [],
        functions: Object.fromEntries(settings),
        trusted_proxies: ["unix"],
        access_log: false,
    };
}

/** Whether the next bundle of a function can answer before it is evaluated. */
const answersEarly = ({ settings, shape }) => shape && !settings.noBundle && !settings.bundler;

export class DevServer {
    #project;
    #failure;
    #building = Promise.resolve();
    #started;
    #answersEarly = false;
    #unevaluated;
    #preludes;
    #bundled = []; // what was bundled last, a step of a build each

    /**
     * @param {any} options
     * @param {(event: any) => void} told { event }: listening, answering, built, failed, request, console or failure
     */
    constructor(options, told) {
        this.told = told;
        this.options = {
            ...options,
            mode: options.mode ?? "development",
            level: options.level ?? 1,
        };
        this.session = new Session(this.options, {
            before: project => this.#prepare(project),
            noticed: () => this.#hold(),
            started: () => this.#begin(),
            first: (isOfNow, signal) => this.#first(isOfNow, signal),
            early: (steps, signal) => this.#early(steps, signal),
            built: built => this.#built(built),
        });
        this.proxy = new DevProxy({
            socket: () => this.serve.socket,
            ready: () => this.#ready(),
            root: () => this.#project?.root ?? process.cwd(),
            overlay: options.overlay,
            told: line => told({ event: "request", ...line }),
        });
    }

    // A store of its own: what is tried here is not what is deployed.
    async #prepare(project) {
        const store = this.options.store
            ? resolve(this.options.cwd ?? ".", this.options.store)
            : join(workFolder(project.root), "dev-store");
        if (!this.serve) {
            makeWorkFolder(project.root);
            if (!this.options.store) rmSync(store, { recursive: true, force: true });
            makeFolder(store);
            this.serve = this.#newServe(project.program, store);
            this.#unevaluated = new UnevaluatedCompiler(project.program);
            this.told({ event: "listening", url: this.url });
        }
        await this.#preludes?.dispose();
        this.#preludes = new Preludes();
        const functions = project.functions.map(one => ({
            ...one,
            store,
            sign: undefined,
            quick: true,
            noSync: !this.options.store, // emptied at each start
        }));
        this.#project = { ...project, functions };
        return this.#project;
    }

    #newServe(program, store) {
        return new ServeProcess({
            program,
            store,
            event: line => {
                if (line.event === "console" || line.event === "failure")
                    this.told({ ...line, root: this.#project.root });
            },
            ended: text =>
                this.told({ event: "failed", error: new Failure(`snapcell serve ended: ${text}`) }),
        });
    }

    // Requests wait from here on, those that wait for an earlier build as well.
    #begin() {
        this.#started = performance.now();
        this.#answersEarly = false;
        this.#hold();
    }

    #hold() {
        if (!this.finish) this.#building = new Promise(done => (this.finish = done));
    }

    #finish() {
        this.finish?.();
        this.finish = undefined;
    }

    // What was bundled answers at once, evaluated at each load, as the same engine does it in production where there is
    // no snapshot. The snapshot follows. The first build waits for it, which tells what kind of function it is.
    async #early(steps, signal) {
        const changed = steps.filter(({ result }) => !result);
        this.#bundled = changed;
        if (this.#answersEarly || !changed.every(answersEarly)) return;
        await this.#answer(changed, signal);
        for (const { settings, shape } of changed) this.#unevaluated.prepare(settings, shape);
    }

    // The same before the whole is bundled, where only what comes after preludes has changed.
    async #first(isOfNow, signal) {
        const changed = await this.#preludes.bundleAll(this.#project.functions);
        if (!changed || !isOfNow()) return;
        for (const { bundled } of changed) bundled.take();
        if (await this.#serveEarly(changed)) {
            this.#answered({ stored: false });
            await pause(answersPauseMs, undefined, { signal }).catch(() => {});
            if (signal.aborted) return; // the store gets the next version
        }
        await this.#answer(changed, signal);
        this.#prepareChange(changed.map(({ settings, shape }) => ({ name: settings.name, shape })));
    }

    // Before the store has them, which gets them then.
    async #serveEarly(steps) {
        const config = this.#config();
        const served = await Promise.all(
            steps.map(({ settings, bundled }) =>
                this.serve.serveEarly(config, settings.name, bundled.early)
            )
        );
        return served.every(Boolean);
    }

    #answered({ stored }) {
        this.#failure = undefined;
        this.#answersEarly = true;
        this.#finish();
        this.told({ event: "answering", ms: performance.now() - this.#started, stored });
        this.proxy.reloadPages();
    }

    async #answer(steps, signal) {
        await Promise.all(
            steps.map(({ settings, bundled, shape }) =>
                this.#unevaluated.put(bundled, settings, shape)
            )
        );
        await this.#update();
        if (!this.#answersEarly) this.#answered({ stored: true });
        await pause(snapshotPauseMs, undefined, { signal }).catch(() => {});
    }

    async #ready() {
        await this.#building;
        return this.#failure;
    }

    async #built(built) {
        const failed = built.error ?? built.functions.find(({ error }) => error)?.error;
        this.#failure = failed;
        try {
            if (!failed) await this.#update();
        } catch (error) {
            if (!(error instanceof Failure)) throw error;
            this.#failure = error;
        }
        this.#finish();
        const ms = performance.now() - this.#started;
        this.told({
            event: this.#failure ? "failed" : "built",
            ...built,
            error: this.#failure,
            ms,
        });
        if (this.#failure || !this.#answersEarly) this.proxy.reloadPages();
        if (this.#failure) return;
        this.#prepareChange(built.functions);
        void this.#preparePreludes(built.functions);
    }

    // Nobody waits for it.
    async #preparePreludes(built) {
        if (built.length > waitingMax) return;
        const steps = this.#bundled.map(step => ({
            ...step,
            shape: built.find(({ name }) => name === step.settings.name)?.shape,
        }));
        await this.#preludes.prepare(steps.filter(answersEarly));
        this.#prepareChange(built);
    }

    // Of few functions, each may be the one that changes next.
    #prepareChange(built) {
        if (built.length > waitingMax) return;
        for (const { name, shape } of built) {
            const settings = this.#project.functions.find(one => one.name === name);
            if (settings && answersEarly({ settings, shape }))
                this.#unevaluated.prepare(settings, shape, this.#preludes.codeOf(name));
        }
    }

    #config() {
        const { root, functions } = this.#project;
        const { env } = readEnvFiles(root);
        return serveConfig(functions, env);
    }

    async #update() {
        await this.serve.update(this.#config());
    }

    /** @returns {Promise<string>} the URL */
    async start() {
        const { host, port, isFixed } = addressOf(this.options.listen);
        this.#begin();
        this.url = await this.proxy.listen(host, port, isFixed);
        await this.session.start();
        return this.url;
    }

    async close() {
        await this.session.close();
        await this.#preludes?.dispose();
        this.#unevaluated?.close();
        this.#finish();
        await this.proxy.close();
        await this.serve?.stop();
    }
}

/**
 * Starts a development server.
 * @param {any} [options]
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function dev({ onEvent = () => {}, ...options } = {}) {
    const server = new DevServer(options, onEvent);
    try {
        const url = await server.start();
        return { url, close: () => server.close() };
    } catch (error) {
        await server.close();
        throw error;
    }
}
