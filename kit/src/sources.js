// What a build's sources are like: a file may be read while it is half written, empty or removed for a moment.
import { statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const lookMs = 10;
const graceMs = 1000; // for a file that was emptied or removed, which is how some programs begin to write it

const absent = { size: 0, time: 0, stamp: "absent" };

function factsOf(file) {
    const facts = statSync(file, { throwIfNoEntry: false });
    if (!facts) return absent;
    const { ino, size, mtimeMs, ctimeMs } = facts;
    const time = Math.max(mtimeMs, ctimeMs);
    return { size, time, stamp: `${ino} ${size} ${mtimeMs} ${ctimeMs}` };
}

export class Sources {
    #files = [];
    #known = new Map();
    #beganMs = 0;

    /** What counts from the next build on. @param {string[]} files */
    use(files) {
        this.#files = [...new Set(files)];
    }

    /** A build begins: once no file is empty or missing that was not so in the build before. */
    async begin() {
        const end = performance.now() + graceMs;
        while (this.#isBeingWritten() && performance.now() < end) await pause(lookMs);
        this.#beganMs = Date.now() + 1; // the clock of files may be late, and is never early
        this.#known = new Map(this.#files.map(file => [file, factsOf(file)]));
    }

    #isBeingWritten() {
        return [...this.#known].some(([file, { size }]) => size > 0 && factsOf(file).size === 0);
    }

    /** Are all files as they were when the build began? */
    areAsBuilt() {
        const isAsKnown = ([file, { stamp }]) => factsOf(file).stamp === stamp;
        return [...this.#known].every(isAsKnown) && !this.#files.some(file => this.#isTooNew(file));
    }

    // Of a file that was not known when the build began.
    #isTooNew(file) {
        return !this.#known.has(file) && factsOf(file).time > this.#beganMs;
    }
}
