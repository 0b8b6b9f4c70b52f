#!/bin/sh
# compile: good bundles, bad ones, batches, what is stored already.
. "$(dirname "$0")/helper.sh"

fields='["name","key","kind","shape","source_bytes","snapshot_bytes","artifact_bytes","compile_ms","cached","warnings"]'

# --- One bundle
run 0 "a bundle" compile "$BUNDLES/hello.js"
expect "gives a line" line_count out 1
expect "says name and kind" grep -Eq '^hello .*[0-9a-f]{12} .*snapshot' out
expect "says nothing else" is_empty err
expect "makes the default store" test -f snapcell-store/data.mdb
run 0 "it can be run" run hello /x
expect "and answers" out_is "hello /x"
run 0 "the same again" compile --json "$BUNDLES/hello.js"
json "is not compiled" 'lines.length === 1 && j.cached === true'
json "has exactly its fields" "JSON.stringify(Object.keys(j)) === JSON.stringify($fields)"

run 0 "into another store" compile --json --store other "$BUNDLES/hello.js"
cp out first.json
json "is compiled" 'j.cached === false && j.compile_ms > 0 && j.kind === "snapshot"'
json "has a key" '/^[0-9a-f]{32}$/.test(j.key) && j.name === "hello"'
json "tells sizes" "j.source_bytes === require('fs').statSync('$BUNDLES/hello.js').size && j.snapshot_bytes > 1000 && j.artifact_bytes > 1000"
json "has no warnings" 'Array.isArray(j.warnings) && j.warnings.length === 0'
SNAPCELL_STORE=$work/third
export SNAPCELL_STORE
run 0 "into \$SNAPCELL_STORE" compile --json "$BUNDLES/hello.js"
json "has the same key" 'j.key === JSON.parse(require("fs").readFileSync("first.json")).key'
expect "is there" test -f third/data.mdb
unset SNAPCELL_STORE

run 0 "with options after the file" compile "$BUNDLES/hello.js" --name "renamed" --json
json "takes the name" 'j.name === "renamed"'
run 0 "a name with blanks and letters of the world" compile --name "größe 日本 'x'" "$BUNDLES/hello.js"
run 0 "can be run" run "größe 日本 'x'"
cp "$BUNDLES/hello.js" "strange \$name; with 'quotes'.min.js"
run 0 "a file with a strange name" compile --json "strange \$name; with 'quotes'.min.js"
json "gives its stem" "j.name === \"strange \$name; with 'quotes'.min\""
run 0 "each shape" compile --json "$BUNDLES/commonjs.cjs" "$BUNDLES/worker.js" "$BUNDLES/handler.js" "$BUNDLES/wide.js"
json "is found out" 'lines.map((l) => l.name).join() === "commonjs,worker,handler,wide"'
json "tells the file's size" "lines[3].source_bytes === require('fs').statSync('$BUNDLES/wide.js').size"
run 0 "a forced format" compile --name forced --format commonjs "$BUNDLES/commonjs.cjs"
run 0 "raw" compile --json --raw --name raw "$BUNDLES/hello.js"
json "is larger" 'j.artifact_bytes > JSON.parse(require("fs").readFileSync("first.json")).artifact_bytes'
run 0 "a level" compile --json --level 1 --name level "$BUNDLES/hello.js"
run 0 "raw runs" run raw
expect "and answers" out_is "hello /"

cp "$BUNDLES/hello.js" in
run_with_input 0 "a bundle from standard input" compile --name piped - --json
json "is compiled" 'j.name === "piped" && j.kind === "snapshot" && j.source_bytes > 0'
run_with_input 2 "without a name" compile -
mkfifo pipe
cat "$BUNDLES/hello.js" >pipe &
run 0 "a bundle from a pipe" compile --name fifo pipe
wait
run 0 "can be run" run fifo
expect "and answers" out_is "hello /"
cp "$BUNDLES/throws.js" in
run_with_input 1 "a bad bundle from standard input" compile --name piped -
expect "has its place" grep -Eq '^stdin\.js:2:[0-9]+: ' err

# --- Warm-up
run 0 "a warm-up" compile --name warm --warm /calls --warm /x "$BUNDLES/hello.js"
run 0 "is in the snapshot" run warm /calls
expect "with its state" out_is "3"
echo '{"url":"/echo","method":"PUT","headers":{"x-given":"1"},"body":{"a":1}}' >warm.json
run 0 "a warm-up from a file" compile --name warm2 --warm warm.json "$BUNDLES/hello.js"
run 0 "a warm-up from an absolute path" compile --name warm3 --warm "$work/warm.json" "$BUNDLES/hello.js"
run 0 "counts, too" run warm2 /calls
expect "with its state" out_is "2"
run 3 "a warm-up file that is missing" compile --warm nothing.json "$BUNDLES/hello.js"
expect "is named" err_has nothing.json
for text in '{' '[]' '{"urll":"/"}' '{"headers":[]}' '{"headers":{"a":1}}' '{"method":3}'; do
    echo "$text" >bad.json
    run 2 "the warm-up $text" compile --warm bad.json "$BUNDLES/hello.js"
    expect "is told in a line" is_one_message
done
run 1 "a warm-up that throws" compile --name warm4 --warm /throw "$BUNDLES/hello.js"
expect "tells the error" err_has "thrown on purpose"

# --- Bad bundles; none leaves a store behind
run 1 "a syntax error" compile --store none "$BUNDLES/syntax.js"
expect "has its place" grep -Eq '/syntax\.js:2:[0-9]+: .*SyntaxError' err
run 1 "a throw at the top" compile --store none "$BUNDLES/throws.js"
expect "has its place" grep -Eq '^/.*/throws\.js:2:[0-9]+: .*broken at the top$' err
expect "prints no data" is_empty out
cp "$BUNDLES/throws.js" ./-throws.js
run 1 "a path like an option, after --" compile --store none -- -throws.js
expect "is named as it was given" grep -q '^-throws\.js:2:' err
run 1 "the same as JSON" compile --store none --json "$BUNDLES/throws.js"
json "is an object" 'lines.length === 1 && j.name === "throws" && j.file.endsWith("/throws.js")'
json "has the error" 'j.error.code === "E_SCRIPT" && /broken/.test(j.error.message) && j.error.line === 2 && j.error.column > 0 && j.error.file === j.file'
run 1 "an unresolved import" compile --store none "$BUNDLES/unresolved.js"
expect "is named" err_has "left-pad-unresolved"
run 1 "no handler" compile --store none "$BUNDLES/nohandler.js"
run 5 "an endless loop" compile --store none --wall-ms 1000 "$BUNDLES/endless.js"
expect "names the bundle" err_has "endless"
run 5 "a memory hog" compile --store none --memory-mb 64 "$BUNDLES/hog.js"
expect "names the bundle" err_has "hog"
run 3 "a missing file" compile --store none missing.js
expect "is told in a line" is_one_message
expect "is named" err_has "missing.js"
run 2 "a folder" compile --store none "$BUNDLES"
: >empty.js
run 2 "an empty file" compile --store none empty.js
head -c 4096 "$SNAPCELL" >binary.js
run 2 "a binary file" compile --store none binary.js
run 2 "an empty path" compile --store none ""
expect "leave no store behind" is_missing none

# --- What cannot be snapshotted
run 0 "randomness at the top" compile --entropy fresh --json "$BUNDLES/random.js"
json "becomes code, with a warning" 'j.kind === "code" && j.warnings.length === 1 && /randomUUID/.test(j.warnings[0])'
expect "warns" err_has "warning"
run 0 "again" compile --entropy fresh --json "$BUNDLES/random.js"
json "keeps the warning" 'j.cached && j.kind === "code" && j.warnings.length === 1'
run 1 "strictly" compile --json --strict "$BUNDLES/random.js"
json "is an error, though it is stored" 'j.error.code === "E_UNSNAPSHOTABLE"'
run 0 "code runs" run random
expect "and answers" out_is "36"

# --- Without evaluating it
printf 'console.log("top"); export default { fetch: () => new Response("late") };' >late.mjs
run 0 "unevaluated" compile --json --unevaluated --format esm late.mjs
json "becomes code" 'j.kind === "code" && j.shape === "fetch" && j.snapshot_bytes === 0 && /not evaluated/.test(j.warnings[0])'
expect "logs nothing" err_lacks "top"
run 0 "each load evaluates it" run late
expect "and it answers" out_is "late"
run 0 "evaluated after all" compile --json late.mjs
json "is another artifact" 'j.kind === "snapshot" && !j.cached'
run 0 "without waiting for the disk" compile --no-sync --unevaluated --format esm --name unsynced late.mjs
run 0 "what was not waited for" show unsynced
run 0 "what throws at its top" compile --unevaluated --format esm "$BUNDLES/throws.js"
run 1 "throws when it is loaded" run throws
run 2 "without a format" compile --unevaluated late.mjs
expect "is told in a line" is_one_message
run 2 "with a warm-up request" compile --unevaluated --format esm --warm / late.mjs
run 2 "strictly" compile --unevaluated --format esm --strict late.mjs

# --- Batches
run 1 "a batch with a bad bundle" compile --store batch --json --jobs 3 "$BUNDLES/hello.js" "$BUNDLES/throws.js" "$BUNDLES/handler.js" "$BUNDLES/worker.js"
json "goes on, in order" 'lines.map((l) => l.name).join() === "hello,throws,handler,worker" && lines.filter((l) => l.error).length === 1'
run 0 "the others" ls --store batch --json
json "are stored" 'j.map((e) => e.name).join() === "handler,hello,worker"'
run 3 "the worst failure" compile --store batch "$BUNDLES/throws.js" missing.js "$BUNDLES/hello.js"
for jobs in 1 2 8; do
    run 0 "--jobs $jobs" compile --store jobs$jobs --json --jobs $jobs "$BUNDLES/hello.js" "$BUNDLES/handler.js" "$BUNDLES/worker.js"
    node -e 'for (const l of require("fs").readFileSync("out","utf8").trim().split("\n")) console.log(JSON.parse(l).key)' >keys$jobs
done
expect "jobs do not change keys" cmp keys1 keys2
expect "whatever their number" cmp keys1 keys8

# --- Stores that cannot be
echo text >file
run 3 "a store that is a file" compile --store file "$BUNDLES/hello.js"
run 3 "a store in a folder that is not there" compile --store no/such/store "$BUNDLES/hello.js"
mkdir rubbish && head -c 8192 /dev/urandom >rubbish/data.mdb
run 3 "a store that is rubbish" compile --store rubbish "$BUNDLES/hello.js"
if [ "$(id -u)" != 0 ]; then
    mkdir locked && chmod a-w locked
    run 3 "a folder that cannot be written" compile --store locked/store "$BUNDLES/hello.js"
fi
done_testing
