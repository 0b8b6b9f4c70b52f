// Builds a project again and again, and keeps what the bundler knows between builds.
import { join, resolve } from "node:path";
import { buildProject, prepare, watchedFiles } from "./build.js";
import { Failure } from "./failure.js";
import { isComplete } from "./project.js";
import { Sources } from "./sources.js";
import { Watcher } from "./watcher.js";
import { wranglerNames } from "./wrangler.js";

const repeatsMax = 5; // of a build whose sources change under it, as those do that the build itself writes

export class Session {
    #project;
    #contexts = new Map();
    #watcher;
    #sources = new Sources();
    #repeats = 0;
    #running;
    #again = false;
    #superseded = new AbortController();
    #wasLoaded = false;
    #isStale = true; // the project's settings changed; a build may still run with the old ones

    /**
     * @param {any} options
     * @param {{ before?: (project: any) => any, noticed?: () => void, started?: () => void,
     *     built: (built: any) => any,
     *     first?: (isOfNow: () => boolean, signal: AbortSignal) => Promise<void>,
     *     early?: (steps: any[], signal: AbortSignal) => Promise<void> }} events `first`: before anything is bundled
     */
    constructor(options, events) {
        this.options = options;
        this.events = events;
    }

    /** Builds once, and from then on whenever a source changes. */
    async start() {
        this.#watcher = new Watcher(
            files => void this.#changed(files),
            () => this.events.noticed?.()
        );
        await this.build();
    }

    // Settings are read again when one of their files changed, or is new, and functions are looked for in their folder.
    async #changed(files) {
        const settings = new Set([...(this.#project?.files ?? []), ...this.#settingsFiles()]);
        if (files.some(file => settings.has(file))) this.#isStale = true;
        if (this.#project && !isComplete(this.#project)) this.#isStale = true;
        await this.build();
    }

    #settingsFiles() {
        const root = this.#project?.root ?? this.options.cwd ?? process.cwd();
        return [...wranglerNames, ".env", ".env.local", ".dev.vars"].map(name => join(root, name));
    }

    /** A build; while one runs, one more follows it, and what it has not compiled yet it need not. */
    async build() {
        if (this.#running) {
            this.#again = true;
            this.#superseded.abort();
            return this.#running;
        }
        this.#running = this.#buildAll();
        try {
            await this.#running;
        } finally {
            this.#running = undefined;
        }
    }

    async #buildAll() {
        do {
            this.#again = false;
            this.#superseded = new AbortController();
            this.events.started?.();
            await this.#sources.begin();
            const built = await this.#buildOnce();
            if (this.#isOfNow()) await this.events.built(built);
        } while (this.#again);
        this.#repeats = 0;
    }

    // What was made of sources that have changed since is not told: a file may have been read half written, and the
    // notice of its change may be under way.
    #isOfNow() {
        const { signal } = this.#superseded;
        if (signal.aborted) return false;
        if (this.#sources.areAsBuilt() || this.#repeats === repeatsMax) return true;
        this.#repeats++;
        this.#again = true;
        this.#superseded.abort();
        return false;
    }

    async #buildOnce() {
        try {
            if (this.#isStale) await this.#load();
            const { signal } = this.#superseded;
            await this.events.first?.(() => this.#isOfNow(), signal);
            if (signal.aborted) return undefined;
            const built = await buildProject(this.#project, {
                bundle: (bundler, request) => this.#bundle(bundler, request),
                early: async steps => this.#isOfNow() && this.events.early?.(steps, signal),
                signal,
            });
            this.#watchAll(built);
            return built;
        } catch (error) {
            // What is wrong from the start is for the caller; later it can be put right while this goes on.
            if (!(error instanceof Failure) || !this.#wasLoaded) throw error;
            const { files, functions } = this.#project;
            const entries = functions.map(({ entry }) => entry); // where there may be functions again
            this.#watch([...files, ...entries, ...this.#settingsFiles()]);
            return { root: this.options.cwd ?? process.cwd(), notes: [], functions: [], error };
        }
    }

    async #load() {
        await this.#dispose();
        this.#isStale = false;
        try {
            const project = await prepare(this.options);
            this.#project = (await this.events.before?.(project)) ?? project;
        } catch (error) {
            this.#isStale = true;
            throw error;
        }
        this.#wasLoaded = true;
    }

    // What failed is watched as well as what it was made of the last time.
    #watchAll({ root, functions }) {
        const { files, functions: all } = this.#project;
        const failed = functions.flatMap(({ error }) => [error, ...(error?.errors ?? [])]);
        const places = failed.flatMap(error => (error?.file ? [resolve(root, error.file)] : []));
        const entries = all.map(({ entry }) => entry);
        const built = all.flatMap(({ name }) => watchedFiles(root, name));
        this.#watch([...built, ...entries, ...places, ...files, ...this.#settingsFiles()]);
    }

    #watch(files) {
        const own = files.filter(file => !file.includes("/node_modules/"));
        this.#watcher?.watch(own);
        this.#sources.use(own);
    }

    async #bundle(bundler, request) {
        if (!bundler.context) return bundler.bundle(request);
        const { name, node, contents } = request;
        const key = JSON.stringify([name, node, contents]);
        if (!this.#contexts.has(key)) this.#contexts.set(key, await bundler.context(request));
        return this.#contexts.get(key).rebuild();
    }

    async #dispose() {
        const contexts = [...this.#contexts.values()];
        this.#contexts.clear();
        await Promise.all(contexts.map(context => context.dispose()));
    }

    async close() {
        this.#watcher?.close();
        this.#superseded.abort();
        await this.#running?.catch(() => {});
        await this.#dispose();
    }
}
