// Completion for fish.
import { brief, kindOf, operandKind } from "./help.mjs";

const quoted = text => `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'`;

function actionOf({ words, kind }) {
    if (words) return `-xa ${quoted(words.join(" "))}`;
    return {
        directory: "-xa '(__fish_complete_directories)'",
        file: "-rF",
        name: "-xa '(__snapcell_names)'",
        any: "-x",
    }[kind];
}

function optionLine(condition, option) {
    const letter = option.short ? ` -s ${option.short}` : "";
    const value = option.value ? ` ${actionOf(kindOf(option.value))}` : "";
    const help = quoted(brief(option));
    return `complete -c snapcell -n ${quoted(condition)}${letter} -l ${option.name}${value} -d ${help}`;
}

function operandLine(condition, command) {
    const action = actionOf(operandKind(command));
    if (!command.operands || action === "-x") return [];
    return [`complete -c snapcell -n ${quoted(condition)} ${action === "-rF" ? "-F" : action}`];
}

function commandLines(command) {
    const condition = `__fish_seen_subcommand_from ${command.name}`;
    return [
        `complete -c snapcell -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
        ...operandLine(condition, command),
        ...command.options.map(option => optionLine(condition, option)),
    ];
}

export const fishCompletion = ({ commands }, leading) =>
    `# Completion of snapcell's commands and options, made from its help.

function __snapcell_names
    set -l words (commandline -opc)
    set -l store
    if set -l place (contains -i -- --store $words)
        set store --store $words[(math $place + 1)]
    end
    snapcell ls $store 2>/dev/null | awk 'NR > 1 { print $1 }'
end

complete -c snapcell -f
complete -c snapcell -n __fish_use_subcommand -a help -d 'describe a command'
complete -c snapcell -n __fish_use_subcommand -l version -d 'print the version'
complete -c snapcell -n '__fish_seen_subcommand_from help' -xa ${quoted(
        commands.map(({ name }) => name).join(" ")
    )}
${leading.map(option => optionLine("__fish_use_subcommand", option)).join("\n")}
${commands.flatMap(commandLines).join("\n")}
`;
