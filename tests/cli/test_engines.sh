#!/bin/sh
# Artifacts of other engines, and recompile.
. "$(dirname "$0")/helper.sh"
: "${OTHER_ENGINE:?the program that makes an artifact one for another engine}"

"$SNAPCELL" compile --name hello --warm /x "$BUNDLES/hello.js" >/dev/null || exit 1
"$SNAPCELL" compile "$BUNDLES/handler.js" "$BUNDLES/wide.js" --store s >/dev/null || exit 1
"$SNAPCELL" export hello hello.snap || exit 1
"$SNAPCELL" export --store s handler handler.snap || exit 1
"$SNAPCELL" export --store s wide wide.snap || exit 1
for name in hello handler wide; do "$OTHER_ENGINE" 1 $name.snap $name.1 && "$OTHER_ENGINE" 2 $name.snap $name.2; done
expect "artifacts for other engines" test -s wide.2

run 0 "import" import hello.1 --json
json "says that it is for another engine" 'j.current === false'
expect "says what to do" err_has "snapcell recompile hello"
run 0 "side by side" ls --json
json "under one name" 'j.length === 2 && j.every((e) => e.name === "hello") && j.filter((e) => e.current).length === 1'
run 0 "run" run hello /calls
expect "takes its own" out_is "2"
run 0 "show" show --json hello
json "takes its own" 'j.current === true'
run 0 "recompile" recompile --json
json "finds nothing to do" 'lines.length === 1 && j.cached === true && j.name === "hello"'

run 0 "import into a store without its own" import hello.1 --store t
run 4 "run" run hello --store t
expect "is told in a line" is_one_message
expect "says what to do" err_has recompile
run 0 "show" show --json hello --store t
json "shows the other" 'j.current === false'
run 0 "export" export hello other.snap --store t
expect "gives the other" cmp other.snap hello.1
run 0 "verify" verify --store t
run 0 "run --recompile" run hello /calls --recompile --store t
expect "answers, warm as it was" out_is "2"
expect "warns" err_has "warning"
run 0 "run afterwards" run hello /calls --store t
expect "needs no more" is_empty err
run 0 "both" ls --json --store t
json "are there" 'j.length === 2'

for name in hello handler wide; do "$SNAPCELL" import $name.1 --store u >/dev/null 2>&1; done
run 0 "recompile of all" recompile --json --jobs 2 --store u
json "makes each" 'lines.map((l) => l.name).join() === "handler,hello,wide" && lines.every((l) => l.cached === false)'
run 0 "recompile of all, again" recompile --json --store u
json "makes none" 'lines.every((l) => l.cached === true)'
run 0 "run" run wide --store u
expect "answers" out_is "größer 日本語"
run 0 "the key" show --json wide --store s
cp out here.json
run 0 "is the one that compiling gives" show --json wide --store u
json "to the digit" 'j.key === JSON.parse(require("fs").readFileSync("here.json")).key'

"$SNAPCELL" import hello.1 --name a --store v >/dev/null 2>&1
"$SNAPCELL" import hello.1 --name b --store v >/dev/null 2>&1
"$SNAPCELL" import handler.1 --name c --store v >/dev/null 2>&1
prefix=$("$SNAPCELL" ls --json --store v | node -e 'console.log(JSON.parse(require("fs").readFileSync(0))[0].key.slice(0, 12))')
run 0 "recompile by key" recompile --json "$prefix" --store v
json "makes one" 'lines.length === 1 && j.cached === false'
run 0 "for every name of it" run b --store v
run 4 "and for no other" run c --store v
run 3 "recompile of nothing known" recompile nothing c --store v
run 0 "goes on" run c --store v

# Two other engines, one bundle: either will do. Two bundles: a person has to choose.
"$SNAPCELL" import hello.1 --store w >/dev/null 2>&1
"$SNAPCELL" import hello.2 --store w >/dev/null 2>&1
"$SNAPCELL" import handler.1 --name mixed --store w >/dev/null 2>&1
"$SNAPCELL" import wide.2 --name mixed --store w >/dev/null 2>&1
run 0 "two engines, one bundle" recompile hello --store w
run 2 "two engines, two bundles" recompile mixed --store w
expect "asks for a key" err_has "key"

# A store as an older program left it: its engine had V8 13.6.233.10. The function counts its visits,
# of which a warm-up made the first.
run 0 "import what an older engine made" import "$BUNDLES/../old_engine/v8-13.6.233.10.snap" --store old
expect "says what to do" err_has "snapcell recompile visits"
run 4 "run" run visits --store old
expect "is told in a line" is_one_message
expect "says what to do" err_has recompile
run 0 "recompile of all" recompile --json --store old
json "makes it" 'lines.length === 1 && j.cached === false && j.name === "visits"'
run 0 "run" run visits /second --store old
expect "answers, warm as it was" out_is "/second 2 größer"
run 0 "verify" verify --store old
run 0 "ls" ls --json --store old
json "has both" 'j.length === 2 && j.filter((e) => e.current).length === 1'
done_testing
