#!/bin/sh
# run: bodies that come and go in pieces.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/streams.js" "$BUNDLES/handler.js" >/dev/null || exit 1

ended() { # ended STATUS WHAT: how the program in a pipeline ended
    expect "$2" sh -c "[ \"\$(cat status)\" -eq $1 ]"
}

# --- Size: no limit allows such a body as a whole
big=50331648
head -c $big /dev/zero | "$SNAPCELL" run streams /echo -d - --memory-mb 8 >out 2>err
expect "48 MiB pass through a cell of 8 MiB" sh -c "[ \"\$(wc -c <out)\" -eq $big ]"
expect "without a word" is_empty err
expect "as they were" sh -c 'tr -d "\000" <out | cmp - /dev/null'
head -c $big /dev/zero | "$SNAPCELL" run streams /size -d - --memory-mb 8 >out 2>err
expect "and can be read there" out_is $big
head -c 1000000 /dev/urandom >in
run_with_input 0 "a body" run streams /echo -d -
expect "comes back as it is" cmp in out
: >in
run_with_input 0 "an empty body" run streams /echo -d -
expect "gives an empty answer" is_empty out

# --- Time: what was sent is answered before more is sent
mkfifo talk
"$SNAPCELL" run streams /echo -d - -i <talk >out 2>err &
program=$!
exec 3>talk
for word in one two; do
    echo $word >&3
    tries=0
    until grep -q "^$word" out || [ $tries -gt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    expect "'$word' comes back while the body is open" out_has $word
done
exec 3>&-
expect "the end of the body ends the call" wait $program
expect "the head came first" sh -c '[ "$(head -1 out)" = "HTTP/1.1 200 OK" ]'

# --- Ends that go
{
    "$SNAPCELL" run streams /endless 2>err
    echo $? >status
} | head -c 20 >out
ended 0 "a reader that has read enough is no failure"
expect "got what it read" sh -c '[ "$(wc -c <out)" -eq 20 ]'
expect "the function's stream is cancelled" err_has "cancelled: AbortError"
run 1 "a stream that breaks" run streams /broken -i
expect "its head was out" out_has "HTTP/1.1 200 OK"
expect "so was its beginning" out_has "the beginning"
expect "the place is told" grep -Eq '^streams\.js:[0-9]+:[0-9]+: .*broke in the middle' err

# --- Limits
sleep 1 | {
    "$SNAPCELL" run streams /echo -d - --wall-ms 200 >out 2>err
    echo $? >status
}
ended 5 "a wall limit holds while the body does not come"
{
    "$SNAPCELL" run streams /endless --wall-ms 200 2>err
    echo $? >status
} | sleep 1
ended 5 "and while nobody reads the answer"
run 2 "a GET has no body" run streams /echo -X GET -d -
expect "is told in a line" is_one_message

# --- Handlers of events get it whole
echo '{"name":"x"}' >in
run_with_input 0 "an event" run handler -d -

done_testing
