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

done_testing
