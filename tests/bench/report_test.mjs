// What is made of a run's results: ratios, tables, CSV and the page.
import assert from "node:assert/strict";
import test from "node:test";
import { page } from "../../bench/report.mjs";
import { goalNames, samplesCsv, summarize, summaryCsv } from "../../bench/summary.mjs";
import * as svg from "../../bench/svg.mjs";
import { fill, tables } from "../../bench/tables.mjs";

const statistics = (p50, p99 = p50) => ({ count: 2, min: p50, p50, p90: p50, p99, max: p99 });

function series(group, config, p50, p99, more = {}) {
    return {
        group,
        function: "hello",
        config,
        what: `what ${config} is`,
        state: "warm",
        from: "a",
        to: "b",
        warm_up: "none",
        response_hash: "00000000000000aa",
        statistics: { total_ns: statistics(p50, p99), lookup_ns: statistics(2000) },
        samples: { total_ns: [p50, p99 ?? p50], lookup_ns: [2000, 2000] },
        ...more,
    };
}

const memory = (config, bytes) => ({
    function: "hello",
    config,
    what: "",
    cells_before: 4,
    cells_more: 16,
    pss_bytes: statistics(bytes),
    rss_bytes: statistics(bytes),
    private_bytes: statistics(bytes),
});
const worker = (config, own, elapsed, restore = 0) => ({
    function: "hello",
    config,
    what: "",
    own_ns: statistics(own),
    elapsed_ns: statistics(elapsed),
    round_trip_ns: statistics(elapsed, 3 * elapsed),
    restore_ns: statistics(restore),
    pss_bytes: statistics(own),
});
const throughput = (threads, rate) => ({
    function: "hello",
    config: "compressed",
    what: "",
    threads,
    duration_ms: 1,
    milliloads_per_second: statistics(rate),
});

function results() {
    const artifact = { blob_size_bytes: 5000, artifact_size_bytes: 900, source_size_bytes: 300 };
    return {
        schema: "snapcell-bench-1",
        started: "2026-01-01T00:00:00Z",
        command: ["bench", "<b>.js"],
        quick: true,
        seed: 1,
        samples: 2,
        processes: 1,
        warnings: [],
        environment: {
            commit: "abc",
            cpu: "A & B",
            cpus: 2,
            kernel: "6",
            v8_version: "13",
            v8_flags: "",
            governor: "x",
            transparent_huge_pages: "never",
            v8_flags_of_baselines: "none",
        },
        functions: [
            {
                name: "hello",
                bundle_size_bytes: 300,
                url: "/",
                artifacts: [
                    { warm: true, raw: false, ...artifact },
                    { warm: true, raw: true, ...artifact },
                    { warm: false, raw: false, ...artifact },
                ],
            },
        ],
        series: [
            series("load", "compressed", 1_000_000, 1_500_000),
            series("load", "v8_keep", 6_000_000),
            series("load", "source", 5_000_000),
            series("process", "snapcell", 10_000_000),
            series("process", "bun", 25_000_000),
            series("process", "workerd", 90_000_000, undefined, {
                response_hash: "0000000000000000",
            }),
        ],
        memory: [memory("cached", 1_200_000), memory("v8_keep", 1_000_000)],
        throughput: [throughput(2, 1_800_000), throughput(1, 1_000_000)],
        workers: [
            worker("worker_reload", 2_000_000, 2_500_000),
            worker("worker_restore", 40_000, 100_000, 20_000),
            worker("worker_restore_cold", 100_000, 200_000, 25_000),
            worker("worker_keep", 10_000, 50_000),
            { ...worker("worker_reload", 9_000_000, 9_000_000), function: "touch-50mb" },
            { ...worker("worker_restore", 6_000_000, 6_000_000, 9), function: "touch-50mb" },
        ],
        missing: [{ peer: "node", reason: "not <installed>" }],
        noise: { verdict: "noisy", usable: true, reasons: ["it was loud"] },
    };
}

test("ratios are quotients of medians, on the right side of their goals", () => {
    const { ratios } = summarize(results());
    const check = (name, value, met) => {
        assert.equal(ratios[`${name}.hello`].value, value, name);
        assert.equal(ratios[`${name}.hello`].met, met, name);
    };
    check("load_vs_v8_snapshot", 6, true);
    check("load_vs_source", 5, false);
    check("load_p99_vs_p50", 1.5, true);
    check("process_vs_bun", 2.5, true);
    check("memory_vs_v8", 1.2, false);
    check("throughput_two_threads", 1.8, true);
    check("restore_vs_load", 50, true);
    check("restore_cold_vs_load", 20, false);
    check("restore_us", 20, true);
    check("restore_p99_vs_p50", 3, false);
    check("worker_restore_vs_keep", 0.5, true);
    check("restore_large_vs_load", 1.5, true);
    check("worker_memory_vs_reload", 0.02, true);
});

test("a worker that could not restore meets no goal", () => {
    const run = results();
    run.workers = [worker("worker_reload", 2_000_000, 2_500_000), worker("worker_restore", 9, 9)];
    const { ratios } = summarize(run);
    assert.equal(ratios["restore_us.hello"].value, null);
    assert.equal(ratios["restore_us.hello"].met, false);
    assert.equal(ratios["restore_cold_vs_load.hello"].met, false);
});

test("a goal that was not measured is named and not met", () => {
    const summary = summarize(results());
    assert.deepEqual(
        [
            summary.ratios["process_vs_node.hello"].value,
            summary.ratios["process_vs_node.hello"].met,
        ],
        [null, false]
    );
    assert.equal(summary.missing[0].peer, "node");
    assert.equal("load_cached_vs_v8_snapshot.hello" in summary.ratios, false);
    assert.equal(
        summary.goals_met,
        Object.values(summary.ratios).filter(({ met }) => met === true).length
    );
});

test("a spare cell is ready after what is not the call, sample by sample", () => {
    const with_spares = results();
    const samples = {
        total_ns: [100_000, 900_000, 60_000],
        call_ns: [90_000, 880_000, 55_000],
        lookup_ns: [1, 1, 1],
    };
    with_spares.series.push(series("load", "spares", 100_000, undefined, { samples }));
    assert.equal(summarize(with_spares).ratios["spare_ready_us.hello"].value, 10);
});

test("the names of the ratios are stable", () => {
    for (const name of [
        "load_vs_v8_snapshot",
        "load_vs_source",
        "load_p99_vs_p50",
        "process_vs_node",
        "process_vs_bun",
        "memory_vs_v8",
        "throughput_two_threads",
        "many_lookup_by_key_us",
        "many_lookup_by_name_us",
        "many_load_by_key",
        "many_load_by_name",
    ])
        assert.ok(goalNames.includes(name), name);
});

test("a runtime that answers differently is pointed out", () => {
    const other = results();
    assert.deepEqual(summarize(other).warnings, []);
    other.series.find(({ config }) => config === "bun").response_hash = "00000000000000bb";
    assert.deepEqual(summarize(other).warnings, ["bun answers hello differently"]);
});

test("the page is whole by itself, and text in it is escaped", () => {
    const html = page(results());
    assert.match(html, /<svg[^]*<\/svg>/);
    assert.doesNotMatch(html, /(src|href)="|@import|url\(|<script/);
    assert.doesNotMatch(html, /<b>\.js|not <installed>|A & B,|NaN|undefined/);
    assert.match(html, /noisy/);
});

test("CSV has a line for each field, and for each sample", () => {
    assert.equal(summaryCsv(results()).trim().split("\n").length, 1 + 6 * 2);
    const lines = samplesCsv(results()).trim().split("\n");
    assert.equal(lines.length, 1 + 6 * 2);
    assert.equal(lines[0], "group,function,config,sample,total_ns,lookup_ns");
    assert.equal(lines[2], "load,hello,compressed,1,1500000,2000");
});

test("tables go between their markers, again and again", () => {
    const page = Object.keys(tables)
        .map(name => `${name}\n<!-- bench: ${name} -->\nold\n<!-- /bench -->\n`)
        .join("");
    const once = fill(page, results());
    assert.doesNotMatch(once, /\nold\n|NaN|undefined/);
    assert.equal(fill(once, results()), once);
    assert.match(once, /`load_vs_v8_snapshot\.hello` \| 6 \| at least 5 \| yes/);
    assert.throws(
        () => fill("<!-- bench: nothing -->\n<!-- /bench -->", results()),
        /no table "nothing"/
    );
});

test("distributions rise to 1 and end at the maximum", () => {
    const points = svg.distribution(Array.from({ length: 5000 }, (_, i) => 5000 - i));
    assert.deepEqual(points.at(-1), [5000, 1]);
    assert.ok(points.length < 300);
    assert.ok(
        points.every(([x, y], i) => i === 0 || (x > points[i - 1][0] && y > points[i - 1][1]))
    );
});
