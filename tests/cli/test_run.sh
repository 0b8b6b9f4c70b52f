#!/bin/sh
# run: requests, events, limits, timings.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/handler.js" "$BUNDLES/worker.js" >/dev/null || exit 1
key=$("$SNAPCELL" ls --json | node -e '
    const list = JSON.parse(require("fs").readFileSync(0)); console.log(list.find((e) => e.name === "hello").key)')

# --- References
run 0 "by name" run hello
expect "answers" out_is "hello /"
run 0 "by key" run "$key" /k
expect "answers" out_is "hello /k"
run 0 "by a prefix of the key" run "$(echo "$key" | cut -c1-8)" /p
expect "answers" out_is "hello /p"
run 3 "by nothing known" run nothing
expect "is told in a line" is_one_message
run 3 "in a store that is missing" run hello --store missing
expect "makes none" is_missing missing

# --- Requests
run 0 "a whole URL" run hello "https://example.com/a/b?c#d"
expect "answers" out_is "hello /a/b"
run 0 "method, header and body" run hello /echo -X PUT -H 'X-Given: yes' -d "body text" -i
expect "status" sh -c '[ "$(head -1 out)" = "HTTP/1.1 201 Created" ]'
expect "method" out_has "x-method: PUT"
expect "header" out_has "x-given: yes"
expect "body after a blank line" sh -c '[ "$(sed "1,/^$/d" out)" = "body text" ]'
run 0 "a body makes a POST" run hello /echo -d x -i
expect "method" out_has "x-method: POST"
head -c 100000 /dev/urandom >in
expect "content type, as curl's" out_has "x-type: application/x-www-form-urlencoded"
for type in 'Content-Type: text/plain' 'content-type:text/plain'; do
    run 0 "a body with a type" run hello /echo -d x -i -H "$type"
    expect "keeps it" out_has "x-type: text/plain"
done
run 0 "no body" run hello /echo -X POST -i
expect "has no type" out_has "x-type: none"
run_with_input 0 "a body from standard input" run hello /echo -d - -i
expect "has the type, too" out_has "x-type: application/x-www-form-urlencoded"
run 0 "a body from a file" run hello /echo -d @in
expect "comes back" cmp in out
run_with_input 0 "a body from standard input, @-" run hello /echo -d @-
expect "comes back" cmp in out
run_with_input 0 "a body from standard input, -" run hello /echo -d -
expect "comes back" cmp in out
run 3 "a body from a file that is missing" run hello /echo -d @missing
expect "is named" err_has missing
run 0 "a body of bytes" run hello /binary
expect "is left alone" sh -c '[ "$(od -An -tx1 out | tr -d " \n")" = 00ff0a000d80 ]'
run 0 "a status of 404" run hello /missing -i
expect "is printed" sh -c '[ "$(head -1 out)" = "HTTP/1.1 404 Not Found" ]'
run 0 "env" run hello /env -e MODE=a=b -e OTHER=
expect "is seen" out_is "a=b"
run 0 "the console" run hello /log
expect "goes to standard error" err_has "from the console"
expect "not to standard output" out_is "hello /log"
run 0 "a large body" run hello /large
expect "is whole" sh -c '[ "$(wc -c <out)" -eq 1048576 ]'

# --- The URL and the cookies of a request
cat >asked.mjs <<'END'
export default {
    fetch(request) {
        const { url, headers } = request;
        const isSerialized = new URL(url).href === url;
        return new Response([url, isSerialized, headers.get("cookie"), headers.get("x-a")].join(" "));
    },
};
END
"$SNAPCELL" compile asked.mjs >/dev/null || exit 1
# seen URL TEXT: a function gets the serialized URL.
seen() {
    run 0 "$1" run asked "$1"
    expect "is $2" out_is "$2 true  "
}
seen '/é/../admin' http://localhost/admin
seen '/a/%2e%2E/b' http://localhost/b
seen '/.well-known/x?a=%22' 'http://localhost/.well-known/x?a=%22'
seen "/a\"b?'" http://localhost/a%22b?%27
seen 'HTTP://EXAMPLE.com/' http://example.com/
seen 'https://example.com:443' https://example.com/
seen 'http://example.com:80?a' http://example.com/?a
seen 'http://example.com:8080/a' http://example.com:8080/a
seen 'http://1.2.3/' http://1.2.0.3/
seen 'http://bücher.example/' http://xn--bcher-kva.example/
for url in 'http://[' 'http://a:99999/' 'http://a b/' 'http://%/' 'http://1.2.3.400/'; do
    run 2 "$url" run asked "$url"
    expect "is no URL" is_one_message
done
run 0 "a method in lower case" run hello /echo -X put -d x -i
expect "is that method" out_has "x-method: PUT"
run 0 "another one" run hello /echo -X purge -d x -i
expect "is as it is" out_has "x-method: purge"
run 0 "several cookie headers" run asked / -H 'Cookie: a=1' -H 'X-A: 1' -H 'Cookie: b=2' -H 'X-A: 2'
expect "are one, with semicolons" out_is "http://localhost/ true a=1; b=2 1, 2"
cat >cookies.mjs <<'END'
export const handler = ({ count }) => {
    const list = Array.from({ length: count }, (_, i) => ["set-cookie", `c${i}=v, w`]);
    return new Response("x", { headers: [...list, ["x-a", "1"], ["x-a", "2"]] });
};
END
"$SNAPCELL" compile cookies.mjs >/dev/null || exit 1
run 0 "the cookies that a handler(event) sets" run cookies --event '{"count":2}'
expect "are all there" out_has '"set-cookie":["c0=v, w","c1=v, w"]'
expect "next to what is combined" out_has '"x-a":"1, 2"'
cat >named.mjs <<'END'
export default {
    custom: async () => new Response("x", { status: 201, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] }),
};
export const handler = () => null;
END
"$SNAPCELL" compile named.mjs >/dev/null || exit 1
run 0 "a Response of a handler that is called by name" run named --handler custom --event '{}'
expect "is there, too" out_has '{"status":201,"headers":{"content-type":"text/plain;charset=UTF-8","set-cookie":["a=1","b=2"]},"body":"x"}'
run 0 "one cookie" run cookies --event '{"count":1}'
expect "is a text" out_has '"set-cookie":"c0=v, w"'

# --- Failures of the function
run 1 "a throw" run hello /throw
expect "has its place" grep -Eq '^hello\.js:[0-9]+:[0-9]+: .*thrown on purpose' err
expect "has its stack" grep -Eq '^    at ' err
expect "prints no data" is_empty out
run 5 "CPU time" run hello /spin --cpu-ms 200
expect "is told in a line" is_one_message
run 5 "wall time" run hello /sleep --wall-ms 200
expect "is told in a line" is_one_message
run 5 "memory" run hello /hog --memory-mb 32
expect "prints no data" is_empty out

cat >fatal.js <<'END'
export default function handler() {
    return "a".repeat(2 ** 28).split("").length;
}
END
"$SNAPCELL" compile fatal.js >/dev/null || exit 1
# V8 ends the process here; sanitizers want to tell of it themselves.
if ! grep -aq __asan_init "$SNAPCELL"; then
    run 5 "memory that V8 cannot do without" run fatal --memory-mb 64
    expect "is told in a line" is_one_message
fi

cat >limits.js <<'END'
export default {
    async fetch(request) {
        const path = new URL(request.url).pathname;
        if (path === "/native") return new Response(("a".repeat(2e7) + "b").lastIndexOf("a".repeat(1e6) + "c"));
        if (path === "/large") return new Response("x".repeat(3 << 20));
        if (path === "/timers") for (;;) setTimeout(() => {}, 1);
        const start = Date.now();
        for (let i = 0; i < 100 && Date.now() === start; i++) for (let j = 0; j < 1e6; j++);
        return new Response(Date.now() === start);
    },
};
END
"$SNAPCELL" compile limits.js >/dev/null || exit 1
run 5 "CPU time in code that cannot be interrupted" run limits /native --cpu-ms 200
expect "is told in a line" is_one_message
run 5 "wall time in code that cannot be interrupted" run limits /native --wall-ms 200
expect "is told in a line" is_one_message
run 5 "a large response" run limits /large --max-response-mb 2
expect "is told in a line" is_one_message
run 0 "a response within the limit" run limits /large --max-response-mb 3
run 1 "many timers" run limits /timers --max-timers 7
expect "are an error with a place" grep -Eq '^limits\.js:6:[0-9]+: RangeError: more than 7 timers are pending' err
run 0 "a clock" run limits /clock
expect "goes on" out_is false
run 0 "a clock that is frozen" run limits /clock --frozen-clock
expect "stands still" out_is true

# --- Events
run 0 "no event" run handler
expect "is an empty one" out_is '{"event":{}}'
run 0 "an event" run handler --event '{"a":[1,"ü"]}'
expect "arrives" out_is '{"event":{"a":[1,"ü"]}}'
run 0 "a body" run handler -d '[1,2]'
expect "is the event" out_is '{"event":[1,2]}'
echo '{"from":"file"}' >in
run 0 "an event from a file" run handler --event @in
expect "arrives" out_is '{"event":{"from":"file"}}'
run_with_input 0 "an event from standard input" run handler --event @-
expect "arrives" out_is '{"event":{"from":"file"}}'
run 0 "a request" run handler /path -X PUT -H 'X-A: 1' -H 'x-a: 2'
json "becomes the event" 'j.event.method === "PUT" && j.event.url === "/path" && j.event.headers["x-a"] === "1, 2" && j.event.body === null'
run 1 "an event that makes it fail" run handler --event '{"fail":true}'
expect "has its place" grep -Eq '^handler\.js:2:[0-9]+: .*no such event' err
run 2 "an event that is not JSON" run handler --event '{nonsense'
printf '{}\0{}' >in
run 2 "an event with a zero byte" run handler -d @in
run 2 "an event for a fetch handler" run hello --event '{}'
expect "is told in a line" is_one_message

# --- Repeats and timings
run 0 "timings" run hello --timings
expect "are a line" line_count err 1
cp err out
json "have exactly their fields" 'Object.keys(j).sort().join() === ["lookup_ns","read_ns","decompress_ns","verify_ns","isolate_ns","context_ns","call_ns","total_ns","dispose_ns"].sort().join()'
json "are whole numbers" 'Object.values(j).every((n) => Number.isInteger(n) && n >= 0) && j.total_ns > 0 && j.call_ns > 0 && j.isolate_ns > 0'
run 0 "repeats" run hello /calls --repeat 5 --timings
expect "answer once, each from a fresh cell" out_is "1"
expect "are a line each" line_count err 5

# --- In a worker
for policy in restore reload; do
    run 0 "--policy $policy" run hello /calls --policy $policy --repeat 5 --timings
    expect "answers once, each from a fresh instance" out_is "1"
    expect "has a line each" line_count err 5
done
head -1 err >out
json "has the same fields" 'Object.keys(j).sort().join() === ["lookup_ns","read_ns","decompress_ns","verify_ns","isolate_ns","context_ns","call_ns","total_ns","dispose_ns"].sort().join() && j.call_ns > 0'
run 0 "--policy keep" run hello /calls --policy keep --repeat 5
expect "keeps the instance" out_is "5"
cat >hog.mjs <<'END'
export default {
    fetch() {
        for (const all = []; ; ) all.push(new Array(1000).fill(all.length));
    },
};
END
run 0 "a function that takes all memory" compile hog.mjs
run 5 "in a worker" run hog --policy restore
expect "is told its limit" err_has "limit of 128 MiB"
run 0 "a request in a worker" run hello /echo -X PUT -H 'X-Given: yes' -d "body text" -i --policy restore
expect "has its status" sh -c '[ "$(head -1 out)" = "HTTP/1.1 201 Created" ]'
expect "its method" out_has "x-method: PUT"
expect "and its body" sh -c '[ "$(sed "1,/^$/d" out)" = "body text" ]'
run_with_input 0 "a body from standard input" run hello /echo -d - --policy restore
expect "comes back" cmp in out
run 0 "an env in a worker" run hello /env -e MODE=a=b --policy restore
expect "is seen" out_is "a=b"
run 0 "an event in a worker" run handler --event '{"a":1}' --policy restore
expect "has its result" sh -c '[ -s out ]'
run 2 "an event for a fetch handler" run hello --event '{}' --policy restore
expect "is told in a line" is_one_message
run 1 "an event that makes it fail" run handler --event '{"fail":true}' --policy restore
expect "has its place" grep -Eq '^handler\.js:2:[0-9]+: .*no such event' err
run 3 "nothing known" run nothing --policy restore
expect "is told in a line" is_one_message

run 0 "-- before the operands" run -i -- hello /x
expect "is understood" out_has "hello /x"

# --- Timeouts of Atomics.waitAsync()
"$SNAPCELL" compile "$BUNDLES/waits.js" >/dev/null || exit 1
for policy in "" "--policy restore" "--policy keep"; do
    # shellcheck disable=SC2086 # an option and its value
    run 0 "a wait with a timeout $policy" run waits /alone $policy
    expect "is over when that is" out_is timed-out
done
run 0 "of several waits and timers" run waits /order
expect "each is over in its turn" out_is "timer,20 timed-out,30 timed-out"
run 0 "a wait that is notified" run waits /notified
expect "is over by that" out_is ok
run 0 "a wait for another value" run waits /different
expect "is none" out_is not-equal
run 1 "a wait without a timeout" run waits /forever
expect "can never be over" err_has "the promise can never be settled"
cat >waited.js <<'END'
const words = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
const before = Date.now();
const how = await Atomics.waitAsync(words, 0, 0, 3_600_000).value;
const waited = Date.now() - before;
export default { fetch: () => new Response(`${how} after ${waited} ms`) };
END
run 0 "at build time the clock is moved on" compile --entropy fresh waited.js
done_testing
