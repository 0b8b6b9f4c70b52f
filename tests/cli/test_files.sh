#!/bin/sh
# export and import: artifacts as files, sound and damaged.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/hello.js" >/dev/null || exit 1
run 0 "export" export hello hello.snap
expect "is silent" is_empty out
expect "gives a file that others may read" test "$(stat -c %a hello.snap)" = "$(printf %o $((0666 & ~$(umask))))"
run 0 "export to standard output" export hello -
expect "gives the same bytes" cmp out hello.snap
run 3 "export over a file" export hello hello.snap
expect "points at --force" err_has "--force"
echo precious >precious
run 3 "export over a precious file" export hello precious
expect "keeps it" sh -c '[ "$(cat precious)" = precious ]'
run 0 "export --force" export -f hello precious
expect "overwrites" cmp precious hello.snap
run 0 "export --json" export hello --json hello2.snap
json "tells of it" 'j.name === "hello" && j.artifact_bytes === require("fs").statSync("hello2.snap").size'
run 2 "export --json to standard output" export --json hello -
run 3 "export of nothing known" export nothing nothing.snap
expect "leaves no file" is_missing nothing.snap
run 3 "export into a folder that is not there" export hello no/such.snap
mkdir folder
run 3 "export onto a folder" export hello folder
if [ -w /dev/full ]; then
    run 3 "export to a full disk" export hello /dev/full
    expect "is told in a line" is_one_message
fi
expect "no temporary file is left" sh -c '! ls | grep -q "snap\\."'

run 0 "import" import hello.snap --store new
expect "takes the artifact's name" out_has "imported hello"
run 0 "it runs" run hello /x --store new
expect "and answers" out_is "hello /x"
run 0 "import again" import hello.snap --store new
run 0 "import --name" import --json --name other hello.snap --store new
json "takes the name" 'j.name === "other" && j.kind === "snapshot" && j.current === true'
cp hello.snap in
run_with_input 0 "import from standard input" import - --store new2
run 0 "both names" ls --json --store new
json "are there" 'j.map((e) => e.name).join() === "hello,other" && j[0].key === j[1].key'
run 2 "import under a bad name" import --name a/b hello.snap --store new3
run 3 "import of a missing file" import missing.snap --store new3
run 3 "import of a folder" import folder --store new3

# --- Damage
size=$(stat -c %s hello.snap)
for cut in 0 1 40 100 $((size / 2)) $((size - 1)); do
    head -c "$cut" hello.snap >cut.snap
    run 4 "import of the first $cut bytes" import cut.snap --store new3
    expect "is told in a line" is_one_message
done
for offset in 0 5 9 20 60 200 $((size / 2)) $((size - 1)); do
    node -e '
        const bytes = require("fs").readFileSync("hello.snap");
        bytes[process.argv[1]] ^= 1;
        require("fs").writeFileSync("flipped.snap", bytes);' "$offset"
    run 4 "import with byte $offset flipped" import flipped.snap --store new3
done
cat hello.snap hello.snap >double.snap
run 4 "import of two in one" import double.snap --store new3
echo '{"no": "artifact"}' >text.snap
run 4 "import of a text file" import text.snap --store new3
expect "none of this made a store" is_missing new3

# --- Damage inside a store: one byte of the artifact in data.mdb
node -e '
    const fs = require("fs");
    const data = fs.readFileSync("snapcell-store/data.mdb");
    const artifact = fs.readFileSync("hello.snap");
    const at = data.indexOf(artifact.subarray(artifact.length - 4000));
    if (at < 0) process.exit(1);
    data[at + 2000] ^= 1;
    fs.writeFileSync("snapcell-store/data.mdb", data);'
expect "a byte of the stored artifact was flipped" test $? = 0
run 4 "verify" verify
expect "names it" grep -q '^bad ' out
expect "counts" err_has "1 of 1 artifacts is bad"
run 4 "verify --json" verify --json
json "has the error" 'j.length === 1 && j[0].ok === false && j[0].error.code === "E_CORRUPT" && j[0].names.join() === "hello"'
run 4 "run" run hello
expect "is told in a line" is_one_message
run 4 "show" show hello
run 4 "export" export hello bad.snap
expect "leaves no file" is_missing bad.snap
run 4 "ls" ls
expect "still lists it" grep -q '^hello .*damaged' out
run 4 "compile of the same bundle" compile "$BUNDLES/hello.js"
expect "says what to do" err_has "snapcell rm"
run 0 "rm" rm hello
run 0 "compile" compile "$BUNDLES/hello.js"
run 0 "all is well" verify
done_testing
