#!/bin/sh
# Limits that the program was started with (ulimit): what was short is told in a line, and what to do.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" >/dev/null || exit 1
cp "$BUNDLES/hello.js" warmed.js

# limited ULIMIT STATUS WHAT MESSAGE ARGUMENTS...
limited() {
    limit=$1 wanted=$2 what=$3 message=$4
    shift 4
    # shellcheck disable=SC2086 # an option and its value
    (ulimit $limit && exec "$SNAPCELL" "$@") >out 2>err </dev/null
    status=$?
    what="$what (ulimit $limit)"
    judge "snapcell $*"
    expect "is told in a line" is_one_message
    expect "says what to do" err_has "$message"
}

for count in 5 6; do
    files="this process may have $count open; raise that limit (ulimit -n)"
    limited "-n $count" 3 "run without files to open" "Too many open files: $files" run hello
    limited "-n $count" 3 "run in a worker" "Too many open files: $files" run hello --policy restore
    limited "-n $count" 3 compile "Too many open files: $files" compile --name other warmed.js
    limited "-n $count" 3 ls "Too many open files: $files" ls
    limited "-n $count" 3 serve "may have $count; raise that limit (ulimit -n)" serve --listen 127.0.0.1:0
done
limited "-n 31" 3 "serve with a few" "needs 32 open files and more" serve --listen 127.0.0.1:0

used="its process used the 1 s of CPU time that one may have here; raise that limit (ulimit -t)"
for policy in restore reload keep; do
    limited "-t 1" 5 "run --policy $policy until its CPU time is over" "$used" run hello /spin --policy "$policy"
done
limited "-t 1" 5 "run until its CPU time is over" "$used" run hello /spin
limited "-S -t 1" 5 "run with a limit that could be raised" "$used" run hello /spin
limited "-t 1" 5 "compile until its CPU time is over" "$used" compile --name other --warm /spin warmed.js

# Sanitizers need more addresses than any limit gives.
if ! grep -aq __asan_init "$SNAPCELL"; then
    space="a process may have 390 MiB of address space here"
    limited "-v 400000" 5 "run without address space" "$space" run hello
    limited "-v 400000" 5 "run in a worker" "$space" run hello --policy restore
    limited "-v 400000" 5 compile "$space" compile --name other warmed.js
    expect "says how much would do" err_has "the engine may need 2560 MiB; raise that limit (ulimit -v)"
fi
run 0 "the store is sound after all of this" verify
done_testing
