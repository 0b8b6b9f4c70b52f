#!/bin/sh
# ls, show, verify, rm, gc, stat: looking after a store.
. "$(dirname "$0")/helper.sh"

for command in ls "show x" "rm x" gc verify stat recompile "export x f"; do
    run 3 "$command without a store" $command
    expect "is told in a line" is_one_message
    expect "makes none" is_missing snapcell-store
done

"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/handler.js" >/dev/null || exit 1
run 0 "ls" ls
expect "has a heading and two lines" line_count out 3
expect "names the columns" grep -Eq '^NAME +KEY +KIND +SHAPE +SIZE +ENGINE$' out
expect "tells of each" grep -Eq '^hello +[0-9a-f]{12} +snapshot +fetch +[0-9.]+ [kM]B +this$' out
run 0 "ls --json" ls --json
json "is an array" 'Array.isArray(j) && j.map((e) => e.name).join() === "handler,hello"'
json "has its fields" 'j.every((e) => /^[0-9a-f]{32}$/.test(e.key) && /^[0-9a-f]{32}$/.test(e.engine) && e.current === true && e.error === null && e.artifact_bytes > 0 && e.snapshot_bytes > 0)'
json "has kinds and shapes" 'j[0].shape === "json" && j[1].shape === "fetch" && j[0].kind === "snapshot"'
key=$(node -e 'console.log(JSON.parse(require("fs").readFileSync("out"))[1].key)')

run 0 "show" show hello
expect "prints the key" grep -Eq "^key +$key\$" out
expect "prints the manifest" grep -q '^manifest' out
run 0 "show --json" show --json "$key"
json "has its facts" "j.key === '$key' && j.names.join() === 'hello' && j.kind === 'snapshot' && j.shape === 'fetch' && j.current === true && j.source_format === 'esm' && j.file === 'hello.js'"
json "has the manifest" 'j.manifest.name === "hello" && typeof j.manifest === "object"'
json "has digests" '/^[0-9a-f]{64}$/.test(j.digest) && /^[0-9a-f]{32}$/.test(j.bundle_hash)'
run 3 "show of nothing known" show nothing
expect "is told in a line" is_one_message
run 3 "show of an unknown key" show 00000000000000000000000000000000

run 0 "verify" verify
expect "has a line each" line_count out 2
expect "says ok" grep -q "^ok   *$key  hello\$" out
run 0 "verify --json" verify --json
json "is an array" 'j.length === 2 && j.every((e) => e.ok && e.error === null && e.names.length === 1)'
run 0 "verify of a name" verify hello
expect "checks it alone" line_count out 1
run 3 "verify of nothing known" verify nothing

run 0 "stat" stat --json
json "has its figures" 'j.artifacts === 2 && j.names === 2 && j.artifact_bytes > 0 && j.file_bytes >= j.artifact_bytes'
run 0 "stat as text" stat
expect "has them, too" grep -Eq '^artifacts +2$' out

# --- An artifact without a name
sed 's/"hello "/"HELLO "/' "$BUNDLES/hello.js" >hello.js
run 0 "another version" compile hello.js
run 0 "ls shows" ls --json
json "the new one alone" 'j.length === 2'
run 0 "ls --all shows" ls --all --json
json "the old one, too" "j.length === 3 && j.some((e) => e.name === null && e.key === '$key')"
run 0 "the old one" run "$key"
expect "can be run by key" out_is "hello /"
run 0 "gc" gc --json
json "removes it" 'j.removed === 1 && j.removed_bytes > 0 && typeof j.freed_bytes === "number"'
run 3 "then it" run "$key"
run 0 "gc again" gc
expect "finds nothing" grep -q '^removed 0 artifacts' out

# --- rm
run 3 "rm of nothing known" rm nothing
expect "is told in a line" is_one_message
run 3 "rm goes on" rm nothing handler
expect "and says what it removed" out_has "removed handler"
run 0 "then ls" ls --json
json "lacks it" 'j.map((e) => e.name).join() === "hello"'
key=$(node -e 'console.log(JSON.parse(require("fs").readFileSync("out"))[0].key)')
run 0 "rm by key" rm --json "$(echo "$key" | cut -c1-10)"
json "says so" 'j.removed === true && j.error === null'
run 0 "an empty store" ls
expect "lists nothing" is_empty out
run 0 "an empty store as JSON" ls --json
json "is an empty array" 'Array.isArray(j) && j.length === 0'
run 0 "an empty store" verify
run 0 "an empty store" recompile
run 0 "can be filled again" compile "$BUNDLES/hello.js"

# --- Rubbish
mkdir rubbish && head -c 8192 /dev/urandom >rubbish/data.mdb
for command in ls gc verify stat "run x" "rm x"; do
    run 3 "$command on rubbish" $command --store rubbish
    expect "is told in a line" is_one_message
done
cp -r snapcell-store readonly && chmod -R a-w readonly
run 0 "a store that cannot be written" run hello --store readonly
if [ "$(id -u)" != 0 ]; then
    run 3 "keeps its functions" rm hello --store readonly
    run 0 "can be listed" ls --store readonly
fi
done_testing
