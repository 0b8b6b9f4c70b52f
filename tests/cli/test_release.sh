#!/bin/sh
# release: sets of functions that are switched as one, and what keeps them.
. "$(dirname "$0")/helper.sh"

answer() { printf 'export default { fetch() { return new Response("%s"); } };\n' "$2" >"$1.mjs"; }
compile() { # compile NAME ANSWER
    answer "$1" "$2"
    "$SNAPCELL" compile "$1.mjs" >/dev/null 2>&1 || exit 1
}
key_of() { "$SNAPCELL" show "$1" --json | sed 's/.*"key":"\([0-9a-f]*\)".*/\1/'; }
# says NAME ANSWER: what the function answers now
says() { [ "$("$SNAPCELL" run "$1" 2>&1)" = "$2" ]; }

# --- Making
compile one 1a
compile two 2a
run 0 "no releases yet" release ls --json
json "none" 'j.length === 0'
run 3 "nothing to go back to" release rollback
run 0 "a release of all" release create first --json
json "two functions, not active" 'j.release === "first" && j.functions === 2 && !j.active'
run 0 "the same again" release create first
first_one=$(key_of one)
compile one 1b
compile three 3b
run 3 "the same name for something else" release create first
expect "it says why" err_has "never changes"
run 0 "a release of some" release create second one three --who "a test" --activate
expect "it is told" out_is "activated second  (2 artifacts)"

# --- Switching
run 0 "what it holds" release ls second --json
json "two names, with keys" 'j.map(f => f.name).join() === "one,three" && j.every(f => f.current && f.key.length === 32)'
run 0 "the list" release ls --json
json "one is active" 'j.length === 2 && j[0].release === "first" && !j[0].active && j[1].active && j[1].who === "a test"'
expect "one is new" says one 1b
run 0 "activating the first" release activate first --json
expect "one is old" says one 1a
expect "two is there" says two 2a
run 3 "three is away" run three
run 0 "a diff of two" release diff first second --json
json "changed, added, removed" 'j.map(d => d.change + " " + d.name).join() === "changed one,added three,removed two"'
run 0 "a diff with the store" release diff first
expect "none" is_empty out
run 0 "rolling back" release rollback
expect "it says to what" out_is "activated second"
expect "one is new again" says one 1b
expect "three is back" says three 3b
run 3 "two is away" run two
run 3 "no further" release rollback
compile one 1c
run 0 "drift" release diff second --json
json "shows" 'j.length === 1 && j[0].name === "one" && j[0].change === "changed"'
run 0 "activating again" release activate second
expect "undoes it" says one 1b

# --- What happened
run 0 "the history" release ls --history --json
json "all of it" 'j.map(e => e.action[0]).join("") === "ccaara" && j[2].changes.length === 0 && j[3].from === "second" &&
    j[3].changes.some(c => c.name === "three" && c.to === null)'
run 0 "of one function" release ls --history three --json
json "two events" 'j.length === 2 && j[0].changes[0].to === null && j[1].changes[0].from === null'

# --- Keeping
run 3 "a name that the active release holds" rm one
expect "it says which" err_has "'second'"
run 3 "a key that a release holds" rm "$first_one"
run 0 "collecting" gc
run 0 "what the first holds is there" show "$first_one"
run 3 "the active one" release rm second
run 0 "pinning" release pin first
run 3 "a pinned one" release rm first
run 0 "unpinning" release unpin first
for n in 1 2 3; do
    compile one "more $n"
    run 0 "release $n" release create "more$n" one
done
run 0 "what is kept" release keep
expect "everything" out_is "gc keeps all releases"
run 0 "pinning one" release pin more1
run 0 "keeping one" release keep --count 1 --json
json "one" 'j.count === 1 && j.days === 0'
run 0 "collecting" gc
run 0 "the list" release ls --json
# The active one, the way back, the pinned one, and one more.
json "is shorter" 'j.length === 3 && j.some(r => r.release === "second") && j.some(r => r.release === "more1")'
run 0 "keeping by days" release keep --days 1
run 0 "collecting again" gc
run 0 "the list" release ls --json
json "is the same" 'j.length === 3'
run 0 "the store is sound" verify
run 0 "a copy" export one one.bin

# --- Older stores, and others
run 0 "an old store" import one.bin --store old
run 0 "takes releases" release create r one --store old --activate
run 3 "one without a store" release ls --store nowhere

# --- What is wrong
run 3 "a release that is not there" release activate nothing
run 3 "nor to be listed" release ls nothing
run 3 "nor to be compared" release diff nothing
run 3 "a function that is not there" release create third nothing
run 3 "a release of nothing there" release rm third
run 2 "a name that cannot be" release create a/b one
run 2 "no word" release
run 2 "another word" release creat
expect "it guesses" err_has "did you mean 'create'?"
run 2 "too little" release create
run 2 "too much" release rollback now
run 2 "an option of another word" release ls --pin
run 2 "a count that is none" release keep --count x
run 2 "too long" release activate second --who "$(printf '%0300d' 1)"
expect "it says so in a line" is_one_message
done_testing
