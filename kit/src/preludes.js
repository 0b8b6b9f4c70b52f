// The preludes of a project's functions while it is developed.
import { requestOf } from "./build.js";
import { evaluatedOf, mayHavePrelude, Prelude } from "./prelude.js";

export class Preludes {
    #made = new Map(); // by the function's name
    #without = new Map(); // what was evaluated when there was none, by the same
    #making = Promise.resolve();
    #isDisposed = false;

    /**
     * Makes those that are missing, or that have become others.
     * @param {any[]} steps of a build of these functions, in which each was bundled as a whole
     * @returns {Promise<void>} once they are there
     */
    prepare(steps) {
        this.#making = this.#making.then(async () => {
            for (const step of steps) await this.#prepareOne(step);
        });
        return this.#making;
    }

    async #prepareOne({ settings, bundled, shape }) {
        const { name } = settings;
        const known = this.#made.get(name);
        if (this.#isDisposed || known?.prelude.isOf(bundled)) return;
        this.#made.delete(name);
        await known?.prelude.dispose();
        const request = requestOf(bundled.settings ?? settings);
        if (!mayHavePrelude(request, bundled)) return;
        const evaluated = evaluatedOf(bundled.metafile).join("\n");
        if (this.#without.get(name) === evaluated) return;
        const prelude = await Prelude.of(request, bundled);
        if (prelude) this.#made.set(name, { prelude, settings, shape });
        else this.#without.set(name, evaluated);
    }

    /** A function's prelude; undefined: it has none. @param {string} name */
    codeOf(name) {
        return this.#made.get(name)?.prelude.code;
    }

    /**
     * Bundles what comes after the preludes of these functions. Undefined: that does not give all that is new.
     * @param {any[]} functions
     * @returns {Promise<any[] | undefined>} of those that have changed, as a build's steps
     */
    async bundleAll(functions) {
        const all = functions.map(({ name }) => this.#made.get(name));
        if (!all.every(Boolean)) return undefined;
        const steps = await Promise.all(
            all.map(async ({ prelude, ...rest }) => ({ ...rest, bundled: await prelude.bundle() }))
        );
        if (!steps.every(({ bundled }) => bundled)) return undefined;
        const changed = steps.filter(({ bundled }) => bundled.isNew);
        return changed.length > 0 ? changed : undefined;
    }

    async dispose() {
        this.#isDisposed = true;
        await this.#making;
        await Promise.all([...this.#made.values()].map(({ prelude }) => prelude.dispose()));
        this.#made.clear();
    }
}
