#!/bin/sh
# Modules that the engine has: cloudflare:workers and node:async_hooks, imported as bundlers leave them.
. "$(dirname "$0")/helper.sh"

cat >env.js <<'JS'
import { env } from "cloudflare:workers";
export default { fetch: () => new Response(env.GREETING + "\n") };
JS
run 0 "env" compile --strict env.js
run 0 "it is run" run env -e GREETING=hi
expect "with its env" out_is hi
run 0 "and run again" run env -e GREETING=ho
expect "with another" out_is ho

cat >entry.js <<'JS'
import { env, waitUntil, withEnv, WorkerEntrypoint, DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {}
const later = () => waitUntil(Promise.resolve().then(() => console.log("later")));
export default class extends WorkerEntrypoint {
    async fetch(request) {
        later();
        let why;
        try { new Counter(this.ctx, this.env); } catch (error) { why = error.message; }
        const inner = withEnv({ A: "inner" }, () => env.A);
        return Response.json([request.method, this.env.A, env.A, inner, "A" in env, Object.keys(env), { ...env }, why]);
    }
    scheduled(controller) { console.log(controller.cron, env.A); }
}
JS
run 0 "a WorkerEntrypoint" compile --strict --warm / entry.js
run 0 "it is run" run entry -e A=a
expect "as a handler" out_is '["GET","a","a","inner",true,["A"],{"A":"a"},"DurableObject of \"cloudflare:workers\" is not here: a function has no durable objects"]'
expect "whose waitUntil is waited for" err_has later
run 0 "scheduled" run entry --handler scheduled --event '{"cron":"x"}' -e A=b
expect "is called by name" err_has "x b"

# --- A snapshot must not hold what there was not
cat >top.js <<'JS'
import { env } from "cloudflare:workers";
const name = env.NAME ?? "nobody";
export default { fetch: () => new Response(name + "\n") };
JS
run 0 "env at top level" compile --json top.js
json "makes a code artifact" 'j.kind === "code" && j.warnings.some(w => /cloudflare:workers" was read at top level \(top\.js:2:18\)/.test(w))'
run 0 "it is run" run top -e NAME=me
expect "with its env" out_is me
run 1 "strict" compile --strict top.js
expect "is refused with the place" err_has "top.js:2:18"

# --- AsyncLocalStorage, by every way to ask for it
body='const als = new AsyncLocalStorage();
const get = v => als.run(v, async () => { await new Promise(r => setTimeout(r, v.length)); return als.getStore(); });
const handler = { async fetch() { return Response.json(await Promise.all(["aaa", "b"].map(get))); } };'
printf 'import { AsyncLocalStorage } from "node:async_hooks";\n%s\nexport default handler;\n' "$body" >named.js
printf 'import hooks from "async_hooks";\nconst { AsyncLocalStorage } = hooks;\n%s\nexport default handler;\n' "$body" >whole.js
printf 'const { AsyncLocalStorage } = require("node:async_hooks");\n%s\nmodule.exports = handler;\n' "$body" >common.js
printf 'const { AsyncLocalStorage } = await import("node:async_hooks");\n%s\nexport default handler;\n' "$body" >dynamic.js
printf '%s\nexport default handler;\n' "$body" >global.js
for name in named whole common dynamic global; do
    run 0 "by $name" compile --strict "$name.js"
    run 0 "  it is run" run "$name"
    expect "  and gives each its own" out_is '["aaa","b"]'
    run 0 "  warmed up" compile --strict --warm / --name warm "$name.js"
    run 0 "  it is run" run warm
    expect "  and gives each its own" out_is '["aaa","b"]'
done
printf 'import * as hooks from "node:async_hooks";\nconst { AsyncLocalStorage } = hooks;\n%s\nexport default { fetch: (...a) => handler.fetch(...a), hooks };\n' "$body" >kept.js
run 0 "a namespace that is kept" compile kept.js
run 0 "it is run" run kept
expect "and works" out_is '["aaa","b"]'
cat >hook.js <<'JS'
import { AsyncResource, createHook } from "node:async_hooks";
export default { fetch() {
    const r = new AsyncResource("X");
    try { createHook({}); } catch (error) { return Response.json([error.code, r.runInAsyncScope((a, b) => a + b, null, 1, 2), r.asyncId() > 1]); }
} };
JS
run 0 "what is not there" compile --strict hook.js
run 0 "it is run" run hook
expect "is told where it is called" out_is '["ERR_METHOD_NOT_IMPLEMENTED",3,true]'

# --- What Node's modules are made of takes any argument, and keeps its state to itself
cat >support.js <<'JS'
import support from "snapcell:node";
const values = [undefined, null, -1, 1, 99, 2 ** 32, 1.5, "x", new Uint8Array(5), new Uint8Array(64), {}, [], Symbol("s"), 5n, () => 1];
class Odd extends Uint8Array { get length() { return (Odd.turn = (Odd.turn ?? 0) + 1) % 3 ? 40 : 3; } }
export default { fetch() {
    let calls = 0;
    const attempt = call => { calls++; try { return call(); } catch {} };
    const keys = ["prime256v1", "ed25519", "x25519"].map(kind => support.generateKey(kind));
    keys.push(...keys.map(key => key.toPublic()));
    const methods = ["sign", "verify", "crypt", "derive", "toDer", "parts", "toPublic"];
    for (const a of values) for (const b of values) {
        for (const key of keys) for (const name of methods) {
            attempt(() => key[name](a, b, new Uint8Array(3), new Uint8Array(64)));
            attempt(() => key[name].call(a, b));
        }
        attempt(() => keys[0].derive(keys[1]));
        for (const kind of ["rsa", "prime256v1", "x25519", "x"]) attempt(() => support.makeKey(kind, a, [b, new Odd(33)]));
        attempt(() => support.readKey(a, b));
        attempt(() => support.aes("gcm", a, b, new Uint8Array(12), new Uint8Array(9), 128));
        attempt(() => support.aes(a, true, new Uint8Array(16), b, new Uint8Array(9), 128));
        attempt(() => support.hmac(a, b, new Uint8Array(1)));
        attempt(() => support.hkdf(a, b, new Uint8Array(1), new Uint8Array(1), 9));
        attempt(() => { const push = support.newZlib(a, b, a); push(b, a); push(new Uint8Array([1, 2, 3]), true); push(a, true); });
    }
    attempt(() => new keys[0].constructor());
    return new Response(calls > 10000 ? "alive\n" : `${calls}\n`);
} };
JS
run 0 "the module that Node's use" compile --strict support.js
run 0 "it is run" run support
expect "and holds whatever it is given" out_is alive

# --- What compresses takes memory within the function's limit, and goes on after it was refused some
cat >compressing.js <<'JS'
import { brotliCompress, zstdCompress } from "snapcell:node";
const bytes = new Uint8Array(3 << 20).map((_, i) => (i * i) >> 7);
const attempt = call => { try { return call().length > 0; } catch (error) { return error.name; } };
const zstd = level => zstdCompress(bytes, [[100, level]], { most: Infinity, announcedSize: -1, end: 2 });
export default { fetch: () => new Response([
    attempt(() => brotliCompress(bytes, 11, 24, 0)), attempt(() => zstd(22)),
    attempt(() => brotliCompress(bytes, 5, 20, 0)), attempt(() => zstd(3)),
].join() + "\n") };
JS
run 0 "a function that compresses" compile compressing.js
run 0 "what takes more than there is" run --memory-mb 64 compressing
expect "is refused, and only that" out_is RangeError,RangeError,true,true
run 0 "the same with more memory" run --memory-mb 1024 compressing
expect "is done" out_is true,true,true,true

# --- All other imports are refused, wherever they stand
printf 'import { env } from "cloudflare:workers";\nimport { x } from "cloudflare:sockets";\nexport default { fetch: () => new Response(env.A + x) };\n' >socket.js
run 1 "another import" compile socket.js
expect "is named with its line" err_has 'socket.js:2:19: import of "cloudflare:sockets" was not resolved'
printf 'import mod from "./empty.wasm";\nexport default { fetch: () => new Response("" + mod) };\n' >wasm.js
printf '\0asm\1\0\0\0' >empty.wasm
run 1 "a file next to the bundle" compile wasm.js
expect "is refused in a line" line_count err 1
expect "with its place and what to do" err_has 'wasm.js:1:17: import of "./empty.wasm" was not resolved by the bundler; a bundle is one file: bundle that one into it'
printf 'import { nothing } from "node:async_hooks";\nexport default { fetch: () => new Response(nothing) };\n' >name.js
run 1 "a name that is not exported" compile name.js
expect "is named with its line" err_has "name.js:1:"
expect "and what it is" err_has "nothing"

done_testing
