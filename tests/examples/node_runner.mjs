// Answers one call of a bundle in Node, in the way of a runtime for such functions, and prints the
// answer as JSON. `node node_runner.mjs BUNDLE CALL`: CALL is {"request": {url, method, headers,
// body}} or {"event": ...}.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";

registerHooks({
    resolve(specifier, context, next) {
        if (specifier !== "snapcell:node") return next(specifier, context);
        const { href } = new URL("engine_support.mjs", import.meta.url);
        return { url: href, shortCircuit: true };
    },
});

// Node goes by a file's ending, so the bundle is copied to one with the right ending.
async function load(bundle) {
    const source = readFileSync(bundle, "utf8");
    if (/^export\b/m.test(source))
        return inCopy(bundle, "bundle.mjs", copy => import(pathToFileURL(copy)));
    if (/\bmodule\.exports\b|^exports\./m.test(source))
        return inCopy(bundle, "bundle.cjs", copy => createRequire(copy)(copy));
    let listener;
    globalThis.addEventListener = (type, callback) => {
        if (type === "fetch") listener = callback;
    };
    runInThisContext(source, { filename: bundle });
    return listener ? { fetch: asFetch(listener) } : { handler: globalThis.handler };
}

async function inCopy(bundle, name, use) {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-node-"));
    try {
        copyFileSync(bundle, join(folder, name));
        return await use(join(folder, name));
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function asFetch(listener) {
    return request =>
        new Promise((resolve, reject) => {
            const respondWith = answer => Promise.resolve(answer).then(resolve, reject);
            listener({ type: "fetch", request, respondWith, waitUntil() {} });
        });
}

function handlerOf(exported) {
    const main = exported.default ?? exported;
    if (typeof main.fetch === "function")
        return { fetch: request => main.fetch(request, {}, { waitUntil() {} }) };
    if (typeof main === "function") return { invoke: main };
    if (typeof exported.handler === "function") return { invoke: exported.handler };
    throw new Error("the bundle has no handler");
}

const [bundle, callText] = process.argv.slice(2);
const call = JSON.parse(callText);
const handler = handlerOf(await load(bundle));
let answer;
if ("event" in call) {
    answer = { result: (await handler.invoke(call.event, {})) ?? null };
} else {
    const { url, ...init } = call.request;
    const response = await handler.fetch(new Request(new URL(url, "http://localhost"), init));
    answer = {
        status: response.status,
        headers: [...response.headers],
        body: await response.text(),
    };
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
