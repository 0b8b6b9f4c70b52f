#!/bin/sh
# The worker process of run: what becomes of it, and of whoever waits for it.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" >/dev/null || exit 1

# Starts a call that does not end, and sets $supervisor and $worker once the function runs.
begin() {
    : >out
    : >err
    "$SNAPCELL" run hello /log-and-sleep "$@" >out 2>err </dev/null &
    supervisor=$!
    tries=0
    until grep -q begun err || [ "$tries" -gt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    read -r worker _ <"/proc/$supervisor/task/$supervisor/children"
}

ends_with() { # ends_with STATUS: of the supervisor
    wait "$supervisor"
    status=$?
    [ "$status" = "$1" ] && return
    echo "status $status"
    return 1
}

is_gone() {
    tries=0
    while [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -gt 500 ] && return 1
        sleep 0.02
    done
    return 0
}

# V8 has no handlers for these; sanitizers have, and tell of it themselves.
if ! grep -aq __asan_init "$SNAPCELL"; then
    for signal in SEGV ABRT BUS TRAP ILL; do
        begin
        kill -s "$signal" "$worker"
        expect "SIG$signal in the worker is trouble" ends_with 3
        expect "is told of in a line" err_has "snapcell: hello: the engine found a fault in itself"
    done
fi
begin
kill -s KILL "$worker"
expect "a worker that is killed is taken for one that had no memory" ends_with 5
expect "is told of in a line" err_has "snapcell: hello: the worker process was killed"
begin
kill -s TERM "$worker"
expect "a signal that ends the worker ends the program" ends_with 143
for signal in KILL TERM HUP; do
    begin
    kill -s "$signal" "$supervisor"
    expect "a worker does not outlive SIG$signal to its supervisor" is_gone "$worker"
    wait "$supervisor" 2>/dev/null
done

# What a crash leaves of an answer: nothing.
begin
kill -s KILL "$worker"
wait "$supervisor" 2>/dev/null
expect "no half of an answer is printed" is_empty out
done_testing
