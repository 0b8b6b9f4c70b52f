#!/bin/sh
# keygen, sign, and --trust wherever an artifact is taken: whose artifacts are accepted.
. "$(dirname "$0")/helper.sh"
unset SNAPCELL_TRUST

cp "$BUNDLES/hello.js" "$BUNDLES/handler.js" .

# --- Keys
run 0 "keygen" keygen ci --comment "ci of the shop"
expect "keeps the secret to its owner" [ "$(stat -c %a ci)" = 600 ]
expect "prints the public key" grep -q "^snapcell-ed25519 [A-Za-z0-9+/]*= ci of the shop\$" out
expect "which is in the file" grep -qxF "$(cat ci.pub)" out
expect "prints no secret" sh -c '! grep -q "$(grep secret ci | tail -1 | cut -d" " -f2)" out'
cp ci before
run 3 "keygen where a key is" keygen ci
expect "is told in a line" is_one_message
expect "leaves it alone" cmp ci before
run 0 "keygen --json" keygen --json old
json "has its fields" '/^[0-9a-f]{16}$/.test(j.key_id) && j.public_key.startsWith("snapcell-ed25519 ") && j.secret_file === "old" && j.public_file === "old.pub"'
run 3 "keygen in no folder" keygen nowhere/key
run 2 "keygen with a comment of two lines" keygen x --comment "a
b"
expect "makes nothing" is_missing x
"$SNAPCELL" keygen other >/dev/null || exit 1

# --- compile --sign
run 0 "compile --sign" compile hello.js handler.js --sign ci
run 0 "run --trust" run hello /x --trust ci.pub
expect "runs it" out_is "hello /x"
run 0 "run --trust KEY" run hello --trust "$(cat ci.pub)"
run 0 "run --trust BASE64" run hello --trust "$(cut -d' ' -f2 ci.pub)"
run 0 "run --trust, twice" run hello --trust other.pub --trust ci.pub
run 0 "run without trust" run hello
run 4 "run --trust another" run hello --trust other.pub
expect "is told in a line" is_one_message
expect "says why" err_has "not trusted"
run 0 "compile again" compile hello.js --sign ci --json
json "is cached" 'j.cached === true'
run 0 "compile without a key" compile hello.js --json
json "is cached, too" 'j.cached === true'
run 0 "which leaves the signature" run hello --trust ci.pub
cp hello.js in
run_with_input 0 "a bundle from standard input, signed" compile - --name piped --sign ci
run_with_input 0 "and unsigned after it" compile - --name piped
run 0 "leaves the signature, too" run piped --trust ci.pub
run 0 "compile with another key" compile hello.js --sign other --json
json "compiles it again" 'j.cached === false'
run 0 "in its place" run hello --trust other.pub
run 4 "not in addition to it" run hello --trust ci.pub
run 2 "compile --tenant without a key" compile hello.js --tenant acme
run 3 "compile with no key's file" compile hello.js --sign nothing
run 2 "compile with a public key" compile hello.js --sign ci.pub
run 2 "compile with an empty path" compile hello.js --sign ""
head -c 180 ci >cut
run 2 "compile with a key cut short" compile hello.js --sign cut
expect "shows nothing of it" err_lacks "$(tail -c 20 cut)"
cp ci open && chmod 644 open
run 0 "a key that others can read" compile hello.js --sign open
expect "warns" err_has "chmod 600 open"

# --- The compile worker has no key: its descriptors are looked at
cat >spy.js <<'END'
export default { fetch() { return new Response("spied"); } };
END
cat >worker <<END
#!/bin/sh
ls -l /proc/self/fd >"$work/descriptors"
exec "$SNAPCELL" "\$@"
END
chmod +x worker
SNAPCELL_WORKER="$work/worker" run 0 "a compile that is watched" compile spy.js --sign ci
expect "hands no key to its worker" sh -c '[ -s descriptors ] && ! grep -q "/ci$" descriptors'
run 0 "and signs" run spy --trust ci.pub

# --- What is unsigned
run 0 "an unsigned artifact" compile handler.js --name plain
run 0 "runs" run plain
run 4 "not with --trust" run plain --trust ci.pub
expect "says so" err_has "not signed"
SNAPCELL_TRUST=ci.pub run 4 "nor with \$SNAPCELL_TRUST" run plain
SNAPCELL_TRUST=other.pub:ci.pub run 0 "which may hold several" run hello
SNAPCELL_TRUST=other.pub run 0 "and which --trust replaces" run hello --trust ci.pub
SNAPCELL_TRUST=nothing run 3 "and which has to be there" run hello
SNAPCELL_TRUST= run 0 "an empty one is none" run plain
run 4 "export --trust" export plain plain.snap --trust ci.pub
expect "writes nothing" is_missing plain.snap
run 4 "show --trust" show plain --trust ci.pub
run 4 "recompile --trust" recompile plain --trust ci.pub
run 2 "run --recompile --trust" run plain --recompile --trust ci.pub

# --- Trust sets that are none
run 3 "a file that is not there" run hello --trust nothing
run 2 "a file that is none" run hello --trust hello.js
expect "names the line" err_has "hello.js:1"
run 2 "a secret key" run hello --trust ci
mkdir keys empty
run 2 "a directory without keys" run hello --trust empty
run 2 "nothing" run hello --trust ""
cp ci.pub other.pub keys
run 0 "a directory of keys" run hello --trust keys
echo "@revoked $(cat ci.pub)" >keys/revoked.keys
run 4 "a revoked key" run hello --trust keys
expect "says so" err_has "revoked"
run 4 "wherever it is trusted" run hello --trust ci.pub --trust keys

# --- show and verify
run 0 "show" show hello --json
json "has the signer" '/^[0-9a-f]{16}$/.test(j.signature.key_id) && j.signature.name === "hello" && j.signature.tenant === null'
run 0 "show of what is unsigned" show plain --json
json "has none" 'j.signature === null'
run 0 "verify" verify
expect "names the signer" grep -Eq "^ok   [0-9a-f]{32}  hello  signed by [0-9a-f]{16}\$" out
run 4 "verify --trust" verify --trust ci.pub
expect "names the signer's comment" grep -Eq "^ok .* hello  signed by [0-9a-f]{16} ci of the shop\$" out
expect "and what is unsigned" grep -Eq "^bad .* plain: the artifact is not signed" out
run 4 "verify --trust --json" verify --trust ci.pub --json
json "has both" 'j.some((e) => e.ok && e.signed_by.comment === "ci of the shop") && j.some((e) => !e.ok && e.error.code === "E_SIGNATURE" && e.signed_by === null)'

# --- Names and tenants
run 0 "export" export hello hello.snap --trust ci.pub
run 0 "import under another name" import hello.snap --name alias
run 0 "runs" run alias
run 4 "not with --trust" run alias --trust ci.pub
expect "says for which it is signed" err_has "signed for the name 'hello', not for 'alias'"
run 4 "verify finds it" verify alias --trust ci.pub
run 4 "import --trust refuses it" import hello.snap --name another --trust ci.pub
run 3 "and it is not there" run another
run 0 "by its key it runs" run "$(node -e 'console.log(JSON.parse(require("child_process").execFileSync(process.argv[1], ["show", "hello", "--json"])).key)' "$SNAPCELL")" --trust ci.pub
run 0 "import --trust" import hello.snap --trust ci.pub --store elsewhere
run 4 "import --trust another" import hello.snap --trust other.pub --store third
expect "makes no store" is_missing third
run 0 "rm" rm alias
run 0 "compile for a tenant" compile hello.js handler.js --sign ci --tenant acme
run 0 "run for it" run hello --trust ci.pub --tenant acme
run 4 "run for another" run hello --trust ci.pub --tenant other
run 4 "run for none" run hello --trust ci.pub
expect "says so" err_has "tenant 'acme'"
run 0 "verify for it" verify hello --trust ci.pub --tenant acme
run 4 "verify for another" verify hello --trust ci.pub --tenant other
run 0 "verify for any" verify hello --trust ci.pub

# --- sign: to begin with signing, and to change keys
run 2 "sign without a key" sign hello
run 3 "sign of nothing known" sign nothing --sign ci
run 4 "sign --trust of what is unsigned" sign plain --sign old --trust ci.pub
run 4 "leaves it so" run plain --trust old.pub
run 0 "sign" sign plain --sign old
run 0 "signs it" run plain --trust old.pub
run 0 "sign again" sign plain --sign old --json
json "changes nothing" 'j.length === 1 && j[0].name === "plain" && j[0].changed === false'
run 0 "sign by another" sign plain --sign other --trust old.pub
run 0 "in its place" run plain --trust other.pub
run 4 "not in addition to it" run plain --trust old.pub
run 0 "sign of everything" sign --sign other --json
json "is of every name" 'j.map((e) => e.name).sort().join() === "handler,hello,piped,plain,spy"'
run 0 "verify --trust" verify --trust other.pub
"$SNAPCELL" export hello new.snap || exit 1
"$SNAPCELL" import hello.snap --store elsewhere >out || exit 1
run 3 "import of what is signed again" import new.snap --store elsewhere --trust other.pub
expect "says what to do" err_has "import --replace"
run 0 "import --replace" import new.snap --replace --store elsewhere --trust other.pub
run 0 "puts it" run hello --store elsewhere --trust other.pub

# --- rebuild: a signature is no difference
run 0 "rebuild of what is signed" rebuild hello --trust other.pub
expect "is identical" out_has identical
run 4 "rebuild --trust another" rebuild hello --trust ci.pub

# --- Altered bytes
run 0 "export" export hello good.snap --trust other.pub
node -e '
    const fs = require("fs");
    const bytes = fs.readFileSync("good.snap");
    bytes[bytes.length - 3] ^= 1;
    fs.writeFileSync("bad.snap", bytes);'
run 4 "a byte of a signature" import bad.snap --replace --trust other.pub
run 4 "without trust, too" import bad.snap --replace

# --- recompile: what is made from a trusted source is signed, and nothing else is
"$OTHER_ENGINE" 1 good.snap foreign.snap || exit 1
run 0 "an artifact for another engine, unsigned" import foreign.snap --store elder
run 4 "recompile --sign" recompile hello --sign ci --store elder
expect "vouches for no source that it does not know" err_has "not signed"
run 0 "sign" sign hello --sign other --tenant acme --store elder
run 4 "recompile --sign by another key" recompile hello --sign ci --store elder
run 0 "recompile --sign --trust" recompile hello --sign ci --trust other.pub --store elder
run 0 "keeps name and tenant" run hello --trust ci.pub --tenant acme --store elder
run 4 "and signs by the new key" run hello --trust other.pub --tenant acme --store elder
done_testing
