#!/bin/sh
# What console prints of large values is bounded, and so is the time that it takes.
. "$(dirname "$0")/helper.sh"

run 0 "compile" compile "$BUNDLES/prints.mjs"

prints() { # prints NAME END: the line ends with END
    run 0 "print $1" run prints "/$1" --wall-ms 60000
    expect "answers" out_is done
    expect "ends with: $2" sh -c 'tail -n 1 err | grep -qF -- "$1"' sh "$2"
    expect "is no longer than a line may be" sh -c '[ "$(wc -c <err)" -lt 300000 ]'
}

prints array "'x', ... 99900 more items ]"
prints empty "[ <10000000 empty items> ]"
prints bytes "0, ... 3999900 more items ]"
prints sparse "[ <4294967293 empty items>, 1 ]"
prints holes "[ 1, <1 empty item>, 3, <4997 empty items>, 4, name: 'x' ]"
prints map "99 => 99, ... 200 more items}"
prints set "98, 99, ... 200 more items}"
prints object "more properties }"
prints arrays "..."
prints maps "..."
prints errors "more errors"
prints table "... 900 more rows"
prints groups "g"
prints getters "{ a: [Getter], b: [Setter], c: [Getter/Setter], d: 1 }"
prints stream "ReadableStream [ReadableStream] {}"
prints many "... ..."
expect "shows the first items" sh -c 'grep -o "x" err | head -n 100 | grep -c x | grep -qx 100'

done_testing
