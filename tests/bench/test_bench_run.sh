#!/bin/sh
# A small run of `snapcell bench`, and what is made of it.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../cli/helper.sh"
bench=$here/../../bench

run 2 "bench without a bundle" bench
run 2 "bench with an unknown part" bench --only nothing "$BUNDLES/hello.js"
run 3 "bench of a file that is not there" bench --out absent "$work/absent.js"
run 1 "bench of a function that fails" bench --out failing --url /throw --samples 1 "$BUNDLES/hello.js"
run 0 "bench tells its options" bench --help
expect "and --quick is among them" grep -q -- --quick out

cat >peers.json <<'EOF'
[
    {"peer": "echo", "function": "hello", "what": "a shell", "argv": ["/bin/sh", "-c", "echo $WORD"], "env": {"WORD": "x"}},
    {"peer": "broken", "function": "hello", "what": "it fails", "argv": ["/bin/sh", "-c", "exit 1"]},
    {"peer": "absent", "missing": "it is not installed"}
]
EOF
run 0 "a small run" bench --quick --json --out results --samples 10 --processes 2 --many 128 --seed 7 --commit abc \
    --peers peers.json "$BUNDLES/hello.js"
json "it is recorded how and where" 'j.schema === "snapcell-bench-1" && j.seed === 7 && j.quick && j.environment.commit === "abc" &&
    ["kernel", "cpu", "governor", "transparent_huge_pages", "v8_version", "v8_flags"].every((k) => typeof j.environment[k] === "string")'
json "the noise is judged" '["quiet", "noisy", "unusable"].includes(j.noise.verdict) && typeof j.noise.usable === "boolean"'
json "both events and the warm-up of each series are named" 'j.series.every((s) => s.from && s.to && s.state && s.warm_up)'
json "every configuration has as many samples as requested" '["source", "code_cache", "v8_keep", "v8_clear", "compressed", "raw",
    "compressed_cold"].every((c) => j.series.some((s) => s.group === "load" && s.config === c && s.statistics.total_ns.count === 10))'
json "statistics are in order" 'j.series.every(({ statistics: { total_ns: t } }) => t.min > 0 && t.min <= t.p50 && t.p50 <= t.p90 &&
    t.p90 <= t.p99 && t.p99 <= t.max)'
json "phases of a load are no longer than the load" 'j.series.filter((s) => s.config === "compressed").every(({ statistics: s }) =>
    s.isolate_ns.min + s.context_ns.min + s.call_ns.min <= s.total_ns.max)'
json "pages that were to be dropped were not in memory" 'j.series.filter((s) => /_cold$/.test(s.config)).every((s) =>
    (s.statistics.resident_bytes?.p50 ?? 0) === 0 || s.statistics.major_faults === undefined)'
json "all configurations answer the same" 'new Set(j.series.filter((s) => s.group === "load").map((s) => s.response_hash)).size === 1'
json "a runtime that works is measured" 'j.series.some((s) => s.config === "echo" && s.statistics.total_ns.count === 2)'
json "one that is missing and one that fails are named" 'j.missing.some((m) => m.peer === "absent" && /not installed/.test(m.reason)) &&
    j.missing.some((m) => m.peer === "broken" && m.function === "hello")'
json "memory of a cell is told" 'j.memory.length >= 3 && j.memory.every((m) => m.pss_bytes.p50 > 0)'
json "loads are counted on one thread and on several" 'j.throughput.some((t) => t.threads === 1) &&
    j.throughput.some((t) => t.threads === 8) && j.throughput.every((t) => t.milliloads_per_second.min > 0)'
json "workers restore, reload and keep a cell" '["worker_reload", "worker_restore", "worker_restore_cold", "worker_keep"].every((c) =>
    j.workers.some((w) => w.config === c && w.function === "hello" && w.own_ns.min > 0 && w.elapsed_ns.min > 0 && w.round_trip_ns.count > 0))'
json "the large store had as many as requested" 'j.many.artifacts === 128 && j.series.filter((s) => s.group === "many").length === 4'
expect "the large store is gone" test ! -e results/bench-store-many

run 0 "a function that counts its calls" bench --quick --only load --json --out counting --samples 10 --url /calls "$BUNDLES/hello.js"
json "answers differently where it was warmed up, which is pointed out" 'j.warnings.some((w) => /answers differently as v8_keep/.test(w))'

expect "a report is made" node "$bench/report.mjs" results
for file in summary.json summary.csv samples.csv report.html; do
    expect "$file is there" test -s "results/$file"
done
cp results/summary.json out
json "ratios are under stable names" 'j.ratios["load_vs_v8_snapshot.hello"].goal === 5 && j.ratios["memory_vs_v8.hello"].value > 0 &&
    j.ratios["process_vs_node.hello"].met === false'
json "a runtime that answers differently is pointed out" 'j.warnings.includes("echo answers hello differently")'

# Where no packages are, every runtime is named.
mkdir -p alone/peers
cp "$bench/peers/prepare.mjs" alone/peers/
expect "runtimes that are not installed are no error" node alone/peers/prepare.mjs made / "$BUNDLES/hello.js"
cp made/peers.json out
json "and are named" '["node", "bun", "deno", "workerd"].every((p) => j.some((e) => e.peer === p && /not installed/.test(e.missing)))'
done_testing
