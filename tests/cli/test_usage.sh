#!/bin/sh
# Command lines: help, versions, and what is said of a wrong one.
. "$(dirname "$0")/helper.sh"

commands="compile run ls show rm gc verify export import stat recompile engine"

run 2 "no command"
expect "is told in a line" is_one_message
for flag in --help -h help; do
    run 0 "$flag" "$flag"
    for command in $commands; do
        expect "$flag lists $command" grep -q "^  $command " out
    done
    expect "$flag hides the worker" sh -c '! grep -Eq "(compile|cell)-worker" out'
done
for command in $commands; do
    run 0 "$command --help" "$command" --help
    expect "says how it is used" grep -q "^Usage: snapcell $command" out
    expect "tells of --store" out_has "--store DIR"
    expect "says nothing else" is_empty err
    cp out help.txt
    run 0 "help $command" help "$command"
    expect "says the same" cmp out help.txt
    run 0 "$command -h after an operand" "$command" x -h
done
run 0 "--version" --version
expect "names version and engine" grep -Eq '^snapcell [0-9]+\.[0-9]+\.[0-9]+ \(V8 [0-9.]+' out
run 2 "help on what is no command" help nonsense
expect "is told in a line" is_one_message
run 2 "help on two commands" help ls rm

run 2 "an unknown command" frobnicate
expect "is told in a line" is_one_message
run 2 "a mistyped command" complie
expect "gets a guess" err_has "did you mean 'compile'?"
run 2 "another program's word" list
expect "gets a guess" err_has "did you mean 'ls'?"
run 2 "an option before no command" --json
expect "is told in a line" err_has "a command is missing"
for options in "--store none" --store=none "--json --store none" "--store other --store none"; do
    # shellcheck disable=SC2086 # words
    run 3 "$options before a command" $options ls
    expect "is taken by it" err_has "none"
done
run 3 "an option on both sides of a command" --store first ls --store second
expect "is the one after it" err_has "second"
run 0 "an option before help" --store none help ls
expect "is no matter" out_has "Usage: snapcell ls"
run 0 "an option before --version" --store none --version
run 2 "an option without a value before no command" ls --store
run 2 "an option without its value" --store
expect "says so" err_has "--store needs a value: --store DIR"
run 2 "an empty store before a command" --store= ls
expect "says so" err_has "--store needs the path of a directory"
run 2 "an option that the command has not" --sign key ls
expect "says so" err_has "ls has no option '--sign'"
run 2 "a value for a flag before a command" --json=yes ls
expect "says so" err_has "--json takes no value"
run 2 "a mistyped option before the command" --stroe none ls
expect "gets a guess" err_has "did you mean '--store'?"
run 2 "another command's option before the command" --repeat 3 run x
expect "is told in a line" is_one_message

for command in $commands; do
    run 2 "$command --frobnicate" "$command" --frobnicate
    expect "is told in a line" is_one_message
    run 2 "$command -Q" "$command" -Q
    expect "names the letter" err_has "-Q"
    run 2 "$command --store without a value" "$command" x --store
    expect "says so" err_has "--store needs a value"
    run 2 "$command with an empty store" "$command" x --store ""
done
run 2 "a mistyped option" compile --warn / x.js
expect "gets a guess" err_has "did you mean '--warm'?"
run 2 "a value for a flag" ls --json=yes
expect "is refused" err_has "--json takes no value"
run 2 "an option that could be two" run x --re 5
expect "says so" err_has "could be several options"
for command in compile run show rm export import; do
    run 2 "$command without operands" "$command"
    expect "is told in a line" is_one_message
done
run 2 "export without FILE" export hello
run 2 "export with too many" export hello a b
run 2 "show with two" show a b
for command in ls gc stat engine; do
    run 2 "$command with an operand" "$command" operand
    expect "names it" err_has "operand"
done

for value in 0 -1 x 1x "" 99999999999999999999 " 5"; do
    for option in --jobs --level --memory-mb --wall-ms; do
        run 2 "compile $option '$value'" compile "$option=$value" x.js
        expect "is told in a line" is_one_message
    done
    for option in --memory-mb --cpu-ms --wall-ms --repeat; do
        run 2 "run $option '$value'" run "$option=$value" x
    done
done
run 2 "a level that zstd has not" compile --level 20 x.js
run 2 "an unknown format" compile --format umd x.js
expect "names those there are" err_has "esm"
run 2 "a header without a colon" run x -H nonsense
run 2 "a header with a line break" run x -H "a: b
c: d"
run 2 "an environment without =" run x -e MODE
run 2 "an environment without a name" run x -e =value
run 2 "an unknown policy" run x --policy fork
expect "names those there are" err_has "restore, reload or keep"
run 2 "a policy and a network" run x --policy restore --allow-net "*"
run 2 "a policy and a cache" run x --policy restore --cache
run 2 "two bodies" run x -d a -d b
run 2 "a body and an event" run x -d '{}' --event '{}'
run 2 "--name with two files" compile --name n a.js b.js
run 2 "two files of one name" compile a/index.js b/index.js
expect "says which" err_has "'index'"
run 2 "the same file twice" compile a.js a.js
for name in "" "a/b" "$(printf 'a\001b')" "$(printf '%0201d' 1)"; do
    run 2 "the name '$name'" compile --name "$name" "$BUNDLES/hello.js"
    expect "is told in a line" is_one_message
done
run 3 "-- ends the options" compile -- --help
expect "takes the rest for files" err_has "--help"
expect "none of this made a store" is_missing snapcell-store

run 0 "engine" engine
expect "prints the fingerprint" grep -Eq '^fingerprint +[0-9a-f]{32}$' out
run 0 "engine --json" engine --json
json "has its fields" '/^[0-9a-f]{32}$/.test(j.fingerprint) && /^\d+\.\d+/.test(j.v8) && typeof j.flags === "string" && j.arch.length > 2 && j.format_version >= 1'
done_testing
