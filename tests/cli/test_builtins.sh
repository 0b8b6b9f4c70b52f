#!/bin/sh
# V8's newest built-ins, which it leaves out of snapshots: a bundle has them whenever its code runs,
# and nothing that it does to built-ins keeps its snapshot from being loaded.
. "$(dirname "$0")/helper.sh"

# --- The same list of built-ins, whenever it is made
sed 's/^const AT_TOP = false/const AT_TOP = true/' "$BUNDLES/builtins.js" >top.js
cp "$BUNDLES/builtins.js" warm.js
cp "$BUNDLES/builtins.js" late.js
{ cat "$BUNDLES/builtins.js" && echo 'const drawn = crypto.randomUUID(); export const tell = () => drawn;'; } >code.js
lists() { run 0 "list of built-ins, $1 $2" run "$1" "$2" && sort -u out >"$3"; }
run 0 "a bundle that lists them at top level" compile --strict top.js
run 0 "one that lists them in a warm-up" compile --strict --warm /warm warm.js
run 0 "one that lists them at run time" compile --strict late.js
run 0 "one that is evaluated at each load" compile --entropy fresh code.js
lists top /top top.list
lists top /now now.list
lists warm /warm warm.list
lists late /now late.list
lists code /now code.list
expect "has what V8 adds late" grep -q '^globalThis.Promise.try writable configurable function try/1$' top.list
expect "has thousands of lines" test "$(wc -l <top.list)" -gt 3000
for other in now warm late; do expect "at top level as in $other.list" diff top.list $other.list; done
# WebAssembly's functions are ours in a snapshot.
for name in top code; do grep -v '^globalThis\.WebAssembly\.' $name.list >$name.most; done
expect "and where it is evaluated at each load" diff top.most code.most

# --- Nothing that is done to them ends a load
# loads NAME LINE...: the LINEs are a bundle's top level; it must become a snapshot that answers.
loads() {
    name=$1
    shift
    { printf '%s\n' "$@" && echo 'export default { fetch: () => new Response("loaded") };'; } >"$name.js"
    run 0 "$name" compile --strict "$name.js"
    run 0 "$name, loaded" run "$name"
    expect "$name answers" out_is "loaded"
}
for object in globalThis Math Promise RegExp Error Atomics DataView.prototype Iterator.prototype WebAssembly \
    Object.prototype Function.prototype Promise.prototype Symbol; do
    name=$(echo "$object" | tr . _)
    for how in freeze seal preventExtensions; do loads "${how}_$name" "Object.$how($object);"; done
done
loads freeze_all 'const seen = new Set();
const walk = value => {
    if (Object(value) !== value || seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
        const own = Reflect.getOwnPropertyDescriptor(value, key);
        for (const inner of [own.value, own.get, own.set]) walk(inner);
    }
    walk(Reflect.getPrototypeOf(value));
};
walk(globalThis);
for (const value of seen) Object.freeze(value);'
for name in Error Atomics WebAssembly Float16Array DisposableStack SuppressedError Iterator; do
    loads "delete_$name" "if (!delete globalThis.$name || '$name' in globalThis) throw 1;"
done
loads polyfills 'Promise.try = RegExp.escape = Math.f16round = Atomics.pause = Error.isError = () => 1;' \
    'DataView.prototype.getFloat16 = DataView.prototype.setFloat16 = () => 2;' \
    'Iterator.prototype[Symbol.dispose] = () => 3;' \
    'globalThis.Float16Array = globalThis.DisposableStack = globalThis.SuppressedError = class {};'
loads accessors 'for (const name of ["Error", "Atomics", "Math", "WebAssembly", "Promise", "Float16Array"]) {' \
    '    const value = globalThis[name];' \
    '    Object.defineProperty(globalThis, name, { get: () => value, set() { throw 1; }, configurable: false });' '}'
loads traps 'for (const name of ["Error", "Atomics", "Math", "WebAssembly", "Promise", "Float16Array", "Symbol", "Map"])' \
    '    Object.defineProperty(globalThis, name, { get() { throw 1; }, set() { throw 2; }, configurable: false });'
loads limit_accessor 'Object.defineProperty(Error, "stackTraceLimit", { get() { throw 1; }, set() { throw 2; } });'
loads inherited_setter 'for (const name of ["WebAssembly", "stackTraceLimit", "try", "pause"])' \
    '    Object.defineProperty(Object.prototype, name, { get() { return 0; }, set() { throw 1; } });'
loads proxies 'const trap = () => { throw 1; };' \
    'const proxy = () => new Proxy({}, { get: trap, set: trap, has: trap, defineProperty: trap, getOwnPropertyDescriptor: trap });' \
    'for (const object of [Error, Math, Atomics, WebAssembly]) Object.setPrototypeOf(object, proxy());'
loads replaced 'Object.assign(globalThis, { Error: class {}, Atomics: 1, WebAssembly: new Proxy({}, {}), Iterator: null });'

# --- What was done stays done
cat >kept.js <<'JS'
Error.stackTraceLimit = 50;
Object.freeze(Math);
delete Atomics.pause;
delete globalThis.WebAssembly;
Promise.try = () => "replaced";
export default {
    fetch: () =>
        Response.json([Error.stackTraceLimit, Object.isFrozen(Math), typeof Atomics.pause, typeof WebAssembly, Promise.try()]),
};
JS
run 0 "changes of built-ins" compile --strict kept.js
run 0 "are loaded" run kept
expect "and are there" out_is '[50,true,"undefined","undefined","replaced"]'
cat >limit.js <<'JS'
Object.defineProperty(Error, "stackTraceLimit", { value: 1, writable: false, configurable: false });
const deep = n => (n === 0 ? new Error("deep").stack.split("\n").length : deep(n - 1));
const top = deep(9);
export default { fetch: () => Response.json([top, deep(9), Reflect.set(Error, "stackTraceLimit", 5)]) };
JS
run 0 "a stack trace limit that cannot be changed" compile --strict limit.js
run 0 "is loaded" run limit
expect "and holds" out_is '[2,2,false]'

# --- They work in a warm-up and at top level
cat >warm_try.js <<'JS'
const half = new Float16Array([1.5, Math.f16round(1.0001)]);
const stack = new DisposableStack();
const log = [];
stack.defer(() => log.push("deferred"));
export default {
    async fetch() {
        const found = [await Promise.try(() => 42), RegExp.escape(".b") === "\\.b", Error.isError(new SuppressedError(1, 2)), ...half];
        found.push(new DataView(half.buffer).getFloat16(0, true), structuredClone(half).constructor.name);
        if (!stack.disposed) stack.dispose();
        return Response.json([...found, log]);
    },
};
JS
wanted='[42,"\\x61\\.b",true,1.5,1,1.5,"Float16Array",["deferred"]]'
run 0 "new built-ins in a warm-up" compile --strict --warm / warm_try.js
run 0 "are loaded" run warm_try
expect "and answer" out_is '[42,true,true,1.5,1,1.5,"Float16Array",["deferred"]]'

# --- using
cat >using.js <<'JS'
const log = [];
const sync = name => ({ [Symbol.dispose]: () => log.push(name) });
const slow = name => ({ [Symbol.asyncDispose]: async () => { await null; log.push(name); } });
using top = sync("never");
{ using a = sync("a"), b = sync("b"); log.push("in"); }
{ await using c = slow("c"); }
for (using d of [sync("d")]) log.push("loop");
try { using e = { [Symbol.dispose]() { throw 1; } }; throw 2; } catch (error) { log.push(error instanceof SuppressedError); }
class Holder { static { using f = sync("f"); } }
function* numbers() { using g = sync("g"); yield 1; yield 2; }
const going = numbers();
going.next();
const handled = [];
async function wait(until) { await using h = { [Symbol.asyncDispose]: async () => handled.push("h") }; await until; }
let go;
const waiting = wait(new Promise(resolve => { go = resolve; }));
export default {
    async fetch() {
        { using i = { [Symbol.dispose]: () => handled.push("i") }; }
        going.return();
        go();
        await waiting;
        return new Response(`${log.join()} ${handled.join()}\n`);
    },
};
JS
run 0 "using at top level" compile --strict using.js
run 0 "is loaded" run using
expect "and disposed of what it used" out_is "in,b,a,c,loop,d,true,f,never,g i,h"
run 0 "using in a warm-up" compile --strict --warm / --name warmed using.js
run 0 "is loaded" run warmed
expect "and disposed of what it used" out_is "in,b,a,c,loop,d,true,f,never,g i,h,i"
done_testing
