#!/bin/sh
# push, pull, ls and copy, with a registry that does all that a registry must not do.
. "$(dirname "$0")/helper.sh"

unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY SNAPCELL_TRUST
export DOCKER_CONFIG="$work/docker" HOME="$work"
mkdir docker
"$SNAPCELL" compile "$BUNDLES/hello.js" --raw >/dev/null 2>&1 || exit 1
"$SNAPCELL" compile "$BUNDLES/worker.js" >/dev/null 2>&1 || exit 1
mkfifo hold ports
node "$(dirname "$0")/registry_stand_in.mjs" <hold >ports 2>stand_in.err &
exec 9>hold
read -r port elsewhere <ports || exit 1
registry=oci://127.0.0.1:$port

# As run, of a registry without TLS.
talk() {
    wanted=$1 what=$2
    shift 2
    run "$wanted" "$what" "$@" --plain-http
}
fetch_log() {
    node -e 'fetch(process.argv[1]).then(async r => process.stdout.write(await r.text()))' "http://127.0.0.1:$port/_log" >log
}
log_has() { grep -Eq -- "$1" log; }
log_lacks() { ! grep -Eq -- "$1" log; }

# --- Where nothing goes wrong
talk 0 "pushing" push hello worker "$registry/plain/app:v1" --json
json "what --json says" 'j.functions.length === 2 && j.functions.every(f => f.uploaded) && j.digest.length === 71'
digest=$(sed 's/.*"digest":"\(sha256:[0-9a-f]*\)","functions".*/\1/' out)
talk 0 "pushing again" push hello worker "$registry/plain/app:v1" --json
json "nothing is uploaded again" 'j.functions.every(f => !f.uploaded)'
talk 0 "another tag" push hello "$registry/plain/app:v2"
talk 0 "tags, a page each" ls "$registry/plain/app" --json
json "all of them" 'JSON.stringify(j.map(t => t.tag)) === `["v1","v2"]`'
talk 0 "what a tag has" ls "$registry/plain/app:v1" --json
json "both functions" 'j.map(f => f.name).join() === "hello,worker" && j.every(f => f.current)'
talk 0 "pulling" pull "$registry/plain/app:v1" --store plain --json
json "what --json says" 'j.functions.length === 2 && j.fetched_bytes > 1000'
talk 0 "pulling again" pull "$registry/plain/app:v1" --store plain --json
json "nothing is fetched again" 'j.fetched_bytes === 0'
run 0 "it runs" run hello --store plain
talk 0 "pulling by digest" pull "$registry/plain/app@$digest" --store digest
talk 0 "pulling one under another name" pull "$registry/plain/app:v2" --name other --store plain
talk 2 "a name for two" pull "$registry/plain/app:v1" --name other --store plain
talk 3 "a tag that is not there" pull "$registry/plain/app:v9"
expect "it says so in a line" is_one_message
talk 0 "adding to a tag" push worker "$registry/plain/app:v2" --add
talk 0 "what it has" ls "$registry/plain/app:v2" --json
json "both" 'j.length === 2'

# --- Releases
run 0 "a release" release create r1 hello worker
talk 0 "pushing it" push --release r1 "$registry/plain/release"
talk 0 "its tag" ls "$registry/plain/release"
expect "is its name" out_is r1
talk 0 "pulling it" pull "$registry/plain/release:r1" --release r1 --store released
run 3 "it is not active" run hello --store released
run 0 "it is there" release activate r1 --store released
run 0 "now it is active" run hello --store released
talk 0 "pulling another" pull "$registry/plain/app:v2" --release r2 --activate --store released --json
json "what --json says" 'j.functions.length > 0'
run 0 "rolling back" release rollback --store released
talk 0 "something else" push worker "$registry/plain/app:v3"
talk 3 "another under the same name" pull "$registry/plain/app:v3" --release r1 --store released
talk 3 "a release that is not there" push --release nothing "$registry/plain/release"
talk 2 "a release and a function" push --release r1 hello "$registry/plain/release"
talk 2 "activating none" pull "$registry/plain/app:v2" --activate

# --- Uploads
for place in relative/app least/app broken/app lost/app busy/app flaky/app; do
    talk 0 "uploading in pieces to $place" push hello "$registry/$place:v1" --chunk-kb 64
    talk 0 "what came" pull "$registry/$place:v1" --store "up-${place%/*}"
done
fetch_log
expect "uploads went in pieces" log_has 'PATCH /v2/relative/app/blobs/uploads/[0-9]+\?state='
expect "a broken piece was gone on with" log_has 'GET /v2/broken/app/blobs/uploads/'
talk 0 "mounting" push hello "$registry/mounted:v1" --mount plain/app
fetch_log
expect "blobs were mounted" log_has 'POST /v2/mounted/blobs/uploads/\?mount=sha256:[0-9a-f]+&from=plain/app'
expect "and not uploaded" log_lacks 'PUT /v2/mounted/blobs'
talk 0 "mounting what is not there" push worker "$registry/unmounted:v1" --mount nothing/here
talk 0 "blobs at a host that allows GET alone" push hello "$registry/signed/app:v1" --json
json "are there" 'j.functions.every(f => !f.uploaded)'
talk 3 "a registry that knows few types" push hello "$registry/refuses/app"
expect "it says what to do" err_has "--no-artifact-type"

# --- Copies
talk 0 "copying by tag" copy "$registry/plain/app:v1" "$registry/copied/app" --json
json "by digest" "j.digest === '$digest' && j.blobs === 4 && j.copied_blobs === 0"
talk 0 "copying by digest" copy "$registry/plain/app@$digest" "$registry/cut/app:new" --json
talk 2 "to a digest" copy "$registry/plain/app:v1" "$registry/x@$digest"

# --- Downloads. The stand-in has the manifests of plain/app for every repository.
index=plain/app@$digest
for place in cut/app norange/app misplaced/app; do
    talk 0 "a connection that breaks: $place" pull "$registry/$place@$digest" --store "down-${place%/*}"
done
fetch_log
expect "it went on where it stopped" log_has 'GET /v2/cut/app/blobs/sha256:[0-9a-f]+ - bytes=[0-9]+-'
talk 4 "other bytes" pull "$registry/wrong/app@$digest" --store bad
expect "it says what was expected" err_has "is expected"
talk 3 "less than it should be" pull "$registry/short/app@$digest" --store bad
talk 4 "a blob without end" pull "$registry/overflow/app@$digest" --store bad
talk 4 "a manifest without end" pull "$registry/endless/app:v1" --store bad
talk 3 "too many headers" pull "$registry/headers/app:v1" --store bad
talk 4 "another manifest than was requested" pull "$registry/lies/app@$digest" --store bad
talk 4 "another manifest than it says" pull "$registry/lies/app:v1" --store bad
talk 4 "a manifest that is none" pull "$registry/junk/app:v1" --store bad
talk 4 "tags that are none" ls "$registry/junk/app"
talk 4 "tags without end" ls "$registry/endless/app"
talk 3 "redirects without end" pull "$registry/loop/app:v1" --store bad
talk 3 "a redirect to a file" pull "$registry/nowhere/app@$digest" --store bad
expect "it says so" err_has "no URL of HTTP"
talk 3 "a registry that is down" pull "$registry/down/app:v1" --store bad
expect "its words are clean" err_has "broken ?[31mred"
expect "it says so in a line" is_one_message
talk 3 "one that wants us to come tomorrow" pull "$registry/later/app:v1" --store bad
expect "it says so" err_has "tomorrow"
talk 3 "a port where nobody listens" pull oci://127.0.0.1:4/app:v1 --store bad
expect "of all that, nothing was put" is_missing bad
run 3 "TLS, where there is none" pull "$registry/plain/app:v1" --store bad
expect "it says what to do" err_has "--plain-http"

# --- Who one is
talk 3 "nobody in particular" pull "$registry/basic/app@$digest" --store who
expect "it says what to do" err_has "docker login 127.0.0.1:$port"
auth=$(printf user:pass:word | base64)
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$port" "$auth" >docker/config.json
for place in basic bearer away; do
    talk 0 "as a user: $place" pull "$registry/$place/app@$digest" --store "who-$place"
done
talk 0 "pushing as a user" push hello "$registry/bearer/up:v1"
fetch_log
expect "the token service heard the password" log_has "elsewhere GET /token.* Basic $auth"
expect "and the scope" log_has 'elsewhere GET /token\?service=a%20%22b%22&scope=repository%3Abearer%2Fup%3Apull%2Cpush'
expect "nobody else did" log_lacks "elsewhere GET /blob/.* (Basic|Bearer)"
expect "blobs were fetched elsewhere" log_has "elsewhere GET /blob/"
talk 3 "a token service without end" pull "$registry/bearer/pours:v1" --store who
talk 3 "a token with a line end" pull "$registry/bearer/injects:v1" --store who
printf '{"auths":{"http://127.0.0.1:%s/v1/":{"identitytoken":"long/lived"}}}' "$port" >docker/config.json
talk 0 "with a login's token" pull "$registry/identity/app@$digest" --store who-identity
printf '{"auths":{"127.0.0.1:%s":{"registrytoken":"as-it-is"}}}' "$port" >docker/config.json
talk 0 "with a token as it is" pull "$registry/given/app@$digest" --store who-given
auth=$(printf user:wrong | base64)
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$port" "$auth" >docker/config.json
for place in basic bearer; do
    talk 3 "a wrong password: $place" pull "$registry/$place/app@$digest" --store who
done

# --- Credential helpers
mkdir bin
cat >bin/docker-credential-test <<'END'
#!/bin/sh
[ "$1" = get ] && read -r host || [ -n "$host" ] || exit 1
case $host in
127.0.0.1:*) echo '{"ServerURL":"x","Username":"user","Secret":"pass:word"}' ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
END
cat >bin/docker-credential-mute <<'END'
#!/bin/sh
echo 'credentials not found in native keychain'; exit 1
END
cat >bin/docker-credential-bad <<'END'
#!/bin/sh
yes
END
chmod +x bin/*
PATH=$work/bin:$PATH
printf '{"credHelpers":{"127.0.0.1:%s":"test"},"credsStore":"bad"}' "$port" >docker/config.json
talk 0 "a helper of the registry's" pull "$registry/basic/app@$digest" --store who-helper
printf '{"credsStore":"test"}' >docker/config.json
talk 0 "a helper for all" pull "$registry/bearer/app@$digest" --store who-store
printf '{"credsStore":"mute"}' >docker/config.json
talk 3 "a helper that knows nothing" pull "$registry/basic/app@$digest" --store who
expect "it says what to do" err_has "docker login"
for helper in bad none ../bin/docker-credential-test; do
    printf '{"credsStore":"%s"}' "$helper" >docker/config.json
    talk 3 "the helper $helper" pull "$registry/basic/app@$digest" --store who
    expect "it says so in a line" is_one_message
done
for text in '' '[]' '{"auths":{"127.0.0.1:'"$port"'":{"auth":"%%"}}}'; do
    printf '%s' "$text" >docker/config.json
    talk 3 "config.json is $text" pull "$registry/basic/app@$digest" --store who
    expect "it names the file" err_has "docker/config.json"
done
talk 0 "which nobody looks at without need" pull "$registry/$index" --store last

# --- Command lines
for reference in oci:// oci://x oci://127.0.0.1/A oci://127.0.0.1/a:b:c http://127.0.0.1/a oci://u@127.0.0.1/a; do
    run 2 "pull $reference" pull "$reference"
    run 2 "push $reference" push hello "$reference"
    expect "it says so in a line" is_one_message
done
run 2 "push to a digest" push hello "$registry/a@$digest"
run 2 "push of nothing" push "$registry/a"
run 2 "pieces of nothing" push hello "$registry/a" --chunk-kb 0
run 2 "a repository that is none" push hello "$registry/a" --mount A
run 2 "ls of something else" ls hello
run 2 "ls --all of a registry" ls --all "$registry/a"
run 3 "push of what is not there" push nothing "$registry/a"
run 3 "certificates that are not there" pull "oci://127.0.0.1:$port/a" --ca-file nowhere.pem
exec 9>&-
wait
expect "the stand-in did not fail" is_empty stand_in.err
done_testing
