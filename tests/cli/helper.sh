# Sourced by each test here: runs the program as a person would, in an empty folder of its own.
#   run STATUS WHAT ARGUMENTS...   the program must end with STATUS; its output is in ./out and ./err
#   expect WHAT COMMAND...         the command must succeed
#   json WHAT EXPRESSION           in JavaScript, of ./out: `j`, parsed whole; `lines`, line by line
#   done_testing                   last; a test that ends before it has failed
# Each step is a line of TAP.
set -u
: "${SNAPCELL:?the program to test}" "${BUNDLES:?the folder of bundles}"
work=$(mktemp -d "${TMPDIR:-/tmp}/snapcell-cli.XXXXXX")
steps=0
failures=0
finished=no
unset SNAPCELL_STORE
cd "$work" || exit 1

leave() {
    cd /
    chmod -R u+rwx "$work" 2>/dev/null
    rm -rf "$work"
    if [ "$finished" = no ]; then
        echo "Bail out! the test ended before its end"
        exit 1
    fi
}
trap leave EXIT

report() { # report GOOD WHAT
    steps=$((steps + 1))
    if [ "$1" = yes ]; then
        echo "ok $steps - $2"
    else
        echo "not ok $steps - $2"
        failures=$((failures + 1))
    fi
}

show() {
    for file in out err; do
        [ -s "$file" ] && sed "s/^/# $file: /" "$file" | cut -c1-300 | head -20
    done
}

# By $status, $wanted and $what: whether a command, named by $1, ended as wanted.
judge() {
    if [ "$status" = "$wanted" ] && is_clean; then
        report yes "$what"
    else
        report no "$what"
        echo "# $1: status $status, not $wanted"
        show
    fi
}

# The program's own faults, whatever else is expected of it.
is_clean() {
    ! grep -Eq 'Sanitizer|runtime error:|Fatal error in|core dumped|Assertion .* failed' err
}

run() {
    wanted=$1 what=$2
    shift 2
    "$SNAPCELL" "$@" >out 2>err </dev/null
    status=$?
    judge "snapcell $*"
}

# As run, with standard input from the file `in`.
run_with_input() {
    wanted=$1 what=$2
    shift 2
    "$SNAPCELL" "$@" >out 2>err <in
    status=$?
    judge "snapcell $*"
}

expect() {
    what=$1
    shift
    if "$@" >expect.log 2>&1; then
        report yes "$what"
    else
        report no "$what"
        echo "# failed: $*"
        sed 's/^/# /' expect.log | head -20
        show
    fi
}

json() {
    expect "$1" node -e '
        const text = require("fs").readFileSync("out", "utf8");
        const lines = [];
        let j;
        try { j = JSON.parse(text); } catch {}
        for (const line of text.split("\n")) {
            try { lines.push(JSON.parse(line)); } catch {}
        }
        const value = eval(process.argv[1]);
        if (value !== true) {
            console.log("gave", value);
            process.exit(1);
        }' "$2"
}

out_is() { [ "$(cat out)" = "$1" ]; }
out_has() { grep -Fq -- "$1" out; }
err_has() { grep -Fq -- "$1" err; }
err_lacks() { ! grep -Fq -- "$1" err; }
is_empty() { [ ! -s "$1" ]; }
line_count() { [ "$(wc -l <"$1")" -eq "$2" ]; }
is_missing() { [ ! -e "$1" ]; }
# A refusal is said in one line, by the program.
is_one_message() { line_count err 1 && grep -q '^snapcell: ' err && is_empty out; }

done_testing() {
    finished=yes
    echo "1..$steps"
    [ "$failures" -eq 0 ]
    exit
}
