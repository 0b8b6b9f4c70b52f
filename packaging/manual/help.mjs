// Reads the program's own help: what the manual pages, the completions and the reference are made of. The format is
// that of cli_help() and main_print_usage(); text that does not have it is an error, never left out.
import { spawnSync } from "node:child_process";

function say(command, words) {
    const { status, stdout, stderr, error } = spawnSync(
        command[0],
        [...command.slice(1), ...words],
        {
            encoding: "utf8",
        }
    );
    if (error) throw error;
    if (status !== 0) throw new Error(`${command.join(" ")} ${words.join(" ")}: ${stderr}`);
    return stdout;
}

const paragraphsOf = lines => lines.join("\n").trim().split(/\n\n+/).filter(Boolean);

function afterUsage(text, pattern) {
    const [first, ...lines] = text.split("\n");
    const usage = /^Usage: (snapcell .*)$/.exec(first);
    if (!usage) throw new Error(`not a usage line: ${first}`);
    const start = lines.findIndex(line => pattern.test(line));
    if (start < 0) throw new Error(`no line ${pattern} in the help of ${usage[1]}`);
    return { usage: usage[1], before: lines.slice(0, start), after: lines.slice(start + 1) };
}

// The help begins in this column, in the same line where the option leaves room.
const helpColumn = 25;
const optionForm = /^ {2}(?:-(\S), | {4})--([a-z0-9-]+)(?: (\S+|'[^']*'))? *$/;

function optionOf(line) {
    const left = line.slice(0, helpColumn);
    const fits = line.length > helpColumn && optionForm.test(left) && left.endsWith(" ");
    const [, short, name, value] = optionForm.exec(fits ? left : line) ?? [];
    if (!name) throw new Error(`not an option's line: ${line}`);
    return { short, name, value, help: fits ? [line.slice(helpColumn)] : [] };
}

function optionsOf(lines) {
    const options = [];
    for (const line of lines.filter(Boolean))
        if (!line.slice(0, helpColumn).trim()) options.at(-1).help.push(line.slice(helpColumn));
        else options.push(optionOf(line));
    return options;
}

function commandOf({ name, summary }, text) {
    const { usage, before, after } = afterUsage(text, /^Options:$/);
    return {
        name,
        summary,
        usage,
        operands: usage.replace(/^snapcell \S+ \[OPTIONS\] ?/, ""),
        description: paragraphsOf(before),
        options: optionsOf(after),
    };
}

function summaryOf(line) {
    const [, name, summary] = /^ {2}([a-z0-9-]+) {2,}(\S.*)$/.exec(line) ?? [];
    if (!name) throw new Error(`not a command's line: ${line}`);
    return { name, summary };
}

/**
 * The whole program: `{ version, usage, description, commands, notes }`.
 * @param {string[]} command the program, with an emulator before it where one is needed
 */
export function readHelp(command) {
    const { usage, before, after } = afterUsage(say(command, ["--help"]), /^Commands:$/);
    const end = after.indexOf("");
    const [version] = /\d\S*/.exec(say(command, ["--version"]));
    return {
        version,
        usage,
        description: paragraphsOf(before),
        commands: after
            .slice(0, end)
            .map(summaryOf)
            .map(entry => commandOf(entry, say(command, [entry.name, "--help"]))),
        notes: paragraphsOf(after.slice(end)),
    };
}

/** What a value is, for completion: `words`, or one of file, directory, name and any. */
export function kindOf(value) {
    const plain = value.replace(/^[[']+|[\]'.]+$/g, "");
    if (/^[a-z-]+(\|[a-z-]+)+$/.test(plain)) return { words: plain.split("|") };
    if (plain === "DIR") return { kind: "directory" };
    if (/^(FILE|KEYFILE|KEY|OUT)$/.test(plain)) return { kind: "file" };
    if (plain === "REF") return { kind: "name" };
    return { kind: "any" };
}

/** What a command's operands are: the kind of the first that completion knows something of. */
export function operandKind({ operands }) {
    const kinds = operands.split(" ").map(kindOf);
    return kinds.find(({ words, kind }) => words ?? kind !== "any") ?? { kind: "any" };
}

/** The help of an option in a line, of at most `size` characters. */
export function brief({ help }, size = 72) {
    const line = help.join(" ");
    return line.length <= size ? line : `${line.slice(0, size - 3).replace(/[ ,;:(]+\S*$/, "")}...`;
}

export const isRepeatable = ({ help }) => /\brepeatable\b/.test(help.join(" "));
