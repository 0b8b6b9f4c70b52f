// The lines of a source around a place.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

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
    const frame = [];
    for (let number = first; number <= last; number++) {
        const code = (lines[number - 1] ?? "").replaceAll("\t", "    ");
        frame.push(
            `${number === line ? ">" : " "} ${String(number).padStart(width)} | ${code}`.trimEnd()
        );
        if (number === line && column)
            frame.push(mark(lines[number - 1] ?? "", column, length, width));
    }
    return frame.join("\n");
}

function mark(code, column, length, width) {
    const before = code.slice(0, column - 1).replaceAll("\t", "    ").length;
    const room = Math.max(1, Math.min(length, code.length - column + 1));
    return `  ${" ".repeat(width)} | ${" ".repeat(before)}${"^".repeat(room)}`;
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
