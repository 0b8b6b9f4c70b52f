#!/bin/sh
# verify and salvage, on stores that are damaged in known ways; each command ends with a status and a line.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/handler.js" "$BUNDLES/worker.js" >/dev/null || exit 1

# damage STORE JAVASCRIPT [FROM]: changes a copy of a store; `b` is data.mdb, `page` the size of one.
damage() {
    rm -rf "$1" && cp -r "${3:-snapcell-store}" "$1" && rm -f "$1/lock.mdb"
    node -e "const fs = require('fs'); let b = fs.readFileSync('$1/data.mdb'); const page = 4096; $2
        fs.writeFileSync('$1/data.mdb', b)"
}
# In JavaScript: the pages that are leaves, and where an artifact's bytes begin.
leaves='const leaves = []; for (let i = 2; i < b.length / page; i++) if (b.readUInt16LE(i * page + 10) === 2) leaves.push(i);'
at='const at = name => b.indexOf(`{"name":"${name}"`);'

run 0 "salvage of a sound store" salvage --to sound
expect "has a line for each artifact and name" line_count out 6
expect "says that it was sound" grep -q "recovered 3 artifacts and 3 names into sound; .*sound" err
run 0 "the new store" verify --store sound
run 0 "its function" run hello --store sound
run 3 "salvage into a store that holds something" salvage --to sound
expect "is told in a line" is_one_message
run 2 "salvage without a place" salvage
run 3 "salvage of no store" salvage --store nowhere --to new
expect "is told in a line" is_one_message
expect "makes none" is_missing new

# --- One artifact
damage flipped "$at"' b[at("hello") + 2] ^= 1;'
run 4 "verify of a flipped byte" verify --store flipped
expect "names the artifact" grep -q "^bad  .*hello: " out
run 4 "it" run hello --store flipped
run 3 "salvage without it" salvage --store flipped --to flipped-new --json
json "tells what is lost" 'j.damaged === false && j.artifacts.filter(a => a.lost).length === 1 && j.names.filter(n => n.lost).map(n => n.name).join() === "hello"'
run 0 "the rest" verify --store flipped-new
expect "is there" line_count out 2

# --- Pages of trees
damage rooted "$leaves"' for (const i of leaves) b.fill(0x5a, i * page, (i + 1) * page);'
for command in ls gc verify stat recompile "run hello" "show hello" "rm hello" "export hello f" "compile $BUNDLES/hello.js"; do
    # shellcheck disable=SC2086 # words
    run 3 "$command without trees" $command --store rooted
    expect "is told in a line" is_one_message
    expect "which says what to do" grep -q 'is damaged.*snapcell salvage --to DIR' err
done
run 3 "salvage without trees" salvage --store rooted --to rooted-new --json
json "finds all artifacts, and guesses names" 'j.damaged && !j.complete && j.artifacts.length === 3 && j.names.map(n => n.name).sort().join() === "handler,hello,worker" && j.names.every(n => n.guessed)'
run 0 "the new store" verify --store rooted-new
run 0 "its function" run hello --store rooted-new
expect "answers" out_is "hello /"

damage headless 'b.fill(0, 0, 2 * page);'
run 3 "verify without first pages" verify --store headless
run 3 "salvage without first pages" salvage --store headless --to headless-new
expect "finds all" grep -q "recovered 3 artifacts and 3 names" err
expect "says that there may have been more" grep -q "more may be lost" err

# --- Cut, and cut while it is in use
damage cut 'b = b.subarray(0, page * (b.length / page >> 1));'
run 3 "verify of a file that was cut" verify --store cut
expect "says so" grep -q 'truncated: expected' err
run 3 "salvage of a file that was cut" salvage --store cut --to cut-new
expect "recovers some" grep -Eq 'recovered [12] artifacts' err
run 0 "the new store" verify --store cut-new
damage old 'const [x, y] = [0, page].map(o => b.readBigUInt64LE(o + 144)); b.writeBigUInt64LE(x ^ 4n, 144);'
run 3 "verify of a first page that seems old" verify --store old
expect "says so" grep -q 'do not follow each other' err

# --- A store so large that opening it to read does not look at all of it: LMDB meets the damage
cp -r snapcell-store large-store && "$LARGE_STORE" large-store 12000 || exit 1
run 0 "a large store" verify --store large-store
# Near the end of the file, where what an entry is said to lie at is past it.
damage far "$leaves"'
    for (const i of leaves.filter(i => i * page > b.length - 14 * page).slice(0, -4))
        b.fill(0xfe, i * page + 16, i * page + b.readUInt16LE(i * page + 12));' large-store
# A crash, but in a sanitizer's build that is the sanitizer's.
if ! grep -q __asan_init "$SNAPCELL"; then
    run 3 "ls of a large store, damaged far inside" ls --store far
    expect "is told in a line" is_one_message
    expect "which says what to do" grep -q 'cannot be followed.*snapcell salvage --to DIR' err
fi
run 3 "verify of it" verify --store far
expect "is told in a line" is_one_message
expect "says where" grep -q 'is damaged: page [0-9]' err
run 3 "rm in it" rm hello --store far
expect "says where" grep -q 'is damaged: page [0-9]' err
done_testing
