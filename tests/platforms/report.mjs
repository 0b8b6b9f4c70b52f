// node report.mjs BUILD [--write]: what the tests of a cross build gave, in BUILD/processes and BUILD/machine (plan.mjs),
// as tables; with --write, in docs/platforms.md. A test that did not pass has failed, unless it came to no end, or its
// output shows a known limit of the emulation (limits.json). The status is 1 if any has failed.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const document = join(here, "../../docs/platforms.md");
const places = { processes: "processes", machine: "a machine" };

// With ctest's folder of each test: that of its component.
export function componentsOf(listed) {
    return new Map(
        listed.tests.map(({ name, properties }) => {
            const { value } = properties.find(property => property.name === "WORKING_DIRECTORY");
            return [name, basename(value)];
        })
    );
}

// "passed", "failed", "not ...", or why the emulation cannot do it.
export function outcomeOf(place, { name, status, output, seconds }, limits) {
    if (status === 0) return "passed";
    if (status === undefined)
        return output === undefined
            ? "not begun in the time of the run"
            : "not finished in the time of the run";
    if (status === 124 || status === 137) return `not finished in ${seconds} s`;
    const limit = limits.find(
        each =>
            each.place === place &&
            (each.tests === undefined || new RegExp(each.tests).test(name)) &&
            (each.output === undefined || new RegExp(each.output).test(output))
    );
    return limit?.reason ?? "failed";
}

// " (33 of 37)", of a program of Check's in which checks failed.
export function checksOf(output) {
    const found = /^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)/m.exec(output);
    if (!found) return "";
    const [checks, failures, errors] = found.slice(1).map(Number);
    return failures + errors > 0 ? ` (${checks - failures - errors} of ${checks})` : "";
}

const textOf = path => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

// Of each test that was planned. One without a status did not come to its end.
export function resultsIn(folder) {
    if (!existsSync(join(folder, "planned"))) return [];
    const { names, seconds } = JSON.parse(textOf(join(folder, "planned")));
    const lines = textOf(join(folder, "list")) ?? "";
    const statuses = new Map(
        [...lines.matchAll(/^(\S+) (\d+)$/gm)].map(([, name, status]) => [name, Number(status)])
    );
    return names.map(name => {
        const output = textOf(join(folder, `${name}.out`));
        return { name, seconds, output, status: statuses.get(name) };
    });
}

const row = cells => `| ${cells.join(" | ")} |`;

function kindOf(outcome) {
    if (outcome === "passed" || outcome === "failed") return outcome;
    return outcome.startsWith("not ") ? "unfinished" : "limited";
}

// A row for each component and place.
export function summaryOf(outcomes) {
    const counts = new Map();
    for (const { component, place, outcome } of outcomes) {
        const key = `${component} in ${place}`;
        const none = { passed: 0, failed: 0, limited: 0, unfinished: 0 };
        const count = counts.get(key) ?? { component, place, ...none };
        count[kindOf(outcome)]++;
        counts.set(key, count);
    }
    const sorted = [...counts.values()].sort((a, b) =>
        `${a.component} ${a.place}` < `${b.component} ${b.place}` ? -1 : 1
    );
    return [
        row(["component", "emulated", "passed", "failed", "not possible", "not finished"]),
        row(["---", "---", "---", "---", "---", "---"]),
        ...sorted.map(({ component, place, passed, failed, limited, unfinished }) =>
            row([component, places[place], passed, failed, limited, unfinished])
        ),
    ];
}

// A row for each outcome in each place, with the tests that have it: those that did not pass first.
export function namesOf(outcomes) {
    const groups = new Map();
    const isPassed = ({ outcome }) => Number(outcome === "passed");
    const sorted = [...outcomes].sort((a, b) => isPassed(a) - isPassed(b));
    for (const { name, checks = "", place, outcome } of sorted) {
        const key = `${places[place]} | ${outcome}`;
        groups.set(key, [...(groups.get(key) ?? []), name + checks]);
    }
    const rows = [...groups].map(([key, names]) => row([key, names.sort().join(", ")]));
    return [row(["emulated", "outcome", "tests"]), row(["---", "---", "---"]), ...rows];
}

function main([build, write]) {
    const limits = JSON.parse(readFileSync(join(here, "limits.json"), "utf8"));
    const command = ["--test-dir", build, "--show-only=json-v1"];
    const listed = execFileSync("ctest", command, { encoding: "utf8", maxBuffer: 1 << 28 });
    const components = componentsOf(JSON.parse(listed));
    const outcomes = Object.keys(places).flatMap(place =>
        resultsIn(join(build, place)).map(result => ({
            name: result.name,
            checks: checksOf(result.output ?? ""),
            component: components.get(result.name) ?? "platforms",
            place,
            outcome: outcomeOf(place, result, limits),
        }))
    );
    const text = [...summaryOf(outcomes), "", ...namesOf(outcomes)].join("\n");
    console.log(text);
    if (write === "--write") {
        const before = readFileSync(document, "utf8");
        const rows = /(<!-- rows -->\n)[^]*(\n<!-- end of rows -->)/;
        writeFileSync(
            document,
            before.replace(rows, (_, start, end) => `${start}\n${text}\n${end}`)
        );
    }
    return outcomes.some(({ outcome }) => outcome === "failed") ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(main(process.argv.slice(2)));
