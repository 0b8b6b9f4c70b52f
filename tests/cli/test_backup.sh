#!/bin/sh
# backup: a store copied while it is in use.
. "$(dirname "$0")/helper.sh"

is_data_alone() { [ "$(ls -A "$1")" = data.mdb ]; }

run 3 "backup without a store" backup copy
expect "is told in a line" is_one_message
expect "makes nothing" is_missing copy
"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/handler.js" >/dev/null || exit 1

run 0 "backup" backup copy
expect "says what it has" grep -q '^backed up 2 artifacts and 2 names of ' out
expect "is one file" is_data_alone copy
run 0 "it" run hello --store copy
expect "is a store" out_is "hello /"
run 0 "verify of it" verify --store copy
run 0 "it can be written" compile "$BUNDLES/hello.js" --name other --store copy

run 3 "backup over it" backup copy
expect "is refused in a line" is_one_message
run 0 "which it survived" run other --store copy
: >file
run 3 "backup over a file" backup file
expect "is refused in a line" is_one_message
run 3 "backup where there is no folder" backup missing/copy
expect "is told in a line" is_one_message

run 0 "backup --json" backup --json snapcell-store second
json "has its fields" 'j.store === "snapcell-store" && j.backup === "second" && j.artifacts === 2 && j.names === 2 && j.bytes > 0'

run 0 "backup to standard output" backup -
mkdir third && cp out third/data.mdb
run 0 "what came out" run hello --store third
expect "is a store's file" out_is "hello /"
expect "that is the same" cmp third/data.mdb second/data.mdb

run 2 "backup of what to where" backup
expect "is told" err_has DEST
run 2 "backup to nothing" backup ""
run 2 "backup to two places" backup a b c
run 2 "both to standard output" backup --json -
run 2 "an unknown option" backup --force copy2
expect "makes nothing" is_missing copy2
run 3 "of what is no store" backup file fourth
expect "is told in a line" is_one_message
expect "makes nothing" is_missing fourth
run 3 "of a folder without one" backup third/none fourth

if [ -e /dev/full ]; then
    "$SNAPCELL" backup - >/dev/full 2>err
    expect "a full device" [ $? -eq 3 ]
    expect "is told in a line" is_one_message
fi
(ulimit -f 16 && "$SNAPCELL" backup small >out 2>err)
expect "a limit of files' sizes" [ $? -eq 3 ]
expect "is told in a line" is_one_message
expect "leaves nothing" is_missing small

node -e '
    const fs = require("fs");
    const data = fs.readFileSync("third/data.mdb");
    data[data.indexOf(`{"name":"hello"`) + 2] ^= 1;
    fs.writeFileSync("third/data.mdb", data);'
"$SNAPCELL" verify --store third >/dev/null 2>&1
expect "a damaged artifact" [ $? -ne 0 ]
"$SNAPCELL" backup third fifth >out 2>err
expect "is not backed up" [ $? -eq 4 ]
expect "but told of in a line" is_one_message
expect "leaves nothing" is_missing fifth
done_testing
