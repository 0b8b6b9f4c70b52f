// From DIR/results.json: DIR/summary.json, summary.csv, samples.csv, and report.html, a page that
// needs nothing else. `node report.mjs DIR`
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Run, samplesCsv, summarize, summaryCsv } from "./summary.mjs";
import * as svg from "./svg.mjs";

const { escape, short } = svg;

// A configuration has one colour wherever it appears.
const colors = {
    compressed: 0,
    snapcell: 0,
    raw: 1,
    snapcell_raw: 1,
    v8_keep: 2,
    v8_clear: 3,
    source: 4,
    code_cache: 5,
    compressed_cold: 6,
    raw_cold: 6,
    cached: 7,
    spares: 4,
    compressed_unwarmed: 7,
    v8_keep_unwarmed: 3,
};
const names = {
    compressed: "snapcell",
    raw: "snapcell --raw",
    cached: "snapcell, blob cached",
    spares: "snapcell, spare cell",
    compressed_unwarmed: "snapcell, unwarmed",
    compressed_cold: "snapcell, disk",
    raw_cold: "snapcell --raw, disk",
    v8_keep: "V8 snapshot, kKeep",
    v8_clear: "V8 snapshot, kClear",
    v8_keep_unwarmed: "V8 snapshot, unwarmed",
    source: "source",
    code_cache: "source, code cache",
    snapcell: "snapcell run",
    snapcell_raw: "snapcell run, --raw",
    node_compile_cache: "node, compile cache",
    node_snapshot: "node, snapshot",
};
const nameOf = config => names[config] ?? config;
const colorOf = config => colors[config] ?? 6;
const phases = ["lookup", "read", "verify", "decompress", "isolate", "context", "call"];
const phaseColors = {
    lookup: 6,
    read: 7,
    verify: 3,
    decompress: 1,
    isolate: 0,
    context: 4,
    call: 2,
};
const ms = ns => ns / 1e6;
const bytes = n =>
    n >= 1e6 ? `${short(n / 1e6)} MB` : n >= 1e3 ? `${short(n / 1e3)} KB` : `${n} B`;

const figure = (heading, caption, content) =>
    `<figure><h3>${escape(heading)}</h3><figcaption>${escape(caption)}</figcaption>${content}</figure>`;
const charts = figures => `<div class="charts">${figures.filter(Boolean).join("")}</div>`;

function table(columns, rows) {
    const align = ({ text }) => (text ? ' class="t"' : "");
    const head = columns.map(column => `<th${align(column)}>${escape(column.name)}</th>`).join("");
    const body = rows.map(row => {
        const cells = row.map((cell, i) => {
            const { value, style = "" } =
                cell !== null && typeof cell === "object" ? cell : { value: cell };
            const kind = [columns[i].text && "t", columns[i].wrap && "w", style]
                .filter(Boolean)
                .join(" ");
            return `<td${kind ? ` class="${kind}"` : ""}>${escape(value ?? "")}</td>`;
        });
        return `<tr>${cells.join("")}</tr>`;
    });
    return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

function goalsTable(summary) {
    const rows = Object.entries(summary.ratios).map(
        ([name, { value, goal, better, met, what }]) => [
            name,
            value === null ? "not measured" : short(value),
            goal === null
                ? ""
                : `${{ higher: "≥", "at least": "≥", lower: "<", "at most": "≤" }[better]} ${goal}`,
            met === null
                ? ""
                : { value: met ? "✓ met" : "✗ not met", style: met ? "met" : "unmet" },
            what,
        ]
    );
    const columns = [
        { name: "figure", text: true },
        { name: "measured" },
        { name: "goal" },
        { name: "" },
        { name: "what is divided by what", text: true, wrap: true },
    ];
    const withGoal = rows.filter(([, , goal]) => goal);
    const others = rows.filter(([, , goal]) => !goal);
    return (
        table(columns, withGoal) +
        `<details><summary>${others.length} more ratios, without a goal</summary>${table(columns, others)}</details>`
    );
}

const distributionConfigs = [
    "compressed",
    "raw",
    "cached",
    "v8_keep",
    "v8_clear",
    "code_cache",
    "source",
];

function distributions(run, f) {
    const found = distributionConfigs.map(config => run.series("load", f, config)).filter(Boolean);
    if (found.length === 0) return "";
    const series = found.map(({ config, samples }) => ({
        name: nameOf(config),
        color: colorOf(config),
        points: svg.distribution(samples.total_ns.map(ms)),
    }));
    const all = found.flatMap(({ samples }) => samples.total_ns.map(ms)).sort((a, b) => a - b);
    // One outlier must not press everything else together; the table has the maximum.
    const max = all[Math.ceil(all.length * 0.998) - 1] * 1.1;
    const shown = series.map(one => ({ ...one, points: one.points.filter(([x]) => x <= max) }));
    return figure(
        f,
        "share of loads that took no longer; p99.8 of all of them at the right edge",
        svg.lines({
            title: `Distribution of load times of ${f}`,
            series: shown,
            x: svg.log(all[0] * 0.9, max),
            y: svg.linear(0, 1),
            xLabel: "load to response, ms (logarithmic)",
            yLabel: "share of loads",
        }) + svg.legend(series)
    );
}

const phaseConfigs = [
    "compressed",
    "raw",
    "cached",
    "spares",
    "compressed_unwarmed",
    "compressed_cold",
    "raw_cold",
    "v8_keep",
    "v8_clear",
    "v8_keep_unwarmed",
];

function phaseBars(run, f) {
    const found = phaseConfigs.map(config => run.series("load", f, config)).filter(Boolean);
    if (found.length === 0) return "";
    const rows = found.map(({ config, statistics }) => ({
        name: nameOf(config),
        parts: phases
            .filter(phase => statistics[`${phase}_ns`])
            .map(phase => ({
                name: phase,
                color: phaseColors[phase],
                value: ms(statistics[`${phase}_ns`].p50),
            })),
    }));
    return figure(
        f,
        "medians of the phases of a load, one after the other; at the end the median of the whole",
        svg.bars({
            title: `Phases of a load of ${f}`,
            rows,
            xLabel: "ms",
            unit: "ms",
            totalOf: i => ms(found[i].statistics.total_ns.p50),
        }) +
            svg.legend(
                phases.map(phase => ({ name: phase, color: phaseColors[phase] })),
                "box"
            )
    );
}

function processBars(run, f) {
    const found = run.results.series.filter(one => one.group === "process" && one.function === f);
    if (found.length === 0) return "";
    const rows = [...found]
        .sort((a, b) => a.statistics.total_ns.p50 - b.statistics.total_ns.p50)
        .map(({ config, statistics: { total_ns: of } }) => ({
            name: nameOf(config),
            parts: [
                { name: "median", color: config.startsWith("snapcell") ? 0 : 6, value: ms(of.p50) },
            ],
            whisker: [ms(of.min), ms(of.p90)],
        }));
    return figure(
        f,
        "median time from posix_spawn() to the first byte of the response; the line goes from the minimum to p90",
        svg.bars({ title: `Fresh processes answering for ${f}`, rows, xLabel: "ms", unit: "ms" })
    );
}

function sizeChart(run) {
    const functions = [...run.results.functions].sort(
        (a, b) => a.bundle_size_bytes - b.bundle_size_bytes
    );
    const configs = ["compressed", "raw", "cached", "v8_keep", "code_cache", "source"].filter(
        config => functions.some(({ name }) => run.series("load", name, config))
    );
    if (functions.length < 2 || configs.length === 0) return "";
    const series = configs.map(config => ({
        name: nameOf(config),
        color: colorOf(config),
        points: functions.map(({ name, bundle_size_bytes: size }) => [
            size,
            ms(run.p50("load", name, config)),
        ]),
    }));
    const values = series.flatMap(({ points }) => points.map(([, y]) => y));
    const sizes = functions.map(one => one.bundle_size_bytes);
    return figure(
        "Speed against bundle size",
        functions.map(one => `${one.name} ${bytes(one.bundle_size_bytes)}`).join(", "),
        svg.lines({
            title: "Median load time against bundle size",
            series,
            dots: true,
            x: svg.log(Math.min(...sizes) * 0.8, Math.max(...sizes) * 1.25),
            y: svg.log(Math.min(...values) * 0.8, Math.max(...values) * 1.25),
            xLabel: "bundle (logarithmic)",
            yLabel: "median load to response, ms (logarithmic)",
            xFormat: bytes,
        }) + svg.legend(series)
    );
}

function threadsChart(run, f) {
    const configs = ["compressed", "cached", "v8_keep"].filter(
        config => run.throughput(f, config).length > 0
    );
    if (configs.length === 0) return "";
    const series = configs.map(config => ({
        name: nameOf(config),
        color: colorOf(config),
        points: run
            .throughput(f, config)
            .map(one => [one.threads, one.milliloads_per_second.p50 / 1000]),
    }));
    const threads = series[0].points.map(([x]) => x);
    const max = Math.max(...series.flatMap(({ points }) => points.map(([, y]) => y)));
    return figure(
        f,
        `each thread loads, calls and disposes as fast as it can; ${run.results.environment.cpus} CPUs`,
        svg.lines({
            title: `Loads a second of ${f} on several threads`,
            series,
            dots: true,
            x: { ...svg.linear(1, Math.max(...threads)), ticks: threads },
            y: svg.linear(0, max * 1.1),
            xLabel: "threads",
            yLabel: "loads a second",
        }) + svg.legend(series)
    );
}

function memoryBars(run) {
    const rows = run.results.memory.map(one => ({
        name: `${one.function}, ${nameOf(one.config)}`,
        parts: [{ name: "PSS", color: colorOf(one.config), value: one.pss_bytes.p50 / 1e6 }],
        whisker: [one.pss_bytes.min / 1e6, one.pss_bytes.max / 1e6],
    }));
    if (rows.length === 0) return "";
    const { cells_before: few, cells_more: more } = run.results.memory[0];
    return figure(
        "PSS of a live cell",
        `growth of the process from ${few} live cells to ${few + more}, a cell; median of fresh processes`,
        svg.bars({ title: "Resident memory of a live cell", rows, xLabel: "MB", unit: "MB" })
    );
}

function seriesTable(run) {
    const columns = [
        { name: "function", text: true },
        { name: "configuration", text: true },
        { name: "state", text: true },
        ...["n", "min", "p50", "p90", "p99", "max", "minor faults", "major faults"].map(name => ({
            name,
        })),
    ];
    const rows = run.results.series.map(({ function: f, config, state, statistics }) => {
        const of = statistics.total_ns;
        const faults = ["minor_faults", "major_faults"].map(field => statistics[field]?.p50 ?? 0);
        return [
            f,
            config,
            state,
            of.count,
            ...["min", "p50", "p90", "p99", "max"].map(p => ms(of[p]).toFixed(3)),
            ...faults,
        ];
    });
    return table(columns, rows);
}

function methodTable(run) {
    const seen = new Map();
    for (const one of run.results.series) seen.set(`${one.group} ${one.config}`, one);
    const columns = ["configuration", "what", "from", "to", "warm-up, left out"].map(name => ({
        name,
        text: true,
        wrap: name !== "configuration",
    }));
    return table(
        columns,
        [...seen.values()].map(one => [one.config, one.what, one.from, one.to, one.warm_up])
    );
}

function functionsTable(run) {
    const columns = [
        { name: "function", text: true },
        ...["bundle", "snapshot, warmed", "artifact", "artifact, --raw", "snapshot, unwarmed"].map(
            name => ({ name })
        ),
    ];
    const rows = run.results.functions.map(({ name, bundle_size_bytes: bundle, artifacts }) => {
        const find = (warm, raw) => artifacts.find(one => one.warm === warm && one.raw === raw);
        return [
            name,
            bytes(bundle),
            bytes(find(true, false).blob_size_bytes),
            bytes(find(true, false).artifact_size_bytes),
            bytes(find(true, true).artifact_size_bytes),
            bytes(find(false, false).blob_size_bytes),
        ];
    });
    return table(columns, rows);
}

function environmentTable(run) {
    const { environment, seed, samples, processes, started, command } = run.results;
    const facts = { started, command: command.join(" "), seed, samples, processes, ...environment };
    const columns = [
        { name: "fact", text: true },
        { name: "value", text: true, wrap: true },
    ];
    return table(
        columns,
        Object.entries(facts).map(([name, value]) => [name.replaceAll("_", " "), String(value)])
    );
}

function banner(summary) {
    const { noise, missing, warnings } = summary;
    const missed = missing.map(
        ({ peer, function: f, reason }) => `${peer}${f ? ` (${f})` : ""}: ${reason}`
    );
    const reasons = noise.reasons.length
        ? noise.reasons.join("; ")
        : "the same work took about the same time all along";
    return (
        `<p><span class="verdict ${noise.verdict}">${noise.verdict}</span> ${escape(reasons)}.` +
        `${noise.usable ? "" : " Nothing below is to be relied on."}</p>` +
        (summary.quick ? "<p><b>A quick run</b>: fewer samples than a figure needs.</p>" : "") +
        [...warnings, ...missed.map(words => `Left out: ${words}`)]
            .map(words => `<p class="soft">${escape(words)}</p>`)
            .join("")
    );
}

export function page(results) {
    const run = new Run(results);
    const summary = summarize(results);
    const css = readFileSync(new URL("report.css", import.meta.url), "utf8");
    const each = draw => charts(run.functions.map(f => draw(run, f)));
    return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>snapcell bench</title><style>${css}</style></head><body><main>
<h1>Cold starts</h1>
<p class="soft">snapcell ${escape(results.environment.commit)} on ${escape(results.environment.cpu)},
${results.environment.cpus} CPUs, Linux ${escape(results.environment.kernel)}, ${escape(results.started)}</p>
${banner(summary)}
<h2>Ratios within this run</h2>
<p>Each compares medians of configurations that took turns in random order:
${summary.goals_met} of ${summary.goals} goals are met.</p>
${goalsTable(summary)}
<h2>Load to response</h2>
<p>In a warm process. V8's own figures begin with the bytes already in memory; ours hold lookup,
reading, checking and decoding.</p>
${each(distributions)}
<h2>Phases</h2>
${each(phaseBars)}
<h2>Size, memory</h2>
${charts([sizeChart(run), memoryBars(run)])}
${functionsTable(run)}
<h2>Fresh processes</h2>
${each(processBars)}
<h2>Several threads</h2>
${each(threadsChart)}
<h2>All series</h2>
<p>Milliseconds; faults are medians.</p>
${seriesTable(run)}
<h2>Method</h2>
<p>Configurations of a function take turns in blocks, in an order that is drawn again for each round. Percentiles
are measured values (nearest rank). The samples are in results.json and samples.csv.</p>
${methodTable(run)}
<h2>Where</h2>
${environmentTable(run)}
</main></body></html>
`;
}

function main([folder]) {
    if (!folder) {
        console.error("usage: node report.mjs DIR");
        process.exit(2);
    }
    const results = JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));
    const summary = summarize(results);
    const write = (name, text) => writeFileSync(join(folder, name), text);
    write("summary.json", `${JSON.stringify(summary, null, 2)}\n`);
    write("summary.csv", summaryCsv(results));
    write("samples.csv", samplesCsv(results));
    write("report.html", page(results));
    const where = resolve(folder, "report.html");
    console.log(`${summary.goals_met} of ${summary.goals} goals met; the report is ${where}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
