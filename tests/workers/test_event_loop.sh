#!/bin/sh
# test_event_loop.sh SNAPCELL EVENT_LOOP: the example of a host with an event loop serves each request.
set -eu
snapcell=$1 event_loop=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
SNAPCELL_STORE=$work/store SNAPCELL_WORKER=$snapcell
export SNAPCELL_STORE SNAPCELL_WORKER
cat >loop.js <<'END'
export default { fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === "/throw") throw new Error("as asked");
    return new Response(`at ${path}\n`);
} };
END
"$snapcell" compile loop.js --name loop >/dev/null

"$event_loop" loop /a /b /c /d /e >out
for path in /a /b /c /d /e; do
    grep -q "^at $path\$" out || { echo "no answer for $path:"; cat out; exit 1; }
done
[ "$(grep -c ': 200, 1 headers' out)" = 5 ] || { echo "not five responses:"; cat out; exit 1; }

"$event_loop" loop /throw /a >out 2>errors
grep -q '^/throw: .*as asked' errors && grep -q '^at /a$' out || { echo "an error is not told:"; cat out errors; exit 1; }
if "$event_loop" absent /a >out 2>errors; then
    echo "an absent function is no failure"
    exit 1
fi
grep -q absent errors || { echo "the failure does not name the function:"; cat errors; exit 1; }
