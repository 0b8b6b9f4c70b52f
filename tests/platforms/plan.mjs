// node plan.mjs BUILD RESULTS REGEX [SECONDS] [UNTIL]: the commands that run the tests of a cross build whose names match,
// in an emulator, a line each. Components take turns, so that all come through when the time is up: a test is ended after
// SECONDS, and none begins when its machine is up for UNTIL seconds. A test's output becomes RESULTS/NAME.out; a line of
// RESULTS/list gets its name, and its status. A command that comes too late ends with 255, with which xargs begins no other
// and does not always wait for those that run: each test holds a lock on /tmp/snapcell-tests.
// RESULTS/planned gets the names of all, and the SECONDS. What has a status already does not run again.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { componentsOf } from "./report.mjs";

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

// Each component's first test, each one's second, and so on.
export function inTurns(names, components) {
    const queues = new Map();
    for (const name of names) {
        const component = components.get(name);
        queues.set(component, [...(queues.get(component) ?? []), name]);
    }
    const rounds = Math.max(0, ...[...queues.values()].map(({ length }) => length));
    return Array.from({ length: rounds }, (_, round) =>
        [...queues.values()].flatMap(queue => queue.slice(round, round + 1))
    ).flat();
}

// How often the limits of time in tests are taken: as Check does for its own by this variable.
const timesSlower = 40;

export function commandLine({ name, command, properties }, results, seconds, until) {
    const { ENVIRONMENT = [] } = Object.fromEntries(properties.map(p => [p.name, p.value]));
    // The kernel starts the program: the machine's, or this one with an emulator.
    const words = /\/qemu-[^/]*$/.test(command[0]) ? command.slice(1) : command;
    const environment = [...ENVIRONMENT, `CK_TIMEOUT_MULTIPLIER=${timesSlower}`];
    const run = ["env", ...environment, "timeout", "-k", "5", `${seconds}`, ...words]
        .map(quoted)
        .join(" ");
    // The folder that the sources are in cannot make files without a name.
    const folder = quoted(`/tmp/${name}`);
    const output = quoted(join(results, `${name}.out`));
    const list = `tee -a ${quoted(join(results, "list"))}`;
    const made = `( mkdir -p ${folder} && cd ${folder} && ${run} ) >${output} 2>&1`;
    const held = "exec 9>>/tmp/snapcell-tests; flock -s 9";
    const test = `${held}; ${made} 9>&-; echo "${name} $?" | ${list}; rm -rf ${folder}`;
    if (!until) return test;
    const isTime = `[ "$(cut -d. -f1 /proc/uptime)" -lt ${until} ]`;
    return `if ${isTime}; then ${test}; else exit 255; fi`;
}

// The names of the tests that ended, whatever came of them.
export function endedIn(list) {
    if (!existsSync(list)) return new Set();
    const lines = readFileSync(list, "utf8").split("\n");
    const ended = lines.filter(line => / \d+$/.test(line));
    return new Set(ended.map(line => line.split(" ")[0]));
}

function plannedIn(results) {
    const file = join(results, "planned");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).names : [];
}

function main([build, results, pattern, seconds = "600", until = "0"]) {
    const command = ["--test-dir", build, "--show-only=json-v1"];
    const listed = JSON.parse(
        execFileSync("ctest", command, { encoding: "utf8", maxBuffer: 1 << 28 })
    );
    const tests = new Map(listed.tests.map(test => [test.name, test]));
    const chosen = [...tests.keys()].filter(name => new RegExp(pattern).test(name));
    const ended = endedIn(join(results, "list"));
    const planned = inTurns(
        chosen.filter(name => !ended.has(name)),
        componentsOf(listed)
    );
    const names = [...new Set([...plannedIn(results), ...planned])];
    writeFileSync(join(results, "planned"), JSON.stringify({ names, seconds }));
    for (const name of planned)
        console.log(commandLine(tests.get(name), results, Number(seconds), Number(until)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
