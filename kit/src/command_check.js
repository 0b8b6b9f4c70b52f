// snapcell check: a table, JSON, or a page.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { failureLine } from "./failure.js";
import { check } from "./check.js";
import { bytesText, failureText, msText, reportNotes, say, worstStatus } from "./report.js";
import { treemapPage } from "./treemap.js";

const rowLimit = 12;

// Columns as wide as their texts, the first to the left.
function table(rows) {
    const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)));
    return rows
        .map(row =>
            row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        )
        .map(row => `  ${row.join("  ")}`.trimEnd())
        .join("\n");
}

const time = ms => (ms === null ? "-" : msText(ms));
const row = (name, { bundle_bytes, snapshot_bytes, top_level_ms }) => [
    name,
    bundle_bytes === undefined ? "" : bytesText(bundle_bytes),
    bytesText(snapshot_bytes),
    top_level_ms === undefined ? "" : time(top_level_ms),
];

function rowsOf(items, nameOf) {
    const shown = items.slice(0, rowLimit).map(item => row(nameOf(item), item));
    const rest = items.length - shown.length;
    return rest > 0
        ? [...shown, [`(${rest} more: --json or --html shows them)`, "", "", ""]]
        : shown;
}

function textOf(result, { modules }) {
    const { name, kind, packages, engine_bytes, v8_bytes } = result;
    const engine = Object.values(engine_bytes).reduce((sum, bytes) => sum + bytes, 0);
    const rows = modules
        ? rowsOf(result.modules, ({ path }) => path)
        : rowsOf(packages, one => one.name);
    const whole = { ...result, snapshot_bytes: result.snapshot_bytes };
    const lines = [
        `${name}: ${kind}, artifact ${bytesText(result.artifact_bytes)}`,
        table([
            [modules ? "module" : "package", "bundle", kind, "top level"],
            ...rows,
            row("(web APIs)", { snapshot_bytes: engine }),
            row("(V8, and what several share)", { snapshot_bytes: v8_bytes }),
            row("total", whole),
        ]),
    ];
    for (const cause of result.causes) lines.push(`  no snapshot: ${causeText(cause)}`);
    for (const use of result.uses) lines.push(`  at top level: ${causeText(use)}`);
    for (const missing of result.missing) lines.push(`  lacking: ${failureLine(missing)}`);
    return lines.join("\n");
}

const causeText = ({ what, place, path, advice }) =>
    `${what}${path ? `, kept as ${path}` : ""}${place ? ` (${place})` : ""}${advice ? `: ${advice}` : ""}`;

/** @param {any} options */
export async function checkCommand(options) {
    const { root, notes, functions } = await check(options);
    reportNotes(notes);
    for (const result of functions) {
        if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
        for (const line of result.error?.console ?? []) say(line);
        if (result.error) say(failureText(result.name, result.error, root));
        else if (!options.json) process.stdout.write(`${textOf(result, options)}\n`);
    }
    if (options.html) {
        const good = functions.filter(({ error }) => !error);
        writeFileSync(resolve(options.cwd ?? ".", options.html), treemapPage(good));
    }
    return worstStatus(functions);
}
