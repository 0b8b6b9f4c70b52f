#!/bin/sh
# run --allow-net: fetch() over real connections, to a server on this machine alone.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/fetcher.mjs" >/dev/null || exit 1
unset SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy all_proxy ALL_PROXY

# A certificate of the test's own, where there is openssl.
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
fi
mkfifo hold ports
# shellcheck disable=SC2046 # none, or two
node "$(dirname "$0")/net_server.mjs" $([ -s cert.pem ] && echo cert.pem key.pem) <hold >ports &
exec 9>hold
read -r port tls_port <ports || exit 1
here=http://127.0.0.1:$port

event() { printf '{"code":"%s"}' "$(printf %s "$1" | sed -z 's/[\\"]/\\&/g; s/\n/\\n/g')" >event; }

# fetched WHAT RESULT CODE OPTION...: the code, run with the options, gives the text.
fetched() {
    what=$1 result=$2
    event "$3"
    shift 3
    run 0 "$what" run fetcher --event @event "$@"
    case $result in
    *'...') expect "  ${result%...}" out_has "${result%...}" ;;
    *) expect "  $result" out_is "\"$result\"" ;;
    esac
}
ok() { fetched "$@" --allow-net "127.0.0.1:$port"; }

# --- Who may be reached
fetched "a host that nobody named" "TypeError: fetch: GET $here/x: this function was given no network..." \
    "await fetch('$here/x')"
fetched "another host than was named" "is not among the hosts that this function may reach..." \
    "await fetch('$here/x')" --allow-net example.org
expect "the message names it, and the flag" out_has "--allow-net 127.0.0.1:$port\`"
fetched "another port than was named" "[EACCES]..." "await fetch('$here/x')" --allow-net 127.0.0.1:1
fetched "a host without a port" "404" "return String((await fetch('$here/x')).status)" --allow-net 127.0.0.1
fetched "any host" "404" "return String((await fetch('$here/x')).status)" --allow-net '*' --allow-net-private
fetched "any host, but no address of this machine" "127.0.0.1 leads to 127.0.0.1, which is not a public address..." \
    "await fetch('$here/x')" --allow-net '*'
fetched "a name that leads to this machine" "which is not a public address..." \
    "await fetch('http://a.localhost:$port/x')" --allow-net '*.localhost'
fetched "the same when allowed" "404" "return String((await fetch('http://a.localhost:$port/x')).status)" \
    --allow-net '*.localhost' --allow-net-private
fetched "localhost by name" "404" "return String((await fetch('http://localhost:$port/x')).status)" \
    --allow-net localhost
fetched "a redirect to a host that was not named" "example.org:80 is not among..." \
    "await fetch('$here/redirect?to=http://example.org/')" --allow-net 127.0.0.1
fetched "a host that is not there" "[ENOTFOUND]..." "await fetch('http://nowhere.invalid/')" --allow-net '*.invalid'
fetched "a port where nobody listens" "[ECONNREFUSED]..." "await fetch('http://127.0.0.1:9/x'.replace('9', '4'))" \
    --allow-net 127.0.0.1
http_proxy=http://127.0.0.1:4 fetched "a proxy of the environment is not used" "404" \
    "return String((await fetch('$here/x')).status)" --allow-net 127.0.0.1
for host in http://example.org example.org: example.org:0 example.org:99999 '*example.org' '' 'a b' '[::1' '*.127.0.0.1'; do
    run 2 "--allow-net '$host'" run fetcher --allow-net "$host"
    expect "  is refused in a line" is_one_message
done

# --- Requests and responses
ok "status and headers" "200 POST 3 none" "const r = await fetch('$here/echo', {method: 'POST', body: 'abc'});
    return [r.status, r.headers.get('x-method'), r.headers.get('x-length'), r.headers.get('x-coding')].join(' ')"
ok "a stream is sent in chunks" "none chunked 3" "const r = await fetch('$here/echo', {method: 'PUT', duplex: 'half',
    body: new Blob(['abc']).stream()});
    return [r.headers.get('x-length'), r.headers.get('x-coding'), (await r.text()).length].join(' ')"
ok "an empty POST has a length" "0" "const r = await fetch('$here/echo', {method: 'POST'});
    return r.headers.get('x-length')"
ok "HEAD" "200 " "const r = await fetch('$here/head', {method: 'HEAD'}); return r.status + ' ' + await r.text()"
ok "other methods" "PURGE" "return (await fetch('$here/echo', {method: 'PURGE'})).headers.get('x-method')"
ok "headers as they are, also empty ones" " y café" "const h = await (await fetch('$here/head',
    {headers: {'x-empty': '', 'x-y': 'y', 'x-z': 'caf\\xe9'}})).json();
    return [h['x-empty'], h['x-y'], h['x-z']].join(' ')"
ok "a body that was packed, without the packing's headers" "unzipped||" "const r = await fetch('$here/gzip');
    return [await r.text(), r.headers.get('content-encoding'), r.headers.get('keep-alive')].join('|')"
ok "each cookie by itself" "a=1|b=2" "return (await fetch('$here/twice')).headers.getSetCookie().join('|')"
ok "a redirect" "true twice" "const r = await fetch('$here/redirect?to=/twice');
    return r.redirected + ' ' + await r.text()"
ok "early hints are passed over" "200 Late late|" "const r = await fetch('$here/early');
    return [r.status, r.statusText, await r.text()].join(' ') + '|' + r.headers.get('x-empty')"
ok "connections are kept" "2" "for (let i = 0; i < 5; i++) await (await fetch('$here/twice')).text();
    const [a, b] = [await (await fetch('$here/connections')).text(), 0]; return String(Math.min(2, a))"

# --- Sizes: 10 MiB through a cell that has no room for them
ok "10 MiB down" "10485760" "let n = 0; for await (const c of (await fetch('$here/big?n=10485760')).body) n += c.length;
    return String(n)" --memory-mb 8
ok "10 MiB up and down" "10485760" "let left = 160; const body = new ReadableStream({
    pull(c) { left-- > 0 ? c.enqueue(bytes(65536)) : c.close(); }});
    const r = await fetch('$here/echo', {method: 'POST', body, duplex: 'half'});
    let n = 0; for await (const c of r.body) n += c.length; return String(n)" --memory-mb 8
ok "fifty at once" "5000000" "const all = Array.from({length: 50}, async () =>
    (await (await fetch('$here/big?n=100000')).bytes()).length);
    return String((await Promise.all(all)).reduce((a, b) => a + b))" --memory-mb 32
ok "a body larger than the memory limit" "RangeError: ..." "await (await fetch('$here/big?n=99999999')).bytes()" \
    --memory-mb 8

# --- What goes wrong
for path in silent stall; do
    event "return (await fetch('$here/$path')).text()"
    run 5 "/$path: the wall limit holds" run fetcher --event @event --allow-net 127.0.0.1 --wall-ms 200
done
ok "a timeout of the function's own" "TimeoutError: ..." "await fetch('$here/silent', {signal: AbortSignal.timeout(50)})"
ok "an abort in the middle of a body" "AbortError: ..." "const c = new AbortController();
    const r = await fetch('$here/stall', {signal: c.signal}); const reader = r.body.getReader();
    await reader.read(); setTimeout(() => c.abort(), 20); await reader.read()"
ok "a connection that is reset" "[ECONNRESET]..." "await fetch('$here/reset')"
ok "a body that is cut off" "[ECONNRESET]..." "await (await fetch('$here/cut')).text()"
ok "chunks that are none" "TypeError: fetch: GET $here/chunks: ..." "await (await fetch('$here/chunks')).text()"
ok "a header with a zero byte" "TypeError: fetch: GET $here/split: ..." "await fetch('$here/split')"
for lengths in 'n=3&n=5' 'n=5&n=3' 'n=3,5' 'n=5%205' 'n=-5' 'n=05&n=5'; do
    ok "$lengths: differing lengths" "TypeError: fetch: GET $here/lengths: ..." \
        "return (await fetch('$here/lengths?$lengths')).text()"
done
ok "one length twice" "abcde" "return (await fetch('$here/lengths?n=5&n=5')).text()"
ok "what is not HTTP" "TypeError: fetch: GET $here/garbage: ..." "await fetch('$here/garbage')"
ok "redirects in a circle" "more than 20 redirects..." "await fetch('$here/loop')"
ok "headers too large to send" "take more than 1048576 bytes..." "await fetch('$here/head', {headers: {x: 'x'.repeat(2e6)}})"
tested=$SNAPCELL
cp "$SNAPCELL" alone
SNAPCELL=./alone
ok "without snapcell-net" "the process that has the network ended..." "await fetch('$here/x')"
expect "the program says what is missing" err_has "the program snapcell-net"
SNAPCELL=$tested

# --- Its sandbox
# begin_stalled OPTION...: a fetch that gets half of its answer; $supervisor, and snapcell-net's $client.
begin_stalled() {
    event "await (await fetch('$here/stall')).text()"
    "$SNAPCELL" run fetcher --event @event --allow-net "127.0.0.1:$port" "$@" >/dev/null 2>&1 &
    supervisor=$!
    for _ in $(seq 200); do
        client=$(grep -ls "^PPid:[[:space:]]*$supervisor$" /proc/[0-9]*/status | while read -r status; do
            grep -q '^Name:[[:space:]]*snapcell-net' "$status" && basename "$(dirname "$status")"
        done)
        [ -n "$client" ] && break
        sleep 0.05
    done
    sleep 0.2 # until it is confined
}
status_of() { sed -n "s/^$1:[[:space:]]*\\([^[:space:]]*\\).*/\\1/p" "/proc/$client/status"; }
status_is() { [ "$(status_of "$1")" = "$2" ]; }
end_stalled() {
    kill -s TERM "$supervisor"
    wait "$supervisor" 2>/dev/null
}
begin_stalled
expect "snapcell-net has a filter of system calls" status_is Seccomp 2
expect "can gain no privileges" status_is NoNewPrivs 1
expect "has no capabilities" status_is CapEff 0000000000000000
[ "$(id -u)" -ne 0 ] || expect "is not root's" status_is Uid 65534
end_stalled
begin_stalled --no-sandbox
expect "without a sandbox there is no filter" status_is Seccomp 0
end_stalled

# --- TLS
if [ -n "${tls_port:-}" ]; then
    there=https://localhost:$tls_port
    fetched "a certificate that nobody vouches for" "[ERR_TLS_CERT]..." "await fetch('$there/version')" --allow-net localhost
    SSL_CERT_FILE=cert.pem fetched "one that \$SSL_CERT_FILE vouches for, and HTTP/2" "2.0" \
        "return (await fetch('$there/version')).text()" --allow-net localhost
    SSL_CERT_FILE=cert.pem fetched "many at once over HTTP/2" "5000000" "const all = Array.from({length: 50}, async () =>
        (await (await fetch('$there/big?n=100000')).bytes()).length);
        return String((await Promise.all(all)).reduce((a, b) => a + b))" --allow-net localhost
    SSL_CERT_FILE=cert.pem fetched "an upload over HTTP/2" "1000000" "const r = await fetch('$there/echo',
        {method: 'POST', body: bytes(1000000)}); return String((await r.bytes()).length)" --allow-net localhost
    SSL_CERT_FILE=cert.pem fetched "a name that the certificate does not have" "[ERR_TLS_CERT]..." \
        "await fetch('https://a.localhost:$tls_port/version')" --allow-net a.localhost --allow-net-private
fi

exec 9>&-
done_testing
