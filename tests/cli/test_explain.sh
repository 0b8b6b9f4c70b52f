#!/bin/sh
# compile --explain and --entropy: what is in a snapshot, what is not, and why.
. "$(dirname "$0")/helper.sh"

# --- What keeps a function from being a snapshot
run 0 "a function with three causes" compile --explain --entropy fresh "$BUNDLES/causes.js"
expect "is no snapshot" out_has "cannot be a snapshot:"
expect "names the place and the path" grep -Eq '^ +causes\.js:3:20 +an object made by Intl\.DateTimeFormat, kept as `globalThis\.app\.cache\.formats\[0\]`$' out
expect "names the random value" grep -Eq '^ +causes\.js:4:19 +crypto\.randomUUID\(\) was called at top level$' out
expect "names the WebAssembly" grep -Eq '^ +causes\.js:5:21 +an object made by WebAssembly\.Memory, kept as `globalThis\.memory`$' out
expect "says what to do" grep -Eq '^ +-> make it when the handler first needs it$' out
run 0 "the same from the store" compile --explain --entropy fresh --json "$BUNDLES/causes.js"
json "is explained, too" 'j.cached && j.explain.causes.length === 3 && j.explain.uses.length === 0'
json "has the cause's fields" 'JSON.stringify(j.explain.causes.find((c) => c.kind === "object")) === JSON.stringify({kind:"object",warm:false,what:"an object made by Intl.DateTimeFormat",count:1,place:"causes.js:3:20",path:"globalThis.app.cache.formats[0]",advice:"make it when the handler first needs it"})'
run 1 "strictly" compile --explain --strict "$BUNDLES/causes.js"
expect "is explained on standard output" out_has "cannot be a snapshot:"
expect "and an error with a place" grep -Eq '^causes\.js:4:19: .*/causes\.js cannot become a snapshot: .*; .*; ' err
run 1 "strictly, as JSON" compile --explain --strict --json "$BUNDLES/causes.js"
json "has error and causes" 'j.error.code === "E_UNSNAPSHOTABLE" && j.error.line === 4 && j.explain.causes.length === 3'
run 1 "a bundle that fails" compile --explain --json "$BUNDLES/throws.js"
json "has no causes" 'j.error.code === "E_SCRIPT" && j.explain.causes.length === 0'
run 0 "without --explain" compile --entropy fresh --json "$BUNDLES/causes.js"
json "there is no explanation" 'j.explain === undefined'

# --- What is in a snapshot
run 0 "a snapshot" compile --explain --warm /x "$BUNDLES/clock.js"
expect "lists the web APIs" grep -Eq '^  web APIs  .*fetch' out
expect "lists the warm-up" grep -Eq '^  warm-up   /x$' out
expect "lists its objects" grep -Eq '^  objects   [a-z]+ [0-9.]+ kB, ' out
expect "lists the clock" grep -Eq '^ +clock\.js:1:17 +new Date\(\)$' out
expect "lists Math.random" grep -Eq '^ +clock\.js:2:21 +Math\.random\(\)' out
expect "lists the warm-up's random value" grep -Eq '^ +clock\.js:6:27 +crypto\.randomUUID\(\), in a warm-up request$' out
expect "warns of nothing" is_empty err
# --- Whose code it is
cat >packages.js <<'END'
// node_modules/@scope/pack/index.js
globalThis.one = new WebAssembly.Memory({ initial: 1 });
// node_modules/.pnpm/other@1.0.0/node_modules/other/lib/main.mjs
globalThis.two = new FinalizationRegistry(() => {});
// src/main.ts
globalThis.three = new WebAssembly.Memory({ initial: 1 });
// a remark
export default { fetch: () => new Response(globalThis.four = new WebAssembly.Memory({ initial: 1 })) };
END
run 0 "causes in packages" compile --explain --json packages.js
json "name the package alone" 'JSON.stringify(j.explain.causes.map(c => [c.place, c.advice])) === JSON.stringify([["packages.js:2:18", "the package @scope/pack does this: load it by import() when the handler first needs it"], ["packages.js:6:20", "make it when the handler first needs it"]])'
run 0 "a cause in a warm-up" compile --explain --json --warm / packages.js
json "is told as that" 'j.explain.causes.some(c => c.warm && c.place === "packages.js:8:62" && c.advice === "keep none of a warm-up request, or leave that request out")'
printf 'globalThis.one = new WebAssembly.Memory({ initial: 1 });\nexport default { fetch() {} };\n' >mapped.js
printf '{"version":3,"sources":["../node_modules/pack/one.js"],"names":[],"mappings":"AAAA"}' >mapped.js.map
run 0 "a cause in a package, through a source map" compile --explain mapped.js
expect "names it, too" out_has "the package pack does this"

cat >ticks.js <<'END'
setInterval(() => {}, 60000);
export default { fetch() { setTimeout(() => {}, 5000); return new Response(""); } };
END
run 0 "timers that are pending" compile --strict --explain --warm / ticks.js
expect "are listed" grep -Eq '^ +ticks\.js:1:1 +an interval that goes on in each instance$' out
expect "those of a warm-up, too" grep -Eq '^ +ticks\.js:2:28 +a timer that goes on in each instance, in a warm-up request$' out
run 0 "show" show clock --json
json "has the same" 'j.manifest.notes.length === 4 && j.manifest.notes.every((n) => !n.prevents && n.place)'

# --- Random values
run 0 "--entropy fresh" compile --entropy fresh --json "$BUNDLES/random.js"
json "is a code artifact" 'j.kind === "code"'
run 1 "without --entropy" compile --json "$BUNDLES/random.js"
json "is an error that names the line" 'j.error.code === "E_UNSNAPSHOTABLE" && j.error.file === "random.js" && j.error.line > 0 && /randomUUID/.test(j.error.message)'
run 0 "--entropy allow" compile --entropy allow --json --explain "$BUNDLES/random.js"
json "is a snapshot under another key" 'j.kind === "snapshot" && !j.cached && j.explain.uses.some((u) => u.kind === "entropy" && u.place)'
run 0 "which says so" show random --json
json "in its manifest" 'j.manifest.options.entropy === "allow"'
run 0 "--entropy error of what is fine" compile --entropy error "$BUNDLES/hello.js"
printf 'new WebAssembly.Memory({ initial: 1 });\nexport default { fetch: () => new Response("x") };\n' >memory.js
run 0 "a code artifact for another reason" compile --json memory.js
json "is code" 'j.kind === "code" && !j.cached'
run 0 "the same again" compile --json memory.js
json "is not compiled again" 'j.kind === "code" && j.cached'
run 0 "a kept warm-up value" compile --name kept --warm /keep --json "$BUNDLES/clock.js"
json "is a code artifact" 'j.kind === "code" && /gave to a warm-up request \(clock\.js:6:27\); .* leave that request out, or take `--entropy allow`/.test(j.warnings[0])'
run 0 "which is not compiled again" compile --name kept --warm /keep --json "$BUNDLES/clock.js"
json "but cached" "j.cached"
run 1 "strictly an error" compile --name kept --warm /keep --strict "$BUNDLES/clock.js"
expect "names the line" grep -q '^clock\.js:6:27: ' err
expect "and what to do about the request" err_has "leave that request out, or take"
run 2 "another --entropy" compile --entropy maybe "$BUNDLES/hello.js"
expect "is told in a line" is_one_message

# --- A heap snapshot
run 0 "--heap-snapshot" compile --json --store heaps --heap-snapshot hello.heapsnapshot "$BUNDLES/hello.js"
json "compiles" 'j.kind === "snapshot" && !j.cached'
expect "writes what developer tools read" node -e '
    const heap = JSON.parse(require("fs").readFileSync("hello.heapsnapshot"));
    const { node_count, meta } = heap.snapshot;
    if (heap.nodes.length !== node_count * meta.node_fields.length) process.exit(1);
    if (!heap.strings.includes("hello.js")) process.exit(1);'
run 0 "the same without it" compile --json --store other "$BUNDLES/hello.js"
run 0 "an export of the first" export --store heaps hello first.snapcell
run 0 "an export of the second" export --store other hello second.snapcell
expect "the artifacts are the same" cmp first.snapcell second.snapcell
run 0 "again, of what is in the store" compile --json --store heaps --heap-snapshot again.heapsnapshot "$BUNDLES/hello.js"
expect "there is another one" test -s again.heapsnapshot
run 1 "of a code artifact" compile --store heaps --heap-snapshot none.heapsnapshot memory.js
expect "is told in a line" is_one_message
expect "there is none" test ! -e none.heapsnapshot
run 2 "of two files" compile --heap-snapshot x "$BUNDLES/hello.js" "$BUNDLES/clock.js"
expect "is told in a line" is_one_message
done_testing
