// node plan.mjs BUILD RESULTS REGEX...: the commands that run tests of a cross build in an emulator, a line each,
// those of the first REGEX first. A test's output becomes RESULTS/NAME.out; RESULTS/list gets its name and status.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const limitSeconds = 1200;
const [build, results, ...patterns] = process.argv.slice(2);
const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

function commandLine({ name, command, properties }) {
    const { ENVIRONMENT = [] } = Object.fromEntries(properties.map(p => [p.name, p.value]));
    // The kernel starts the program: the machine's, or this one with an emulator.
    const words = /\/qemu-[^/]*$/.test(command[0]) ? command.slice(1) : command;
    const environment = [...ENVIRONMENT, `CK_DEFAULT_TIMEOUT=${limitSeconds}`];
    const run = ["env", ...environment, "timeout", "-k", "5", `${limitSeconds}`, ...words]
        .map(quoted)
        .join(" ");
    // The folder that the sources are in cannot make files without a name.
    const inFolder = `mkdir -p ${quoted(`/tmp/${name}`)} && cd ${quoted(`/tmp/${name}`)} && ${run}`;
    const output = quoted(join(results, `${name}.out`));
    return `( ${inFolder} ) >${output} 2>&1; echo "${name} $?" | tee -a ${quoted(join(results, "list"))}`;
}

const listed = execFileSync("ctest", ["--test-dir", build, "--show-only=json-v1"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
});
const { tests } = JSON.parse(listed);
const chosen = new Set(
    patterns.flatMap(pattern => tests.filter(test => new RegExp(pattern).test(test.name)))
);
for (const test of chosen) console.log(commandLine(test));
