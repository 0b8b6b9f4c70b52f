// Writes a run's tables into documents: `node tables.mjs DIR FILE...` replaces what stands between
// `<!-- bench: NAME -->` and `<!-- /bench -->` in each file with table NAME of DIR/results.json.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Run, summarize } from "./summary.mjs";
import { short } from "./svg.mjs";

const ms = ns => (Number.isFinite(ns) ? short(ns / 1e6) : "-");
const megabytes = n => (Number.isFinite(n) ? short(n / 1e6) : "-");
const kilobytes = n => `${short(n / 1e3)} KB`;

function markdown(columns, rows) {
    const line = cells => `| ${cells.join(" | ")} |`;
    const rule = columns.map((_, i) => (i === 0 ? "---" : "--:"));
    return [columns, rule, ...rows].map(line).join("\n");
}

const loads = [
    ["compressed", "snapcell, compressed"],
    ["raw", "snapcell, `--raw`"],
    ["cached", "snapcell, decoded blob cached (the default, loaded before)"],
    ["compressed_cold", "snapcell, compressed, the store's pages on the disk alone"],
    ["raw_cold", "snapcell, `--raw`, the store's pages on the disk alone"],
    ["v8_keep", "V8's snapshot, kKeep, default platform"],
    ["v8_clear", "V8's snapshot, kClear, default platform"],
    ["code_cache", "source with V8's code cache"],
    ["source", "source"],
    ["compressed_unwarmed", "snapcell, compressed, without `--warm`"],
    ["v8_keep_unwarmed", "V8's snapshot, kKeep, without a warm-up"],
];

const processes = [
    ["snapcell", "`snapcell run`"],
    ["snapcell_raw", "`snapcell run`, stored `--raw`"],
    ["bun", "bun"],
    ["deno", "deno"],
    ["workerd", "workerd, to the first HTTP response"],
    ["node", "node"],
    ["node_compile_cache", "node, compile cache"],
    ["node_snapshot", "node `--snapshot-blob`"],
];

// A row for each configuration that was measured, a column for each function.
function byFunction(run, rows, cell) {
    const measured = rows.filter(([config]) => run.functions.some(f => cell(f, config) !== null));
    return markdown(
        ["", ...run.functions],
        measured.map(([config, name]) => [name, ...run.functions.map(f => cell(f, config) ?? "-")])
    );
}

const percentiles = (group, run) => (f, config) => {
    const of = run.series(group, f, config)?.statistics.total_ns;
    return of ? `${ms(of.p50)} (${ms(of.p90)}, ${ms(of.p99)})` : null;
};

function goals(run) {
    const { ratios } = summarize(run.results);
    const signs = {
        higher: "at least",
        "at least": "at least",
        lower: "below",
        "at most": "at most",
    };
    const rows = Object.entries(ratios)
        .filter(([, { goal }]) => goal !== null)
        .map(([name, { value, goal, better, met }]) => [
            `\`${name}\``,
            value === null ? "not measured" : short(value),
            `${signs[better]} ${goal}`,
            met ? "yes" : "no",
        ]);
    return markdown(["ratio", "measured", "goal", "met"], rows);
}

const phases = ["lookup", "read", "verify", "decompress", "isolate", "context", "call", "dispose"];

function phaseTable(run) {
    const rows = ["compressed", "cached", "v8_keep"].flatMap(config =>
        run.functions.flatMap(f => {
            const of = run.series("load", f, config)?.statistics;
            if (!of) return [];
            const faults = of.minor_faults?.p50 ?? 0;
            const cells = phases.map(phase => short((of[`${phase}_ns`]?.p50 ?? 0) / 1e3));
            return [[`${f}, ${config}`, ...cells, faults]];
        })
    );
    return markdown(["us", ...phases, "minor faults"], rows);
}

function threads(run) {
    const configs = ["compressed", "cached", "v8_keep"];
    const all = configs.flatMap(config => run.functions.map(f => [f, config]));
    const rows = all.filter(([f, config]) => run.throughput(f, config).length);
    const counts = rows.length ? run.throughput(...rows[0]).map(one => one.threads) : [];
    return markdown(
        ["loads a second", ...counts.map(n => (n === 1 ? "1 thread" : `${n}`))],
        rows.map(([f, config]) => [
            `${f}, ${config}`,
            ...counts.map(n => short(run.rate(f, config, n))),
        ])
    );
}

function memory(run) {
    const configs = [
        ["cached", "snapcell, the loader's defaults"],
        ["compressed", "snapcell, compressed, no cache"],
        ["raw", "snapcell, `--raw`, no cache"],
        ["v8_keep", "V8's own isolate from the same blob"],
    ];
    return byFunction(run, configs, (f, config) =>
        run.memory(f, config) ? megabytes(run.memory(f, config).pss_bytes.p50) : null
    );
}

function sizes(run) {
    const rows = run.results.functions.map(({ name, bundle_size_bytes: bundle, artifacts }) => {
        const find = (warm, raw) => artifacts.find(one => one.warm === warm && one.raw === raw);
        const { blob_size_bytes: blob, artifact_size_bytes: artifact } = find(true, false);
        return [
            name,
            ...[bundle, blob, artifact, find(true, true).artifact_size_bytes].map(kilobytes),
        ];
    });
    return markdown(["", "bundle", "snapshot", "artifact", "artifact, `--raw`"], rows);
}

function environment(run) {
    const { environment: e, started, noise, quick, samples, processes: count } = run.results;
    const reasons = noise.reasons.length ? ` (${noise.reasons.join("; ")})` : "";
    return [
        `- ${e.cpu}, ${e.cpus} CPUs${e.virtual_machine ? ", a virtual machine" : ""}, Linux ${e.kernel}, governor ` +
            `${e.governor}, huge pages ${e.transparent_huge_pages}`,
        `- V8 ${e.v8_version}, snapcell's flags \`${e.v8_flags}\`, the baselines' ${e.v8_flags_of_baselines}`,
        `- snapcell ${e.commit}, ${started}, ${samples} loads and ${count} processes of each` +
            `${quick ? ", **a quick run**" : ""}`,
        `- the machine was **${noise.verdict}**${reasons}`,
    ].join("\n");
}

export const tables = {
    environment,
    goals,
    sizes,
    loads: run => byFunction(run, loads, percentiles("load", run)),
    spares: run => byFunction(run, [["spares", "a spare cell, ready"]], percentiles("load", run)),
    phases: phaseTable,
    processes: run => byFunction(run, processes, percentiles("process", run)),
    threads,
    memory,
};

export function fill(text, results) {
    const run = new Run(results);
    return text.replace(
        /(<!-- bench: (\w+) -->\n)[^]*?(<!-- \/bench -->)/g,
        (_, start, name, end) => {
            if (!(name in tables))
                throw new Error(
                    `there is no table "${name}"; there are ${Object.keys(tables).join(", ")}`
                );
            return `${start}${tables[name](run)}\n${end}`;
        }
    );
}

function main([folder, ...files]) {
    if (!files.length) {
        console.error("usage: node tables.mjs DIR FILE...");
        process.exit(2);
    }
    const results = JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));
    for (const file of files) writeFileSync(file, fill(readFileSync(file, "utf8"), results));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
