// Compiles every bundled example into build/demo-store, loads each from it, and prints its response
// and a table.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

const build = new URL("../build/", import.meta.url).pathname;
const program = join(build, "snapcell");
const store = join(build, "demo-store");
const repeats = 30;
// What a function is called with when it isn't "GET /". `embed` needs a host function, which only
// examples/embed.c adds.
const calls = {
    hello: ["/?name=snapshot"],
    "json-handler": [
        "--event",
        '{"readings":[{"zone":"home","celsius":19},{"zone":"office","celsius":24}]}',
    ],
    commonjs: ["/", "-d", "a body"],
    "hono-api": ["/notes/1"],
    graphql: ["/?query={books(since:1850){title+author{name}}}"],
    jwt: ["/sign-in", "-d", '{"user":"ada","minutes":5}'],
    webhook: [
        "/",
        "-H",
        "X-Hub-Signature-256: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "-d",
        "Hello, World!",
    ],
    typescript: ["/?t=451F"],
};
const skipped = ["embed"];

function snapcell(...args) {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
        encoding: "utf8",
        env: { ...process.env, SNAPCELL_STORE: store },
        maxBuffer: 1 << 26,
    });
    if (error) throw error;
    if (status !== 0) {
        process.stderr.write(stderr);
        throw new Error(`snapcell ${args.join(" ")} ended with status ${status}`);
    }
    return { stdout, stderr };
}

const jsonLines = text =>
    text
        .split("\n")
        .filter(line => line.startsWith("{"))
        .map(line => JSON.parse(line));

function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
}

function excerpt(text, lines = 4, columns = 96) {
    const all = text.replace(/\n$/, "").split("\n");
    const cut = all
        .slice(0, lines)
        .map(line => (line.length > columns ? `${line.slice(0, columns)}...` : line));
    return [...cut, ...(all.length > lines ? [`(${all.length - lines} more lines)`] : [])];
}

const quoted = arg => (/^[\w\/:.-]+$/.test(arg) ? arg : `'${arg}'`);

const compile = (...args) => jsonLines(snapcell("compile", "--json", ...args).stdout)[0];

function medianLoad(name, args) {
    const { stderr } = snapcell("run", name, ...args, "--repeat", String(repeats), "--timings");
    return (median(jsonLines(stderr).map(({ total_ns }) => total_ns)) / 1e6).toFixed(2);
}

function demonstrate(name, bundle) {
    const args = calls[name] ?? ["/"];
    const compiled = compile("--name", name, bundle);
    console.log(`\n$ snapcell run ${[name, ...args].map(quoted).join(" ")}`);
    for (const line of excerpt(snapcell("run", name, ...args).stdout)) console.log(`  ${line}`);

    // A warm-up is a request: a handler of events has none.
    const canWarm = !args.includes("--event");
    const warmed = `${name}, warmed`;
    if (canWarm) compile("--name", warmed, "--warm", args[0], bundle);
    return {
        function: name,
        "bundle bytes": compiled.source_bytes,
        "snapshot bytes": compiled.snapshot_bytes,
        "artifact bytes": compiled.artifact_bytes,
        "compile ms": compiled.cached ? "in store" : compiled.compile_ms.toFixed(0),
        "load to response ms": medianLoad(name, args),
        "warmed ms": canWarm ? medianLoad(warmed, args) : "-",
    };
}

function printTable(rows) {
    const columns = Object.keys(rows[0]);
    const widths = columns.map(column =>
        Math.max(column.length, ...rows.map(row => String(row[column]).length))
    );
    const pad = (cell, i) =>
        i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]);
    const line = cells => `| ${cells.map(pad).join(" | ")} |`;
    console.log(line(columns));
    console.log(line(widths.map(width => "-".repeat(width))));
    for (const row of rows) console.log(line(columns.map(column => row[column])));
}

const bundles = readdirSync(join(build, "examples"))
    .filter(file => file.endsWith(".js"))
    .sort();
const rows = bundles
    .map(file => [basename(file, ".js"), join(build, "examples", file)])
    .filter(([name]) => !skipped.includes(name))
    .map(([name, bundle]) => demonstrate(name, bundle));
console.log(`\nEach function from the store ${store};`);
console.log(`load to response is the median of ${repeats} loads in one process, as compiled, and`);
console.log("(warmed) compiled with --warm: the handler ran once before the snapshot was taken.\n");
printTable(rows);
