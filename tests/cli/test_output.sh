#!/bin/sh
# Standard streams that are closed, full or gone.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" >/dev/null || exit 1

try() { # try STATUS WHAT COMMAND: through a shell, for its redirections; `snapcell` is the program
    wanted=$1 what=$2
    : >out
    : >err
    sh -c "snapcell() { \"\$SNAPCELL\" \"\$@\"; }; $3" 2>err
    status=$?
    judge "$3"
}

if [ -w /dev/full ]; then
    for command in "run hello" "run hello /large" ls "ls --json" "show hello" verify stat engine help "export hello -" "run --help" --version; do
        try 3 "$command to a full disk" "snapcell $command >/dev/full"
        expect "is told in a line" is_one_message
        expect "says why" err_has "No space left"
    done
    try 3 "compile to a full disk" "snapcell compile --json --store s '$BUNDLES/hello.js' >/dev/full"
    try 0 "and yet it is stored" "snapcell run hello --store s >out"
    try 0 "messages to a full disk" "snapcell run hello /log 2>/dev/full >out"
    expect "do not hurt" out_is "hello /log"
fi
for command in "run hello" ls "export hello -" help; do
    try 3 "$command with standard output closed" "snapcell $command >&-"
    expect "is told in a line" is_one_message
done
try 0 "everything closed but standard output" "snapcell run hello <&- 2>&- >out"
expect "answers" out_is "hello /"
try 3 "a body from a closed standard input" "snapcell run hello /echo -d @- <&- >out"
try 3 "import from a closed standard input" "snapcell import - <&- >out"
try 0 "the store is sound after all of this" "snapcell verify >out"

# The status of a pipeline is its last command's; the program's own goes to a file.
for command in "run hello /large" "run hello /large -i" "export hello -" help; do
    try 0 "$command, its reader gone" "{ snapcell $command; echo \$? >status; } | head -c 10 >out"
    expect "is quiet" is_empty err
    expect "is no crash" sh -c '[ "$(cat status)" -lt 6 ]'
done
try 0 "compile, its reader gone" "{ snapcell compile --json --jobs 1 --store p '$BUNDLES/hello.js' '$BUNDLES/handler.js' '$BUNDLES/worker.js'; } | head -n 1 >out"
expect "is quiet" is_empty err
try 0 "goes on to the end" "snapcell ls --json --store p >out"
json "with each bundle" 'j.length === 3'

# Data goes to standard output alone, messages to standard error alone.
try 0 "a terminal is not needed" "TERM=xterm snapcell compile --store q '$BUNDLES/hello.js' '$BUNDLES/handler.js' >out"
expect "no progress is shown to a file" is_empty err
expect "no escape is sent to one" sh -c '! grep -q "$(printf "\033")" out err'
# What an error says cannot steer the terminal.
printf 'throw new Error("\\x1b[31mred\\x07");\n' >escape.js
run 1 "an error with escapes" compile escape.js
expect "sends none" sh -c '! grep -q "$(printf "\033")" err'
done_testing
