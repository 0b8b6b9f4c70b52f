#!/bin/sh
# history, and several inputs of compile and import in one transaction each.
. "$(dirname "$0")/helper.sh"

run 3 "history without a store" history hello
expect "is told in a line" is_one_message
run 2 "history of nothing" history
run 2 "history of two" history a b

run 0 "compile of two" compile "$BUNDLES/hello.js" "$BUNDLES/handler.js"
run 0 "history" history hello
expect "has a line" line_count out 1
expect "says from where" grep -q "^20..-..-..T.*Z  none -> [0-9a-f]\{12\}  compiled $BUNDLES/hello.js  .*@" out
run 0 "the same again" compile "$BUNDLES/hello.js"
run 0 "is no change" history --json hello
json "as it says" 'j.length === 1'
json "which has its fields" 'j[0].action === "compiled" && j[0].from === null && /^[0-9a-f]{32}$/.test(j[0].to) && j[0].origin.endsWith("hello.js") && j[0].release === null && j[0].who.includes("@") && !isNaN(Date.parse(j[0].time))'

sed 's/"hello "/"HELLO "/' "$BUNDLES/hello.js" >hello.js
"$SNAPCELL" release create r1 --activate >/dev/null || exit 1
run 0 "another version" compile hello.js
"$SNAPCELL" export hello hello.snap >/dev/null && "$SNAPCELL" export handler handler.snap >/dev/null || exit 1
"$SNAPCELL" release activate r1 >/dev/null || exit 1
run 0 "import" import hello.snap
run 0 "history" history --json hello
json "has all of it, in order" 'j.map((e) => e.action).join() === "compiled,compiled,activated,imported" && j[2].release === "r1" && j[2].origin === null && j[3].origin === "hello.snap"'
json "each from where the last led" 'j.every((e, i) => i === 0 || e.from === j[i - 1].to)'
run 0 "going back to what is there" compile "$BUNDLES/hello.js"
run 0 "is a change" history --json hello
json "that is noted" 'j.length === 5 && j[4].to === j[0].to'
run 3 "history of nothing known" history nothing
expect "is told in a line" is_one_message
run 2 "history of a bad name" history a/b
expect "is told in a line" is_one_message

# --- Several at once
run 0 "import of two" import --json hello.snap handler.snap --store second
json "tells of both" 'Array.isArray(j) && j.map((e) => e.name).join() === "hello,handler"'
run 0 "import of one" import --json hello.snap --store second
json "is an object" 'j.name === "hello"'
head -c 1000 hello.snap >cut.snap
run 4 "import of a good and a bad one" import handler.snap cut.snap --store third
expect "says which" err_has cut.snap
expect "imports neither" is_missing third
run 2 "import of two under one name" import hello.snap handler.snap --name x --store third
run 3 "import of what is missing" import handler.snap missing.snap --store third
expect "imports nothing" is_missing third
sed 's/"hello "/"Hello "/' "$BUNDLES/hello.js" >hello.js
"$SNAPCELL" compile hello.js --store fourth >/dev/null && "$SNAPCELL" export hello other.snap --store fourth >/dev/null || exit 1
run 2 "import of two for one name" import hello.snap other.snap --store third
expect "is told in a line" is_one_message

echo 'export default {' >broken.js
run 1 "compile of good and bad ones" compile --json "$BUNDLES/hello.js" broken.js "$BUNDLES/handler.js" --store fifth
json "tells of each" 'lines.length === 3 && lines[1].error.code === "SCRIPT" || lines[1].error !== undefined'
run 0 "the good ones" ls --json --store fifth
json "are there" 'j.map((e) => e.name).join() === "handler,hello"'
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    for i in 1 2 3 4 5 6; do
        sed "s/\"hello \"/\"hello $i \"/" "$BUNDLES/hello.js" >many$i.js
    done
    strace -f -qq -e trace=fdatasync,fsync -o syncs "$SNAPCELL" compile many*.js --store sixth >/dev/null 2>&1
    expect "six are put with the syncs of one transaction" [ "$(grep -c fdatasync syncs)" -le 4 ]
fi
done_testing
