#!/bin/sh
# push, pull, ls and copy with Docker's registry: without and with a password, with TLS, and with skopeo.
. "$(dirname "$0")/helper.sh"

unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY SNAPCELL_TRUST SSL_CERT_FILE SSL_CERT_DIR
export DOCKER_CONFIG="$work/docker" HOME="$work"
mkdir docker
if ! command -v docker-registry >/dev/null; then
    echo "1..0 # SKIP docker-registry is not installed; scripts/install-dependencies --tests installs it"
    finished=yes
    exit 0
fi
"$SNAPCELL" keygen key >/dev/null 2>&1 || exit 1
"$SNAPCELL" compile "$BUNDLES/hello.js" "$BUNDLES/worker.js" --sign key >/dev/null 2>&1 || exit 1
"$SNAPCELL" compile "$BUNDLES/handler.js" --raw --name 'a function' >/dev/null 2>&1 || exit 1

# --- Starting registries
pids=
free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close(); })'
}
# start NAME [YAML OF http [YAML OF THE WHOLE]]: its port is in $port
start() {
    port=$(free_port)
    cat >"$1.yml" <<END
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/$1.data }, delete: { enabled: true } }
http:
  addr: 127.0.0.1:$port
${2-}
${3-}
END
    docker-registry serve "$1.yml" >"$1.log" 2>&1 &
    pids="$pids $!"
    node -e 'const net = require("net"), end = Date.now() + 20000;
        (function try_() {
            net.connect(process.argv[1], "127.0.0.1").on("connect", () => process.exit(0))
                .on("error", () => Date.now() < end ? setTimeout(try_, 50) : process.exit(1));
        })()' "$port" || exit 1
}
stop() {
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$pids" ] || kill $pids 2>/dev/null
    wait
    leave
}
trap stop EXIT

# --- Anonymous
start plain
registry=oci://127.0.0.1:$port
run 0 "pushing" push hello worker 'a function' "$registry/team/app:v1" --plain-http
run 0 "pushing the same" push hello worker 'a function' "$registry/team/app:v1" --plain-http --json
json "nothing is uploaded again" 'j.functions.length === 3 && j.functions.every(f => !f.uploaded)'
digest=$(sed 's/.*"digest":"\(sha256:[0-9a-f]*\)","functions".*/\1/' out)
run 0 "pushing in pieces" push 'a function' "$registry/team/pieces:v1" --plain-http --chunk-kb 50
run 0 "tags" ls "$registry/team/app" --plain-http
expect "one" out_is v1
run 0 "functions" ls "$registry/team/app:v1" --plain-http --json
json "three" 'j.map(f => f.name).join() === "a function,hello,worker" && j[1].signer.length === 64'
run 0 "pulling" pull "$registry/team/app:v1" --plain-http --store pulled
run 0 "it runs" run hello --store pulled
run 0 "pulling by digest" pull "$registry/team/app@$digest" --plain-http --store pulled --json
json "it is there" 'j.fetched_bytes === 0 && j.functions.length === 3'
run 0 "what came in pieces" pull "$registry/team/pieces:v1" --plain-http --store pieces
run 4 "unsigned, where a signature is required" pull "$registry/team/app:v1" --plain-http --trust key.pub --store trusting
expect "nothing was put" is_missing trusting
run 0 "a tag of what is signed" push hello worker "$registry/team/app:signed" --plain-http
run 0 "is accepted" pull "$registry/team/app:signed" --plain-http --trust key.pub --store trusting
run 3 "a repository that is not there" pull "$registry/nothing" --plain-http
run 3 "tags of nothing" ls "$registry/nothing" --plain-http

# --- Copies
run 0 "within the registry" copy "$registry/team/app:v1" "$registry/mirror" --plain-http --json
json "nothing is moved" "j.digest === '$digest' && j.copied_bytes === 0"
first=$registry
start second
second=oci://127.0.0.1:$port
run 0 "to another registry" copy "$first/team/app:v1" "$second/mirror:new" --plain-http --json
json "all of it, with its digest" "j.digest === '$digest' && j.copied_blobs === 6"
run 0 "what came" pull "$second/mirror@$digest" --plain-http --store mirrored
run 0 "once more" copy "$first/team/app@$digest" "$second/mirror:again" --plain-http --json
json "nothing is moved" "j.copied_bytes === 0"

# --- skopeo
if command -v skopeo >/dev/null; then
    run 0 "a layout" export --oci layout hello
    expect "skopeo pushes it" skopeo --insecure-policy copy --all --dest-tls-verify=false oci:layout:hello \
        "docker://${second#oci://}/skopeo:v1"
    run 0 "it can be pulled" pull "$second/skopeo:v1" --plain-http --store skopeo
    expect "skopeo pulls what was pushed" skopeo --insecure-policy copy --all --src-tls-verify=false \
        "docker://${first#oci://}/team/app:signed" oci:fetched:signed
    run 0 "it can be imported" import --oci fetched --trust key.pub --store imported
    expect "skopeo inspects it" skopeo inspect --tls-verify=false "docker://${first#oci://}/team/app:signed"
fi

# --- A password
# shellcheck disable=SC2016 # a salt
hash=$(perl -e 'print crypt("pass word", q($2b$05$abcdefghijklmnopqrstuu))')
echo "user:$hash" >htpasswd
start closed "" "auth: { htpasswd: { realm: here, path: $work/htpasswd } }"
closed=oci://127.0.0.1:$port
run 3 "nobody in particular" push hello "$closed/app:v1" --plain-http
expect "it says what to do" err_has "docker login"
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$port" "$(printf 'user:pass word' | base64)" >docker/config.json
run 0 "a user pushes" push hello "$closed/app:v1" --plain-http
run 0 "a user pulls" pull "$closed/app:v1" --plain-http --store closed
run 0 "a user lists" ls "$closed/app" --plain-http
run 0 "a copy from the one to the other" copy "$first/team/app:v1" "$closed/copy" --plain-http
printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$port" "$(printf 'user:wrong' | base64)" >docker/config.json
run 3 "a wrong password" pull "$closed/app:v1" --plain-http --store closed
expect "it says so in a line" is_one_message
rm docker/config.json

# --- TLS, with an authority of its own
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=our own" \
    -keyout ca.key -out ca.pem 2>/dev/null || exit 1
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout tls.key -out tls.csr 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >san
openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.pem 2>/dev/null
start tls "  tls: { certificate: $work/tls.pem, key: $work/tls.key }"
tls=oci://localhost:$port
run 3 "an authority that nobody knows" push hello "$tls/app:v1"
expect "it says what to do" err_has "--ca-file"
run 0 "one that we know" push hello "$tls/app:v1" --ca-file ca.pem
run 0 "pulling" pull "$tls/app:v1" --ca-file ca.pem --store tls
SSL_CERT_FILE=$work/ca.pem
export SSL_CERT_FILE
run 0 "by the environment" ls "$tls/app"
unset SSL_CERT_FILE
run 3 "another authority" ls "$tls/app" --ca-file key.pub

# --- A proxy
cat >proxy.mjs <<'END'
// A proxy that tunnels to anywhere, and writes down where to.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
const server = createServer().on("connect", ({ url }, client, head) => {
    appendFileSync("proxy.log", `CONNECT ${url}\n`);
    const peer = connect(url.split(":")[1], "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        peer.write(head);
        peer.pipe(client).pipe(peer);
    });
    peer.on("error", () => client.destroy());
    client.on("error", () => peer.destroy());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
END
mkfifo proxy_port
node proxy.mjs >proxy_port &
pids="$pids $!"
read -r proxy <proxy_port
HTTPS_PROXY=http://127.0.0.1:$proxy
export HTTPS_PROXY
run 0 "by a proxy" pull "$tls/app:v1" --ca-file ca.pem --store proxied
expect "it was asked" grep -q "CONNECT localhost:$port" proxy.log
NO_PROXY=localhost
export NO_PROXY
rm proxy.log
run 0 "not by a proxy" ls "$tls/app" --ca-file ca.pem
expect "it was not asked" is_missing proxy.log
done_testing
