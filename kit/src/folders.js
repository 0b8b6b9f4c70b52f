// Folders that are made.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A folder, and those above it that are missing. Node's own way (`recursive`) tries without end in a file system
 * that says of a new folder, as /proc does, that there is none above it.
 * @param {string} path
 */
export function makeFolder(path) {
    try {
        mkdirSync(path);
    } catch (error) {
        if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
        const above = dirname(path);
        if (error.code !== "ENOENT" || existsSync(above)) throw error;
        makeFolder(above);
        makeFolder(path);
    }
}
