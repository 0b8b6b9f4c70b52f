#!/bin/sh
# show: which built-in modules a snapshot holds, which is what its web APIs cost.
. "$(dirname "$0")/helper.sh"

answer='export default { fetch() { return new Response("x"); } };'
event='export default function handler() { return 1; }'

holds() { # holds WHAT NAME YES|NO CODE
    printf '%s\n' "$4" >function.js
    "$SNAPCELL" compile --strict --name function function.js >/dev/null 2>err || exit 1
    "$SNAPCELL" show --json function >out
    json "$1" "j.manifest.apis.includes('$2') === ('$3' === 'yes')"
}

holds "a function of events has no fetch" fetch no "$event"
holds "nor URL" url no "$event"
holds "an answer needs Response" fetch yes "$answer"
holds "and neither Headers" headers no "$answer"
holds "nor URL for it" url no "$answer"
holds "a name in the text is held ready" url yes "globalThis.late = text => new URL(text); $event"
holds "a member of that name is not" url no "globalThis.late = x => x.URL; $event"
holds "headers in the options are" headers yes "globalThis.f = headers => new Response('', { headers }); $answer"

# The state machine for bases is large, and most URLs do without.
holds "one argument needs no machine" url_machine no "globalThis.f = (a, b) => new URL(a(b, 1)); $event"
holds "nor one with commas of its own" url_machine no "globalThis.f = a => new URL([a, '/'].join('')), 1; $event"
holds "a base does" url_machine yes "globalThis.f = (a, b) => new URL(a, b); $event"
holds "after another URL, too" url_machine yes "globalThis.f = a => new URL(new URL(a).pathname, 'http://b'); $event"
holds "which is known of the text alone" url_machine no \
    "export default () => new URL(...['a', 'http://b/c']).href;"
run 0 "and comes when it is needed" run function --event '{}'
expect "as it should" sh -c 'grep -qx "\"http://b/a\"" out'

# Intl's stand-ins are there for who names it.
holds "no Intl" intl no "globalThis.n = (1234.5).toLocaleString('de'); $event"
holds "a formatter" intl yes "globalThis.n = new Intl.NumberFormat('de'); $event"

done_testing
