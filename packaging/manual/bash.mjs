// Completion for bash. It needs no bash-completion: a plain shell can read the file.
import { kindOf, operandKind } from "./help.mjs";

const namesOf = ({ short, name }) => [...(short ? [`-${short}`] : []), `--${name}`];
const actionOf = ({ words, kind }) => (words ? `words ${words.join(" ")}` : kind);

function cases(entries) {
    return entries.map(
        ([patterns, text]) => `    ${patterns.map(p => `"${p}"`).join(" | ")}) echo "${text}" ;;`
    );
}

function valueCases({ name, options }) {
    return options
        .filter(option => option.value)
        .map(option => [
            namesOf(option).map(text => `${name} ${text}`),
            actionOf(kindOf(option.value)),
        ]);
}

const script = (
    commands,
    leading
) => `# Completion of snapcell's commands and options, made from its help.

_snapcell_commands="${commands.map(({ name }) => name).join(" ")} help"

# The options of a command.
_snapcell_options() {
    case $1 in
${cases(commands.map(command => [[command.name], command.options.flatMap(namesOf).join(" ")])).join("\n")}
    *) echo "${leading.flatMap(namesOf).join(" ")} --help --version" ;;
    esac
}

# What the value of COMMAND's OPTION is: file, directory, name, any, or "words" and those. Nothing for a flag.
_snapcell_value() {
    case "$1 $2" in
${cases(commands.flatMap(valueCases)).join("\n")}
${cases(valueCases({ name: "", options: leading })).join("\n")}
    esac
}

# What a command's operands are.
_snapcell_operand() {
    case $1 in
${cases(commands.map(command => [[command.name], actionOf(operandKind(command))])).join("\n")}
    "help") echo "words $_snapcell_commands" ;;
    *) echo "words $_snapcell_commands" ;;
    esac
}

# The names of functions in the store that the line names.
_snapcell_names() {
    local i store=()
    for ((i = 1; i + 1 < \${#COMP_WORDS[@]}; i++)); do
        [ "\${COMP_WORDS[i]}" != --store ] && continue
        [ "\${COMP_WORDS[i + 1]}" = = ] && i=$((i + 1))
        store=(--store "\${COMP_WORDS[i + 1]}")
    done
    "\${COMP_WORDS[0]}" ls "\${store[@]}" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_snapcell_reply() { # KIND [WORD...]: what may stand here, into COMPREPLY
    local IFS=$'\\n' kind=$1
    shift
    case $kind in
    words) COMPREPLY=($(compgen -W "$*" -- "$current")) ;;
    name) COMPREPLY=($(compgen -W "$(_snapcell_names)" -- "$current")) ;;
    directory) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")) ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
    esac
}

_snapcell() {
    local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command= option= i value
    COMPREPLY=()
    # --option=value comes as three words.
    [ "$current" = = ] && { option=$previous; current=; }
    [ "$previous" = = ] && option=\${COMP_WORDS[COMP_CWORD - 2]}
    [ -z "$option" ] && [ "\${previous:0:1}" = - ] && option=$previous
    for ((i = 1; i < COMP_CWORD; i++)); do
        case \${COMP_WORDS[i]} in
        =) i=$((i + 1)) ;;
        -*) [ "\${COMP_WORDS[i + 1]}" != = ] && [ -n "$(_snapcell_value "" "\${COMP_WORDS[i]}")" ] && i=$((i + 1)) ;;
        *) command=\${COMP_WORDS[i]}; break ;;
        esac
    done
    value=$([ -n "$option" ] && _snapcell_value "$command" "$option")
    if [ -n "$value" ]; then
        _snapcell_reply $value
    elif [ "\${current:0:1}" = - ]; then
        _snapcell_reply words $(_snapcell_options "$command")
    else
        _snapcell_reply $(_snapcell_operand "$command")
    fi
}

complete -F _snapcell snapcell
`;

/** @param leading the options that may stand before the command */
export const bashCompletion = ({ commands }, leading) => script(commands, leading);
