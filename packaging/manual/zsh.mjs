// Completion for zsh: specifications for _arguments.
import { brief, isRepeatable, kindOf, operandKind } from "./help.mjs";

// Within single quotes, of a description in brackets.
const quoted = text => text.replace(/'/g, "'\\''");
const described = text => quoted(text.replace(/[[\]\\:]/g, found => `\\${found}`));

function actionOf({ words, kind }) {
    if (words) return `(${words.join(" ")})`;
    return { directory: "_files -/", file: "_files", name: "_snapcell_names", any: " " }[kind];
}

function optionSpec(option) {
    const { short, name, value } = option;
    const tail = `[${described(brief(option))}]${
        value ? `:${described(value)}:${actionOf(kindOf(value))}` : ""
    }`;
    const sign = value ? "=" : "";
    const once = isRepeatable(option) ? "*" : "";
    if (!short) return `'${once}--${name}${sign}${tail}'`;
    const exclusion = once ? "'*'" : `'(-${short} --${name})'`;
    return `${exclusion}{-${short}${value ? "+" : ""},--${name}${sign}}'${tail}'`;
}

function commandCase(command) {
    const specs = [
        ...command.options.map(optionSpec),
        ...(command.operands
            ? [`'*:${described(command.operands)}:${actionOf(operandKind(command))}'`]
            : []),
    ];
    return `    ${command.name})
        _arguments -s -S \\
            ${specs.join(" \\\n            ")}
        ;;`;
}

export const zshCompletion = ({ commands }, leading) => `#compdef snapcell
# Completion of snapcell's commands and options, made from its help.

_snapcell_names() {
    local -a names
    names=(\${(f)"$(_call_program names snapcell ls \${opt_args[--store]:+--store} \${opt_args[--store]} 2>/dev/null |
        awk 'NR > 1 { print $1 }')"})
    compadd -a names
}

_snapcell_commands() {
    local -a commands
    commands=(
${commands.map(({ name, summary }) => `        '${name}:${quoted(summary)}'`).join("\n")}
        'help:describe a command'
    )
    _describe command commands
}

_snapcell() {
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C -S \\
        ${leading.map(optionSpec).join(" \\\n        ")} \\
        '(- *)--version[print the version]' \\
        '1:command:_snapcell_commands' '*::argument:->argument'
    [[ $state = argument ]] || return
    case $words[1] in
${commands.map(commandCase).join("\n")}
    help) _snapcell_commands ;;
    esac
}

_snapcell "$@"
`;
