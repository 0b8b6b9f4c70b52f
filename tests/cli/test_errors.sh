#!/bin/sh
# What goes wrong in a function is told once, with the place in its own source.
. "$(dirname "$0")/helper.sh"

# Line N of the bundle is line N + 9 of src/app.ts.
cat >app.js <<'END'
const pages = {
  "/error": () => { throw new RangeError("one"); },
  "/string": () => { throw "one"; },
  "/object": () => { throw { reason: "one" }; },
  "/undefined": () => { throw undefined; },
  "/cause": () => { throw new Error("one", { cause: new TypeError("inner") }); },
  "/aggregate": () => { throw new AggregateError([new Error("first"), "second"], "one"); },
  "/rejected": async () => { await null; throw new Error("one"); },
  "/stream": () => new Response(new ReadableStream({ pull() { throw new Error("one"); } })),
  "/later-stream": () => { const { readable, writable } = new TransformStream({ transform() { throw new Error("one"); } }); writable.getWriter().write("x").catch(() => {}); return new Response(readable); },
  "/wait": (request, context) => { context.waitUntil(Promise.reject(new Error("one"))); return new Response("ok"); },
  "/timer": () => new Promise(done => { setTimeout(() => { throw new Error("one"); }); setTimeout(done, 5, new Response("ok")); }),
  "/microtask": () => { queueMicrotask(() => { throw new Error("one"); }); return new Response("ok"); },
  "/unhandled": () => { Promise.reject(new Error("one")); return new Response("ok"); },
  "/listener": () => { const target = new EventTarget(); target.addEventListener("x", () => { throw new Error("one"); }); target.dispatchEvent(new Event("x")); return new Response("ok"); },
  "/report": () => { reportError(new Error("one")); return new Response("ok"); },
  "/abort": request => { const c = new AbortController(); c.signal.onabort = () => { throw new Error("one"); }; c.abort(); return new Response("ok"); },
};
export default { fetch: (request, env, context) => pages[new URL(request.url).pathname](request, context) };
//# sourceMappingURL=app.js.map
END
mappings=AASA
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do mappings="$mappings;AACA"; done
printf '{"version":3,"sources":["src/app.ts"],"names":[],"mappings":"%s"}' "$mappings" >app.js.map
"$SNAPCELL" compile app.js >/dev/null || exit 1

told_once() { [ "$(grep -c "$1" err)" -eq 1 ]; }

line=10
for page in error string object undefined cause aggregate rejected stream later-stream; do
    line=$((line + 1))
    run 1 "$page" run app /$page
    expect "is told at its place" grep -Eq "^src/app\.ts:$line:[0-9]+: " err
    case $page in
    undefined) expect "by its value" err_has undefined ;;
    object) expect "as an object" err_has "#<Object>" ;;
    *) expect "by its message" err_has one ;;
    esac
    [ $page = string ] || [ $page = object ] || [ $page = undefined ] ||
        expect "with its frames" grep -Eq "^    at .*src/app\.ts:$line:[0-9]+" err
done
run 1 "a cause" run app /cause
expect "is told" grep -Fq "Caused by: TypeError: inner" err
run 1 "the parts of an AggregateError" run app /aggregate
expect "are told, the first" grep -Fq "Error 1 of 2: Error: first" err
expect "and the second" grep -Fq "Error 2 of 2: second" err
printf '%s\n' 'export default { fetch: () => Promise.any([Promise.reject(new Error("one")), Promise.reject(2)]) };' >any.mjs
"$SNAPCELL" compile any.mjs >/dev/null || exit 1
run 1 "an AggregateError without frames" run any
expect "has its parts, the first" grep -Fq "Error 1 of 2: Error: one" err
expect "and the last" grep -Fq "Error 2 of 2: 2" err
cat >getter.mjs <<'END'
class Invalid extends Error {
  name = "Invalid";
  get errors() { return [{ path: "a" }]; }
  get message() { return "a is required"; }
}
class Endless extends Error {
  get message() { for (;;); }
}
export default {
  fetch(request) {
    if (request.url.endsWith("endless")) throw new Endless();
    if (request.url.endsWith("zero")) throw new Error("one\0two");
    throw new Invalid();
  },
};
END
"$SNAPCELL" compile getter.mjs >/dev/null || exit 1
run 1 "an error whose message is a getter" run getter
expect "is told by it" grep -Eq "^getter\.mjs:13:11: Invalid: a is required$" err
expect "has no parts that are none" err_lacks "Error 1 of"
run 5 "a message without end" run getter /endless --wall-ms 300
run 1 "a message with a zero byte" run getter /zero
expect "is told whole" err_has "one two"
expect "with its frames" grep -Eq "^    at .*getter\.mjs:12:" err

line=19
for page in wait timer microtask unhandled listener report abort; do
    line=$((line + 1))
    run 0 "$page" run app /$page
    expect "does not fail the call" out_is ok
    expect "is told once" told_once "Uncaught.*Error: one"
    expect "at its place" grep -Eq "^    at .*src/app\.ts:$line:[0-9]+" err
done

# Where the stack ends: each function keeps its place, also in the frames.
cat >overflow.mjs <<'END'
const deeper = n => {
    return deeper(n + 1) + 1;
};
export default { fetch: () => new Response(deeper(1)) };
END
run 0 "a recursion without end" compile overflow.mjs
run 1 "that runs" run overflow
expect "is told at its place" grep -Eq '^overflow\.mjs:[12]:[0-9]+: RangeError: Maximum call stack' err
expect "and where it is from" grep -q '^    at deeper (overflow\.mjs:2:12)$' err
expect "and nowhere else" err_lacks "overflow.mjs:1:1"
run 1 "one that runs in a warm-up" compile --warm / overflow.mjs
expect "is told at its place" grep -Eq '^overflow\.mjs:[12]:[0-9]+: warm-up / failed: RangeError: ' err

# A bundle that hides the frames.
for line in 'Error.stackTraceLimit = 0;' 'Error.stackTraceLimit = 1;' 'Error.prepareStackTrace = () => "none";' 'delete Error.stackTraceLimit;'; do
    printf '%s\n' "$line" 'export default {' '  fetch: () => new Response(new URL("/", "no base")),' '};' >hides.mjs
    run 0 "$line" compile hides.mjs
    run 1 "in a call" run hides
    expect "leaves an error its place" grep -q '^hides\.mjs:3:29: TypeError: ' err
    run 1 "in a warm-up" compile --warm / hides.mjs
    expect "leaves it there as well" grep -q '^hides\.mjs:3:29: warm-up / failed: TypeError: ' err
done

# Names that a source map gives to what is no file, or to confuse a terminal.
printf '%s\n' 'export default {' 'fetch: () => { throw new Error("one"); }};' '//# sourceMappingURL=odd.js.map' >odd.js
printf '{"version":3,"sources":["\\u0000vite/x.js","a\\n\\u001b[31m.ts"],"mappings":"AAAA;ACAA"}' >odd.js.map
run 0 "a map with odd names" compile odd.js
expect "is used" err_lacks "not used"
run 1 "a function at such a place" run odd
expect "is told in a line" grep -Fxq "a??[31m.ts:1:1: Error: one" err

# A bundle that names itself.
cat >named.mjs <<'END'
//# sourceURL=first.js
export default {
    fetch: () => new Response(new URL("/", "no base")),
};
//# sourceURL=http://elsewhere.example/x.js
END
run 0 "a bundle with a sourceURL" compile named.mjs
run 1 "that fails" run named
expect "is told under its file's name" grep -q '^named\.mjs:3:31: TypeError: ' err

# What a FinalizationRegistry's callback throws is V8's to catch.
cat >registry.mjs <<'END'
const registry = new FinalizationRegistry(n => {
    if (n % 100 === 0) throw new Error(`${n} is dead`);
});
export default {
    async fetch() {
        for (let n = 1; n < 1e6; n++) registry.register({ n }, n);
        await new Promise(done => setTimeout(done, 5));
        return new Response("ok");
    },
};
END
run 0 "a FinalizationRegistry" compile registry.mjs
run 0 "whose callback throws" run registry
expect "does not fail the call, nor write to its output" out_is ok
expect "is told" grep -q '^Uncaught Error: [0-9]*00 is dead$' err
expect "at its place" grep -q '^    at .*registry\.mjs:2:30' err

# What was not bundled is told with what to do about it.
advised() { # advised CODE MESSAGE ADVICE
    printf '%s\nexport default { fetch() {} };\n' "$1" >absent.js
    run 1 "$1" compile absent.js
    expect "is told" err_has "$2"
    expect "with advice" err_has "$3"
}
node="it is Node's: bundle a package"
advised 'import "node:fs";' 'import of "node:fs" was not resolved' "$node"
advised 'import "left-pad";' 'import of "left-pad" was not resolved' "bundle it or remove it"
advised 'import "cloudflare:sockets";' 'import of "cloudflare:sockets"' "belongs to another platform"
advised 'await import("fs/promises");' 'import() of "fs/promises" was not resolved' "$node"
advised 'throw Error("Dynamic require of \"util\" is not supported");' "Dynamic require" "$node"
advised 'Buffer.from("");' "Buffer is not defined" "$node"
advised 'process.env.X;' "process is not defined" "define process.env.NODE_ENV"
advised 'document.title;' "document is not defined" "it is a web page's"
advised 'new EventSource("http://x");' "EventSource is not defined" "none of the APIs that functions have"
advised 'new SharedArrayBuffer(8);' "SharedArrayBuffer is not defined" "none of the APIs"
advised 'missing;' "missing is not defined" ""
expect "without advice" grep -Eq 'missing is not defined$' err

# dart2js and others leave an error without a name and give its message by a getter.
advised 'const e = Object.defineProperty(new Error(), "message", { get: () => "lazy" }); e.name = ""; throw e;' "lazy" ""
advised 'const e = new Error(); e.name = ""; throw e;' "an error without a name and a message" ""

# What was not bundled at all.
printf 'export default { fetch(r: Request) {} };\n' >app.ts
run 1 "TypeScript" compile app.ts
expect "is told at its place" grep -q '^app\.ts:1:25: SyntaxError: ' err
expect "with advice" err_has "a bundle is JavaScript: make one first"
mv app.ts wrong.js
run 1 "a wrong bundle" compile wrong.js
expect "is told without advice" grep -q "^wrong.js:1:25: SyntaxError: [^;]*$" err

echo 'JSON.parse("{"); export default { fetch() {} };' >json.ts
run 1 "JavaScript in a .ts" compile json.ts
expect "is blamed for what it is" grep -q "^json.ts:1:6: SyntaxError: [^;]*$" err

# Code that the parser's stack is too small for.
deep() { # deep BEFORE AFTER
    node -e 'console.log(process.argv[1].repeat(20000) + "1" + process.argv[2].repeat(20000) + "; export default { fetch() {} };")' "$1" "$2" >deep.js
    run 1 "code that is nested too deeply: $1" compile deep.js
    expect "is told so" err_has "deep.js: code is nested too deeply: RangeError: Maximum call stack size exceeded"
}
deep '{' '}'
deep '(' ')'
deep '[' ']'
deep '()=>' ''

# What has no handler.
without() { # without SOURCE MESSAGE
    printf '%s\n' "$1" >without.js
    run 1 "$1" compile without.js
    expect "is told" err_has "$2"
}
without 'export const GET = () => {}, POST = GET;' "it exports GET,POST"
without 'exports.GET = () => {};' "it exports GET"
without 'module.exports = {};' "it exports nothing"
without 'export default class { other() {} }' "it exports default"
without 'export class handler {}' "a class is a handler when it has a method \`fetch\`"
without 'module.exports = { handler: class {} };' "it exports handler"
without 'exports.fetch = class {};' "it exports fetch"
without 'globalThis.handler = class {};' "no handler"
without 'var app = (() => ({ exports: { fetch() {} } }))();' "bundle that as a module"

done_testing
