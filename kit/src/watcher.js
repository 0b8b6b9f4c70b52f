// Watches the folders that sources are in.
import { existsSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";

// What builds and stores write, and what is no source.
const ignored =
    /^(\.snapcell|snapcell-store|node_modules|\.git|data\.mdb|lock\.mdb)$|~$|^\.#|\.sw[px]$/;
const settleMs = 1; // an editor writes a file in several steps; a build that sees a half of them is built again

export class Watcher {
    #folders = new Map();
    #files = new Set();
    #timer;
    #isClosed = false; // a build that is under way by then may still tell what to watch

    /**
     * @param {(files: string[]) => void} changed called once a change has settled
     * @param {() => void} [noticed] called when it begins
     */
    constructor(changed, noticed = () => {}) {
        this.changed = changed;
        this.noticed = noticed;
        this.pending = new Set();
    }

    /** Watches these files, and new ones next to them, instead of those before. @param {string[]} files */
    watch(files) {
        if (this.#isClosed) return;
        this.#files = new Set(files);
        const folders = new Set(
            files.map(file => dirname(file)).filter(folder => existsSync(folder))
        );
        for (const folder of this.#folders.keys()) if (!folders.has(folder)) this.#forget(folder);
        for (const folder of folders) if (!this.#folders.has(folder)) this.#add(folder);
    }

    #add(folder) {
        const watcher = watch(folder, (kind, name) => this.#noticed(folder, kind, name));
        watcher.on("error", () => this.#forget(folder)); // the folder was removed
        this.#folders.set(folder, watcher);
    }

    #forget(folder) {
        this.#folders.get(folder)?.close();
        this.#folders.delete(folder);
    }

    // A new or removed name may be found in place of another; a change counts if the file does.
    #noticed(folder, kind, name) {
        if (name === null || ignored.test(basename(name))) return;
        const file = join(folder, name);
        if (kind === "change" && !this.#files.has(file)) return;
        this.pending.add(file);
        this.noticed();
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
            const files = [...this.pending];
            this.pending.clear();
            this.changed(files);
        }, settleMs);
    }

    close() {
        this.#isClosed = true;
        clearTimeout(this.#timer);
        for (const folder of [...this.#folders.keys()]) this.#forget(folder);
    }
}
