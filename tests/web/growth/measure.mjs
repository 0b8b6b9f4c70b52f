// Counts the instructions of each operation of growth.mjs at a size and at four times that, by
// callgrind: what grows with the square takes sixteen times as many, what is in proportion four.
//   node measure.mjs AREA_RUNNER [OPERATION...]; ends with 77 where there is no valgrind
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SIZE = 200;
const TIMES = 4;
const GROWTH_MAX = 12;
const [runner, ...chosen] = process.argv.slice(2);
const bundle = join(dirname(fileURLToPath(import.meta.url)), "growth.mjs");

if (spawnSync("valgrind", ["--version"]).error) {
    console.log("valgrind is not installed");
    process.exit(77);
}

const eventsOf = events => events.flatMap(event => ["--event", JSON.stringify(event)]);

function operations() {
    const quiet = { stdio: ["ignore", "pipe", "ignore"] };
    return JSON.parse(execFileSync(runner, [bundle, ...eventsOf([{}])], quiet).toString());
}

// The instructions of each call, in order. The cell's process is the one with the most dumps.
function count(events) {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-growth-"));
    try {
        const options = [
            "--tool=callgrind",
            `--callgrind-out-file=${join(folder, "%p")}`,
            "--zero-before=engine_cell_invoke",
            "--dump-after=engine_cell_invoke",
        ];
        const quiet = { stdio: "ignore" };
        execFileSync("valgrind", [...options, runner, bundle, ...eventsOf(events)], quiet);
        return readdirSync(folder)
            .filter(name => name.includes("."))
            .sort((a, b) => a.split(".")[1] - b.split(".")[1])
            .map(name => +readFileSync(join(folder, name), "utf8").match(/^totals: (\d+)/m)[1]);
    } finally {
        rmSync(folder, { recursive: true });
    }
}

// Each is done once before, so that what is loaded and compiled then does not count.
const names = chosen.length > 0 ? chosen : operations();
const sizes = [TIMES * SIZE, SIZE, TIMES * SIZE];
const counts = count(names.flatMap(operation => sizes.map(size => ({ operation, size }))));
let failures = 0;
names.forEach((name, i) => {
    const [, one, many] = counts.slice(sizes.length * i);
    const growth = many / one;
    const good = growth < GROWTH_MAX;
    if (!good) failures++;
    console.log(`${good ? "ok" : "not ok"} ${growth.toFixed(1)} ${one} ${many} ${name}`);
});
process.exit(failures > 0 || counts.length !== names.length * sizes.length ? 1 : 0);
