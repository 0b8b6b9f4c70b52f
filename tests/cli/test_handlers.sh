#!/bin/sh
# run --handler: handlers by name; --env-json: env with JSON values.
. "$(dirname "$0")/helper.sh"

"$SNAPCELL" compile "$BUNDLES/handlers.mjs" >/dev/null || exit 1

run 0 "scheduled" run handlers --handler scheduled --event '{"cron":"* * * * *"}'
expect "gives its outcome" out_is '{"outcome":"ok","noRetry":true}'
run 0 "another one" run handlers --handler double --event '{"n":21}'
expect "gives its result" out_is 42
run 0 "without an event" run handlers --handler double
expect "gets an empty one" out_is null
run 1 "one that is not there" run handlers --handler triple
expect "is said in a line" is_one_message
expect "with those that there are" err_has "there is: scheduled, double"
run 2 "an event that is not JSON" run handlers --handler double --event '{'
run 2 "two of them" run handlers --handler double --handler double

run 0 "an env of both kinds" run handlers -e 'S={"a":1}' --env-json 'O={"a":[1,null]}' --env-json N=1.5
expect "is as it was given" out_is '{"S":"{\"a\":1}","O":{"a":[1,null]},"N":1.5}'
for value in 'A' '=1' 'A=' 'A={' 'A=x' 'A=1 2'; do
    run 2 "--env-json '$value'" run handlers --env-json "$value"
    expect "  is refused in a line" is_one_message
done

# --- A function of a Request
cat >edge.js <<'JS'
export const config = { runtime: "edge" };
export default function handler(request, context) {
    context.waitUntil(Promise.resolve().then(() => console.log("later")));
    return new Response(`${new URL(request.url).pathname} ${context.PLACE} ${context.env.PLACE} ${Object.keys(context)}\n`);
}
JS
run 0 "an edge function" compile --warm / --json edge.js
json "answers requests" 'j.shape === "fetch" && j.kind === "snapshot"'
run 0 "it is run" run edge /hello -e PLACE=here
expect "with a request and a context" out_is "/hello here here PLACE"
expect "whose waitUntil is waited for" err_has "later"
sed -n '2,$p' edge.js >plain.js
run 0 "without its sign" compile --json plain.js
json "takes an event, with a hint" 'j.shape === "json" && /if it takes a Request.*--shape fetch/.test(j.warnings)'
run 0 "told its shape" compile --shape fetch --json plain.js
json "answers requests, under another key" 'j.shape === "fetch" && !j.cached'
run 0 "it is run" run plain /x -e PLACE=there
expect "with a request and a context" out_is "/x there there PLACE"
run 0 "show" show plain --json
json "tells the option" 'j.manifest.options.shape === "fetch" && j.shape === "fetch"'
run 0 "rebuilt" rebuild plain --from plain.js
run 0 "recompiled" recompile plain
run 0 "it is run" run plain /x -e PLACE=there
expect "as before" out_is "/x there there PLACE"
cat >once.js <<'JS'
let reads = 0;
export default {
    get fetch() {
        return reads++ ? 5 : () => new Response("read once");
    },
};
JS
run 0 "a handler that is a getter's" compile once.js
run 0 "it is run" run once
expect "and was read once" out_is "read once"
cat >draws.js <<'JS'
const id = crypto.randomUUID();
export default request => new Response(`${id.length} ${request.method}\n`);
JS
run 0 "a code artifact" compile --entropy fresh --shape fetch draws.js
run 0 "keeps the shape" run draws / -X PUT
expect "at each load" out_is "36 PUT"
run 2 "another shape" compile --shape json plain.js
expect "is refused in a line" is_one_message

done_testing
