// What the samples of a run amount to: ratios under stable names, each with its goal.
// README.md lists the names.

const per = (hello, reactSsr, mix) => ({ hello, "react-ssr": reactSsr, mix });
const always = value => per(value, value, value);

// `better` tells on which side of the goal a value must lie; a ratio without a goal informs only.
const definitions = [
    {
        name: "load_vs_v8_snapshot",
        what: "V8's snapshot on the default platform (kKeep, blob in memory) / lookup to response, p50",
        better: "higher",
        goals: per(5, 5, 4),
        value: (run, f) => run.p50("load", f, "v8_keep") / run.p50("load", f, "compressed"),
    },
    {
        name: "load_vs_v8_snapshot_clear",
        what: "the same against V8's snapshot without compiled code (kClear)",
        better: "higher",
        value: (run, f) => run.p50("load", f, "v8_clear") / run.p50("load", f, "compressed"),
    },
    {
        name: "load_vs_source",
        what: "compiling and evaluating the source / lookup to response, p50",
        better: "higher",
        goals: per(6, 18, 25),
        value: (run, f) => run.p50("load", f, "source") / run.p50("load", f, "compressed"),
    },
    {
        name: "load_vs_code_cache",
        what: "the source with V8's code cache / lookup to response, p50",
        better: "higher",
        value: (run, f) => run.p50("load", f, "code_cache") / run.p50("load", f, "compressed"),
    },
    {
        name: "load_unwarmed_vs_v8_snapshot_unwarmed",
        what: "as load_vs_v8_snapshot, both compiled without --warm",
        better: "higher",
        value: (run, f) =>
            run.p50("load", f, "v8_keep_unwarmed") / run.p50("load", f, "compressed_unwarmed"),
    },
    {
        name: "load_raw_vs_v8_snapshot",
        what: "as load_vs_v8_snapshot, the artifact stored --raw",
        better: "higher",
        value: (run, f) => run.p50("load", f, "v8_keep") / run.p50("load", f, "raw"),
    },
    {
        name: "load_cached_vs_v8_snapshot",
        what: "as load_vs_v8_snapshot, the decoded blob in the loader's cache",
        better: "higher",
        value: (run, f) => run.p50("load", f, "v8_keep") / run.p50("load", f, "cached"),
    },
    {
        name: "spare_ready_us",
        what: "a spare cell, from lookup until the cell can be called, p50, in us",
        better: "lower",
        goals: always(100),
        value: (run, f) => run.ready("load", f, "spares") / 1e3,
    },
    {
        name: "spare_us",
        what: "a cell that was ready before it was requested: lookup to response, p50, in us (not a load)",
        better: "lower",
        value: (run, f) => run.p50("load", f, "spares") / 1e3,
    },
    {
        name: "load_p99_vs_p50",
        what: "p99 / p50 of lookup to response",
        better: "lower",
        goals: always(2),
        value: (run, f) => run.p("p99", "load", f, "compressed") / run.p50("load", f, "compressed"),
    },
    {
        name: "process_vs_node",
        what: "node / snapcell run, exec to response, p50",
        better: "higher",
        goals: per(12, 10, 10),
        value: (run, f) => run.p50("process", f, "node") / run.p50("process", f, "snapcell"),
    },
    {
        name: "process_vs_bun",
        what: "bun / snapcell run, exec to response, p50",
        better: "higher",
        goals: per(2.5, 4, 4),
        value: (run, f) => run.p50("process", f, "bun") / run.p50("process", f, "snapcell"),
    },
    ...["node_compile_cache", "node_snapshot", "deno", "workerd"].map(peer => ({
        name: `process_vs_${peer}`,
        what: `${peer} / snapcell run, exec to response, p50`,
        better: "higher",
        value: (run, f) => run.p50("process", f, peer) / run.p50("process", f, "snapcell"),
    })),
    {
        name: "memory_vs_v8",
        what: "PSS of a live cell, loader's defaults / of V8's own isolate from the same blob",
        better: "lower",
        goals: per(1.1, 1.0, 0.9),
        value: (run, f) => run.pss(f, "cached") / run.pss(f, "v8_keep"),
    },
    {
        name: "memory_uncached_vs_v8",
        what: "the same without the loader's cache: each cell has its own copy of the blob",
        better: "lower",
        value: (run, f) => run.pss(f, "compressed") / run.pss(f, "v8_keep"),
    },
    {
        name: "memory_raw_vs_v8",
        what: "the same, the artifact stored --raw",
        better: "lower",
        value: (run, f) => run.pss(f, "raw") / run.pss(f, "v8_keep"),
    },
    {
        name: "throughput_two_threads",
        what: "loads a second on two threads / on one",
        better: "at least",
        goals: always(1.8),
        value: (run, f) => run.rate(f, "compressed", 2) / run.rate(f, "compressed", 1),
    },
    {
        name: "restore_vs_load",
        what: "a worker's own time for load, call and dispose / for restore and call, hot, p50",
        better: "at least",
        goals: { hello: 50, "react-ssr": 28, "hono-api": 50, mix: 85 },
        value: (run, f) =>
            run.worker(f, "worker_reload", "own_ns") / run.worker(f, "worker_restore", "own_ns"),
    },
    {
        name: "restore_cold_vs_load",
        what: "the same, restored as the cell was loaded",
        better: "at least",
        goals: { hello: 25, "react-ssr": 6, "hono-api": 22, mix: 3 },
        value: (run, f) =>
            run.worker(f, "worker_reload", "own_ns") /
            run.worker(f, "worker_restore_cold", "own_ns"),
    },
    {
        name: "restore_us",
        what: "restoring memory after a call, p50, in us",
        better: "lower",
        goals: { hello: 30, "react-ssr": 50, "hono-api": 50, mix: 70 },
        value: (run, f) => run.worker(f, "worker_restore", "restore_ns") / 1e3,
    },
    {
        name: "restore_p99_vs_p50",
        what: "p99 / p50 of calls in a row to a worker that restores, request to response",
        better: "lower",
        goals: { hello: 2, "react-ssr": 2, "hono-api": 2, mix: 2 },
        value: (run, f) =>
            run.worker(f, "worker_restore", "round_trip_ns", "p99") /
            run.worker(f, "worker_restore", "round_trip_ns"),
    },
    {
        name: "echo_p99_vs_p50",
        what: "the same of an empty message to another process and back: the machine's own",
        better: "lower",
        value: (run, f) =>
            run.worker(f, "echo", "round_trip_ns", "p99") / run.worker(f, "echo", "round_trip_ns"),
    },
    {
        name: "worker_restore_vs_keep",
        what: "calls a second of a worker that restores / of one that keeps its cell",
        better: "at least",
        goals: { hello: 0.4, "react-ssr": 0.6, "hono-api": 0.6, mix: 0.7 },
        value: (run, f) =>
            run.worker(f, "worker_keep", "elapsed_ns") /
            run.worker(f, "worker_restore", "elapsed_ns"),
    },
    ...["node_hot", "bun_hot", "deno_hot", "workerd_hot"].map(peer => ({
        name: `restore_vs_${peer}`,
        what: `calls a second of a worker that restores / of ${peer}, whose instance all calls share`,
        better: "higher",
        value: (run, f) =>
            run.worker(f, peer, "elapsed_ns") / run.worker(f, "worker_restore", "elapsed_ns"),
    })),
    {
        name: "image_vs_load",
        what: "cached load and call in a warm process / blank launcher to response by image, p50",
        better: "at least",
        goals: { hello: 2.5, "react-ssr": 3, "hono-api": 3.5, mix: 7 },
        value: (run, f) => run.p50("load", f, "cached") / run.launch(f, "blank_ns"),
    },
    {
        name: "launch_vs_run",
        what: "snapcell run, exec to response / spawn of a launcher to response by image, p50",
        better: "at least",
        goals: { hello: 6, "react-ssr": 6, "hono-api": 7, mix: 10 },
        value: (run, f) => run.p50("process", f, "snapcell") / run.launch(f, "spawn_ns"),
    },
    {
        name: "launch_vs_node",
        what: "node, exec to response / spawn of a launcher to response by image, p50",
        better: "at least",
        goals: { hello: 25, "react-ssr": 25, "hono-api": 25, mix: 30 },
        value: (run, f) => run.p50("process", f, "node") / run.launch(f, "spawn_ns"),
    },
    {
        name: "workers_pss_vs_separate",
        what: "PSS of live workers of one function from an image / of as many that load it each",
        better: "lower",
        goals: { hello: 0.5, "react-ssr": 0.5, "hono-api": 0.5, mix: 0.5 },
        value: (run, f) =>
            run.launched(f)?.launched_pss_bytes / (run.launched(f)?.separate_pss_bytes || NaN),
    },
    {
        name: "restore_large_vs_load",
        what: "as restore_vs_load, a function that writes 50 MB in each call; once a run",
        better: "higher",
        goals: { hello: 1 },
        value: (run, f) =>
            f === run.functions[0]
                ? run.worker("touch-50mb", "worker_reload", "own_ns") /
                  run.worker("touch-50mb", "worker_restore", "own_ns")
                : NaN,
    },
    {
        name: "worker_memory_vs_reload",
        what: "PSS of a worker that restores, hot / of one that reloads",
        better: "lower",
        goals: { hello: 1.1, "react-ssr": 1.1, "hono-api": 1.1, mix: 1.1 },
        value: (run, f) =>
            run.worker(f, "worker_restore", "pss_bytes") /
            run.worker(f, "worker_reload", "pss_bytes"),
    },
    {
        name: "many_lookup_by_key_us",
        what: "lookup in the large store by key, p50, in us",
        better: "lower",
        goals: per(5),
        value: (run, f) => run.p50("many", f, "many_by_key", "lookup_ns") / 1e3,
    },
    {
        name: "many_lookup_by_name_us",
        what: "lookup in the large store by name, p50, in us",
        better: "lower",
        goals: per(5),
        value: (run, f) => run.p50("many", f, "many_by_name", "lookup_ns") / 1e3,
    },
    {
        name: "many_load_by_key",
        what: "a load from the large store / from the small one, by key, p50",
        better: "at most",
        goals: per(1.1),
        value: (run, f) => run.p50("many", f, "many_by_key") / run.p50("many", f, "few_by_key"),
    },
    {
        name: "many_load_by_name",
        what: "a load from the large store / from the small one, by name, p50",
        better: "at most",
        goals: per(1.1),
        value: (run, f) => run.p50("many", f, "many_by_name") / run.p50("many", f, "few_by_name"),
    },
];

export const goalNames = definitions.map(({ name }) => name);

// Looks figures up in results.json; what was not measured is NaN.
export class Run {
    constructor(results) {
        this.results = results;
    }
    series(group, name, config) {
        return this.results.series.find(
            one => one.group === group && one.function === name && one.config === config
        );
    }
    p(which, group, name, config, field = "total_ns") {
        return this.series(group, name, config)?.statistics[field]?.[which] ?? NaN;
    }
    p50(group, name, config, field) {
        return this.p("p50", group, name, config, field);
    }
    // Until the cell could be called: the median of what each sample was without its call.
    ready(group, name, config) {
        const { total_ns: total, call_ns: call } = this.series(group, name, config)?.samples ?? {};
        if (!total || !call) return NaN;
        const ready = total.map((ns, i) => ns - call[i]).sort((a, b) => a - b);
        return ready[Math.ceil(ready.length / 2) - 1];
    }
    memory(name, config) {
        return this.results.memory.find(one => one.function === name && one.config === config);
    }
    pss(name, config) {
        return this.memory(name, config)?.pss_bytes.p50 ?? NaN;
    }
    worker(name, config, field, which = "p50") {
        const of = this.results.workers?.find(
            one => one.function === name && one.config === config
        )?.[field];
        // A worker that could not restore gives zeros.
        return of?.[which] || NaN;
    }
    launched(name) {
        return this.results.launches?.find(one => one.function === name);
    }
    launch(name, field, which = "p50") {
        return this.launched(name)?.[field]?.[which] || NaN;
    }
    throughput(name, config) {
        return this.results.throughput
            .filter(one => one.function === name && one.config === config)
            .sort((a, b) => a.threads - b.threads);
    }
    rate(name, config, threads) {
        const found = this.throughput(name, config).find(one => one.threads === threads);
        return found ? found.milliloads_per_second.p50 / 1000 : NaN;
    }
    get functions() {
        return this.results.functions.map(({ name }) => name);
    }
}

const isMet = {
    higher: (value, goal) => value >= goal,
    "at least": (value, goal) => value >= goal,
    lower: (value, goal) => value < goal,
    "at most": (value, goal) => value <= goal,
};

function ratiosOf(run) {
    const ratios = {};
    for (const { name, what, better, goals = {}, value } of definitions)
        for (const f of run.functions) {
            const measured = value(run, f);
            const goal = goals[f] ?? null;
            // A goal that could not be measured is named, too: nobody should take it for met.
            if (!Number.isFinite(measured) && goal === null) continue;
            const known = Number.isFinite(measured);
            ratios[`${name}.${f}`] = {
                value: known ? Number(measured.toPrecision(4)) : null,
                goal,
                better,
                met: goal === null ? null : known && isMet[better](measured, goal),
                what,
            };
        }
    return ratios;
}

// Peers that answer otherwise than we do did other work. A server's response is not looked at.
function differing(run) {
    return run.results.series
        .filter(({ group, response_hash }) => group === "process" && !/^0+$/.test(response_hash))
        .filter(
            ({ function: f, response_hash }) =>
                run.series("process", f, "snapcell")?.response_hash !== response_hash
        )
        .map(({ function: f, config }) => `${config} answers ${f} differently`);
}

export function summarize(results) {
    const run = new Run(results);
    const ratios = ratiosOf(run);
    const goals = Object.values(ratios).filter(({ goal }) => goal !== null);
    return {
        schema: "snapcell-bench-summary-1",
        started: results.started,
        quick: results.quick,
        commit: results.environment.commit,
        usable: results.noise.usable,
        verdict: results.noise.verdict,
        noise: results.noise,
        warnings: [...results.warnings, ...differing(run)],
        missing: results.missing,
        goals_met: goals.filter(({ met }) => met).length,
        goals: goals.length,
        ratios,
    };
}

// --- CSV

const quote = cell =>
    /[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell;
const csv = rows => rows.map(row => row.map(quote).join(",") + "\n").join("");

export function summaryCsv(results) {
    const columns = ["count", "min", "p50", "p90", "p99", "max"];
    const rows = results.series.flatMap(({ group, function: f, config, statistics }) =>
        Object.entries(statistics).map(([field, of]) => [
            group,
            f,
            config,
            field,
            ...columns.map(c => of[c]),
        ])
    );
    return csv([["group", "function", "config", "field", ...columns], ...rows]);
}

export function samplesCsv(results) {
    const fields = [...new Set(results.series.flatMap(({ samples }) => Object.keys(samples)))];
    const rows = results.series.flatMap(({ group, function: f, config, samples }) =>
        samples.total_ns.map((_, i) => [
            group,
            f,
            config,
            i,
            ...fields.map(field => samples[field]?.[i] ?? ""),
        ])
    );
    return csv([["group", "function", "config", "sample", ...fields], ...rows]);
}
