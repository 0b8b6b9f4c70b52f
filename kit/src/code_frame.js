// The lines of a source around a place.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const shownMax = 120; // columns of code: a line of a minified file may have a million

const expanded = text => text.replaceAll("\t", "    ");

// Where the part of the lines that is shown begins, so that a place is in it.
const startOf = at => (at < shownMax - 20 ? 0 : at - (shownMax >> 1));

function partOf(code, start) {
    if (code.length <= start) return "";
    const part = code.slice(start, start + shownMax);
    return `${start > 0 ? `…${part.slice(1)}` : part}${code.length > start + shownMax ? "…" : ""}`;
}

/**
 * @param {string} text
 * @param {{ line: number, column?: number, length?: number }} place
 * @param {number} [around] lines before and after
 */
export function codeFrame(text, { line, column, length = 1 }, around = 2) {
    const lines = text.trimEnd().split(/\r?\n/);
    const first = Math.max(1, line - around);
    const last = Math.max(line, Math.min(lines.length, line + around));
    const width = String(last).length;
    const marked = lines[line - 1] ?? "";
    const at = expanded(marked.slice(0, (column ?? 1) - 1)).length;
    const start = startOf(at);
    const frame = [];
    for (let number = first; number <= last; number++) {
        const code = partOf(expanded(lines[number - 1] ?? ""), start);
        frame.push(
            `${number === line ? ">" : " "} ${String(number).padStart(width)} | ${code}`.trimEnd()
        );
        if (number === line && column) {
            const room = Math.min(marked.length - column + 1, start + shownMax - at);
            const mark = "^".repeat(Math.max(1, Math.min(length, room)));
            frame.push(`  ${" ".repeat(width)} | ${" ".repeat(at - start)}${mark}`);
        }
    }
    return frame.join("\n");
}

/**
 * The frame of a failure whose file can be read; undefined for others.
 * @param {{ file?: string, line?: number, column?: number, length?: number }} failure
 * @param {string} root
 */
export function frameOf(failure, root) {
    if (!failure.file || !failure.line) return undefined;
    try {
        return codeFrame(readFileSync(resolve(root, failure.file), "utf8"), failure);
    } catch {
        return undefined; // a file of a platform, or none
    }
}
