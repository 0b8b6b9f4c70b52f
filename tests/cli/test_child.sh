#!/bin/sh
# The worker process of run: what becomes of it, and of its parent.
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

# --- The sandbox
status_of() { sed -n "s/^$2:[[:space:]]*\\([^[:space:]]*\\).*/\\1/p" "/proc/$1/status"; }
status_is() { [ "$(status_of "$worker" "$1")" = "$2" ]; }
begin
expect "the worker has a filter of system calls" status_is Seccomp 2
expect "can gain no privileges" status_is NoNewPrivs 1
expect "has no capabilities" status_is CapEff 0000000000000000
[ "$(id -u)" -ne 0 ] || expect "is not root's" status_is Uid 65534
[ "$(id -u)" -ne 0 ] || expect "nor of its group" status_is Gid 65534
has_no_store() { ! grep -q '\.mdb' "/proc/$worker/maps" && ! ls -l "/proc/$worker/fd" | grep -q '\.mdb'; }
[ "$(id -u)" -ne 0 ] || expect "has no store, neither mapped nor open" has_no_store
kill -s TERM "$supervisor"
wait "$supervisor" 2>/dev/null
begin --no-sandbox
expect "without a sandbox there is no filter" status_is Seccomp 0
expect "which is warned of" err_has "warning: the function runs without a sandbox"
kill -s TERM "$supervisor"
wait "$supervisor" 2>/dev/null
begin
kill -s SYS "$worker"
expect "a forbidden system call is a refusal" ends_with 4
expect "is told of in a line" err_has "snapcell: hello: it was ended for a system call that the sandbox does not allow"

cat >zone.js <<'END'
export default () => new Date(2024, 6, 1).getTimezoneOffset();
END
"$SNAPCELL" compile zone.js >/dev/null || exit 1
"$SNAPCELL" run zone --no-sandbox >zone.out 2>/dev/null
run 0 "the time zone" run zone
expect "is the machine's" cmp -s zone.out out
TZ=Asia/Tokyo "$SNAPCELL" run zone >out 2>err
expect "or that of the environment" out_is -540

run 0 "what the kernel has for it" engine --json
json "is told" 'j.sandbox.seccomp === true && Number.isInteger(j.sandbox.landlock)'

# --- The compiler's child
echo 'console.log("begun"); for (;;);' >loop.js
begin_compile() {
    : >err
    "$SNAPCELL" compile loop.js --wall-ms 20000 "$@" >out 2>err </dev/null &
    supervisor=$!
    tries=0
    until grep -q begun err || [ "$tries" -gt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    worker=
    for task in /proc/"$supervisor"/task/*/children; do
        read -r child _ <"$task"
        worker=$worker$child
    done
}
begin_compile
expect "the compiler's child has a filter of system calls" status_is Seccomp 2
expect "has no capabilities" status_is CapEff 0000000000000000
[ "$(id -u)" -ne 0 ] || expect "is not root's" status_is Uid 65534
kill -s KILL "$supervisor"
expect "does not outlive its parent" is_gone "$worker"
wait "$supervisor" 2>/dev/null
begin_compile --no-sandbox
expect "without a sandbox there is no filter" status_is Seccomp 0
expect "which is warned of" err_has "warning: bundles are evaluated without a sandbox"
kill -s KILL "$supervisor"
wait "$supervisor" 2>/dev/null

# --- A kernel, or a container's policy, without what the sandbox needs
without() { # without STATUS WHAT ARGUMENTS...
    wanted=$1 what=$2
    shift 2
    "${NO_SECCOMP:?}" "$SNAPCELL" "$@" >out 2>err
    status=$?
    [ "$status" = "$wanted" ] && is_clean && report yes "$what" && return
    report no "$what"
    echo "# status $status, not $wanted"
    show
}
without 4 "where there is no sandbox nothing is run" run hello
expect "is told in a line" is_one_message
expect "says what to do" err_has "the kernel refused seccomp: Operation not permitted; --no-sandbox does without"
without 0 "unless one insists" run hello --no-sandbox
expect "answers" out_is "hello /"
without 4 "nor compiled" compile --name other "$BUNDLES/worker.js"
expect "says what to do" err_has "--no-sandbox does without"
without 0 "unless one insists" compile --no-sandbox --name other "$BUNDLES/worker.js"
without 0 "and one can know before" engine --json
json "what there is" 'j.sandbox.seccomp === false'

# What a crash leaves of an answer: nothing.
begin
kill -s KILL "$worker"
wait "$supervisor" 2>/dev/null
expect "no half of an answer is printed" is_empty out
done_testing
