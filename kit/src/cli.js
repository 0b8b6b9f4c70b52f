// The program: its own commands, and the native program's, which it hands over.
import { asFailure, Failure, failureLine, statuses } from "./failure.js";
import { commands, helpOf, optionsOf } from "./arguments.js";
import { findNative, handOver } from "./native.js";

const own = {
    build: async () => (await import("./command_build.js")).buildCommand,
    check: async () => (await import("./command_check.js")).checkCommand,
    dev: async () => (await import("./command_dev.js")).devCommand,
    init: async () => (await import("./command_init.js")).initCommand,
};

const overview = `Usage: snapcell COMMAND [OPTIONS]

Commands of this package:
${Object.entries(commands)
    .map(([name, { summary }]) => `  ${name.padEnd(9)}  ${summary}`)
    .join("\n")}

Every other command is the native program's: compile, run, serve, ls, show, export, sign and
more; \`snapcell compile --help\` describes one of them.

Options before the command:
  --native FILE  the native program (default: $SNAPCELL, else the one on PATH)
`;

// `--native FILE` may stand before a command that is handed over.
function split(parameters) {
    const [first, second, ...rest] = parameters;
    if (first === "--native" && second !== undefined) return { native: second, rest };
    if (first?.startsWith("--native="))
        return { native: first.slice(9), rest: parameters.slice(1) };
    return { rest: parameters };
}

async function run(parameters) {
    const { native, rest } = split(parameters);
    const [name, ...others] = rest;
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
        (name === undefined ? process.stderr : process.stdout).write(overview);
        return name === undefined ? statuses.usage : statuses.done;
    }
    if (!Object.hasOwn(own, name)) return handOver(findNative({ option: native }), rest);
    const options = optionsOf(name, others);
    if (options.help) {
        process.stdout.write(helpOf(name));
        return statuses.done;
    }
    const command = await own[name]();
    return command({ native, ...options });
}

/**
 * @param {string[]} parameters
 * @returns {Promise<number>} the exit status
 */
export async function main(parameters) {
    process.stdout.on("error", error => process.exit(error.code === "EPIPE" ? 0 : statuses.files));
    try {
        return await run(parameters);
    } catch (caught) {
        const error = asFailure(caught);
        if (error instanceof Failure && parameters.includes("--json"))
            process.stdout.write(`${JSON.stringify({ error })}\n`);
        process.stderr.write(`snapcell: ${failureLine(error)}\n`);
        if (error instanceof Failure) return error.status;
        process.stderr.write(`${error.stack}\n`);
        return statuses.failed;
    }
}
