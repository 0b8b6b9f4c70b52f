#!/bin/sh
# rebuild: the same bundle gives the same bytes, and what differs is told. And nothing of where a compile runs gets
# into an artifact.
. "$(dirname "$0")/helper.sh"

run 0 "a bundle" compile --warm /x "$BUNDLES/hello.js"
run 0 "rebuilt from the artifact's own source" rebuild hello
expect "is identical" grep -Eq '^hello +[0-9a-f]{12}  identical$' out
mkdir elsewhere && cp "$BUNDLES/hello.js" elsewhere/renamed.js
run 0 "rebuilt from a file elsewhere, of another name" rebuild hello --from elsewhere/renamed.js --json
json "is identical" 'j.identical === true && j.differences.length === 0 && j.name === "hello" && /^[0-9a-f]{32}$/.test(j.key)'
before=$(cksum <snapcell-store/data.mdb)
sed '2s/^/ /' "$BUNDLES/hello.js" >elsewhere/hello.js
run 1 "rebuilt from another source" rebuild hello --from elsewhere/hello.js --json
json "is different" 'j.identical === false'
json "from a line on" 'j.differences[0].what === "source" && /line 2$/.test(j.differences[0].detail) && j.differences[0].bytes[1] === j.differences[0].bytes[0] + 1'
json "and so is the blob" 'j.differences.some((d) => d.what === "blob" && d.count > 0 && / heap| context/.test(d.detail))'
run 1 "for people" rebuild hello --from elsewhere/hello.js
expect "it is a table" grep -Eq '^  source +another source: the first difference is in line 2 \([0-9]+ bytes differ' out
expect "the store is left alone" test "$before" = "$(cksum <snapcell-store/data.mdb)"
{ printf '\357\273\277' && cat "$BUNDLES/hello.js"; } >elsewhere/hello.js
run 1 "a byte order mark" rebuild hello --from elsewhere/hello.js --json
json "is told from the source" 'j.differences[0].what === "bundle" && !j.differences.some((d) => d.what === "source")'
run 0 "raw" compile --raw --name raw "$BUNDLES/wide.js"
run 0 "is identical, too" rebuild raw --from "$BUNDLES/wide.js"
run 0 "a code artifact" compile --entropy fresh "$BUNDLES/random.js"
run 0 "is identical" rebuild random --from "$BUNDLES/random.js"
run 0 "allowed random values" compile --name allowed --entropy allow "$BUNDLES/random.js"
run 0 "are identical" rebuild allowed --from "$BUNDLES/random.js"

run 1 "a bundle that fails" rebuild hello --from "$BUNDLES/throws.js"
expect "is named with its place" grep -Eq 'throws\.js:2:|hello\.js:2:' err
run 3 "a file that is missing" rebuild hello --from missing.js
expect "is told in a line" is_one_message
run 3 "an unknown function" rebuild nothing
run 2 "no function" rebuild

# --- Canaries: the environment, the arguments, open files and files next to the bundle
mkdir canaries && cd canaries || exit 1
cat >keep.mjs <<'JS'
// All that a function could get hold of, it keeps.
const kept = [];
const seen = new Set();
const walk = (value, depth) => {
    if (depth > 4 || value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
        try {
            const inner = value[key];
            if (inner instanceof Promise) inner.catch(() => {});
            kept.push(`${String(key)}=${String(inner)}`.slice(0, 200));
            walk(inner, depth + 1);
        } catch {}
    }
};
walk(globalThis, 0);
export default { fetch(request, env) { kept.push(JSON.stringify(env)); return new Response(kept.length); } };
JS
canary=canary-$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
echo "secret=$canary-adjacent" >.env
cp .env keep.mjs.env
echo "$canary-open" >open.txt
CANARY="$canary-environment" NODE_OPTIONS="$canary-node" HOME="/$canary-home" USER="$canary-user" \
    "$SNAPCELL" compile --store "./$canary-store" --raw --name keep --warm /x --wall-ms 60000 keep.mjs >out 2>err \
    </dev/null 7<open.txt 8<open.txt
expect "the function compiles" grep -q snapshot out
"$SNAPCELL" export --store "./$canary-store" keep ../keep.snap >/dev/null 2>err
mv "$canary-store" ../canary-store
cd .. || exit 1
expect "it kept a lot" test "$(wc -c <keep.snap)" -gt 100000
expect "nothing secret is in the decoded blob" sh -c "! LC_ALL=C grep -aFq '$canary' keep.snap"
expect "nor in the store's file" sh -c "! LC_ALL=C grep -aFq '$canary' canary-store/data.mdb"
expect "nor the folder's name" sh -c "! LC_ALL=C grep -aFq '$work' keep.snap canary-store/data.mdb"
run 0 "a canary that is in the bundle" compile --store canary-store --raw --name control "$BUNDLES/hello.js"
expect "would be found" sh -c "LC_ALL=C grep -aFq 'thrown on purpose' canary-store/data.mdb"
done_testing
