#!/bin/sh
# export --oci and import --oci: layouts that others read, and nothing half-written.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" keygen key >/dev/null 2>&1 || exit 1
"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/worker.js" >/dev/null 2>&1 || exit 1
"$SNAPCELL" compile "$BUNDLES/handler.js" --name 'a function' >/dev/null 2>&1 || exit 1

# --- Out
run 0 "several functions" export --oci layout hello worker 'a function' hello
expect "each is told once" line_count out 3
run 0 "the same again" export --oci layout hello --json
json "what --json says" 'j.length === 1 && j[0].name === "hello" && j[0].tag === "hello" &&
    /^sha256:[0-9a-f]{64}$/.test(j[0].digest) && j[0].architecture.length > 0'
run 0 "the same in another folder" export --oci second worker 'a function' hello
expect "the bytes are the same" diff -r layout second
expect "nothing else is left" test "$(find . -name '.snapcell-*' -o -name 'layout.*' | wc -l)" -eq 0

cat >read.mjs <<'END'
// Reads a layout as a stranger would: every blob has its digest, and the config is what `show` prints.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
const [folder, shown, file] = process.argv.slice(2);
const blob = ({ digest, size }) => {
    const bytes = readFileSync(`${folder}/blobs/sha256/${digest.slice(7)}`);
    const real = "sha256:" + createHash("sha256").update(bytes).digest("hex");
    if (real !== digest || bytes.length !== size) throw new Error(`${digest} is wrong`);
    return bytes;
};
const top = JSON.parse(readFileSync(`${folder}/index.json`));
const tag = top.manifests.find(
    ({ annotations }) => annotations["org.opencontainers.image.ref.name"] === "hello"
);
const index = JSON.parse(blob(tag));
const entry = index.manifests[0];
const manifest = JSON.parse(blob(entry));
const config = JSON.parse(blob(manifest.config));
const show = JSON.parse(readFileSync(shown));
for (const [key, value] of Object.entries(show))
    if (!["names", "current"].includes(key) && JSON.stringify(config[key]) !== JSON.stringify(value))
        throw new Error(`config has another ${key}`);
if (manifest.artifactType !== "application/vnd.snapcell.function.v1") throw new Error("artifactType");
if (manifest.layers.length !== 1 || !blob(manifest.layers[0]).equals(readFileSync(file)))
    throw new Error("the layer is not the artifact");
for (const { annotations } of [entry, manifest])
    if (annotations["io.snapcell.key"] !== show.key || annotations["io.snapcell.engine"] !== show.engine)
        throw new Error("annotations");
END
run 0 "an artifact as a file" export hello hello.bin
run 0 "what show prints" show hello --json
cp out shown
expect "the layout is as documented" node read.mjs layout shown hello.bin

# --- In
run 0 "all of them" import --oci layout --store new
expect "each is told" line_count out 3
run 0 "a listing" ls --store new --json
json "they have their names" 'JSON.stringify(j.map(f => f.name)) === `["a function","hello","worker"]`'
run 0 "it runs" run hello --store new
run 0 "again" import --oci layout --store new --json
json "what --json says" 'j.length === 3 && j.every(f => f.current && f.artifact_bytes > 0)'
run 2 "one name for several" import --oci layout --name x --store x
expect "it says so in a line" is_one_message
run 0 "one function" export --oci one hello
run 0 "under another name" import --oci one --name renamed --store new
run 0 "which it has" show renamed --store new

# --- Signed
run 4 "unsigned, where a signature is required" import --oci one --trust key.pub --store signed
expect "no store was made" is_missing signed
run 0 "signing" sign hello --sign key
run 0 "a signed one" export --oci signed-layout hello --trust key.pub
run 0 "is accepted" import --oci signed-layout --trust key.pub --store signed
run 4 "but not under another name" import --oci signed-layout --trust key.pub --name other --store signed
run 4 "unsigned ones are not exported" export --oci unsigned worker --trust key.pub
expect "nothing was written" is_missing unsigned
run 0 "a signed one in an old layout" export --oci layout hello --force

# --- What is wrong with layouts
run 3 "a folder that is not there" import --oci nowhere
expect "it says so in a line" is_one_message
run 3 "a folder that is no layout" export --oci "$BUNDLES" hello
expect "it says what is expected" err_has "an empty folder"
run 3 "a file" export --oci hello.bin hello
run 3 "a tag that stands for something else" export --oci one hello
expect "it names --force" err_has "--force"
run 3 "a function that is not there" export --oci third hello nothing
expect "nothing was written" is_missing third
cp -r layout broken
largest=$(find broken/blobs -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
printf x | dd of="$largest" bs=1 seek=1000 conv=notrunc 2>/dev/null
run 4 "a blob with another byte" import --oci broken --store unbroken
expect "it says which" err_has "is damaged"
expect "nothing was put" is_missing unbroken
rm "$largest"
run 3 "a blob that is missing" import --oci broken --store unbroken
for text in '{' '{}' '{"schemaVersion":2,"manifests":[{}]}' '{"schemaVersion":2,"manifests":7}'; do
    printf %s "$text" >broken/index.json
    run 4 "index.json is $text" import --oci broken --store unbroken
    expect "it says so in a line" is_one_message
done
printf '{"schemaVersion":2,"manifests":[]}' >broken/index.json
run 3 "a layout without functions" import --oci broken --store unbroken
run 2 "--oci without a folder" import --oci
run 2 "--oci and a file" import --oci layout hello.bin
run 2 "import of nothing" import
run 2 "export of nothing" export --oci layout
run 2 "export to nothing" export hello
run 2 "one too many" export hello a b
run 2 "an option of --oci alone" export hello x --no-artifact-type

# --- Others' tools
if command -v skopeo >/dev/null; then
    expect "skopeo inspects it" skopeo inspect oci:layout:worker
    expect "skopeo copies it" skopeo --insecure-policy copy --all oci:layout:worker oci:copied:worker
    run 0 "what it copied can be imported" import --oci copied --store skopeo
    expect "skopeo copies one of them" skopeo --insecure-policy copy oci:layout:worker oci:single:worker
    run 0 "that can be imported, too" import --oci single --store skopeo
    run 0 "it runs" run worker --store skopeo
else
    echo "# skopeo is not installed; scripts/install-dependencies --tests installs it"
fi
done_testing
