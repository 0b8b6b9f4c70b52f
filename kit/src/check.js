// What start-up costs and what a snapshot holds, by package and by module.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bundleFunction, bundlesBy, inParallel, missingOf, prepare, writeBundle } from "./build.js";
import { compileBundle } from "./compile.js";
import { asFailure, Failure, usageFailure } from "./failure.js";
import { weighHeap } from "./heap.js";
import { Modules, packageOf, timedBundle } from "./modules_of.js";
import { runNative } from "./native.js";
import { makeWorkFolder } from "./state.js";
import { shownText } from "./bundler_esbuild.js";

const timings = 5;

const median = numbers => numbers.sort((a, b) => a - b)[numbers.length >> 1];

// Milliseconds by module; undefined where the bundle cannot be evaluated so, as when its top level fails at run time.
async function timesOf(modules, { program, folder, settings }) {
    const file = join(folder, "timed.js");
    const store = join(folder, "timed");
    writeFileSync(file, timedBundle(modules));
    const plain = {
        ...settings,
        name: "timed",
        warm: [],
        sign: undefined,
        strict: false,
        shape: undefined,
    };
    try {
        await compileBundle(program, file, { ...plain, entropy: "fresh", store, cwd: folder });
    } catch (error) {
        if (error instanceof Failure) return undefined;
        throw error;
    }
    const samples = new Map();
    for (let i = 0; i < timings; i++) {
        const ended = await runNative(program, ["run", "timed", "--store", store]);
        if (ended.status !== 0) return undefined;
        for (const [path, ms] of JSON.parse(ended.stdout))
            samples.set(path, [...(samples.get(path) ?? []), ms]);
    }
    return new Map([...samples].map(([path, list]) => [path, median(list)]));
}

// Bytes of the snapshot by module, of the engine's own modules, and what is V8's. The heap's bytes are written in a
// shorter form, which is taken to be equally short for all.
function snapshotBytes(heapFile, script, modules, total) {
    const weights = weighHeap(JSON.parse(readFileSync(heapFile, "utf8")), script);
    const scale = total / weights.reduce((sum, [, bytes]) => sum + bytes, 0);
    const byModule = new Map();
    const engine = {};
    let v8 = 0;
    for (const [owner, bytes] of weights) {
        const path = owner?.line ? modules.at(owner.line) : modules.declaring(owner?.variable);
        const share = bytes * scale;
        if (path !== undefined) byModule.set(path, (byModule.get(path) ?? 0) + share);
        else if (owner?.script) engine[owner.script] = (engine[owner.script] ?? 0) + share;
        else v8 += share;
    }
    for (const name of Object.keys(engine)) engine[name] = Math.round(engine[name]);
    return { byModule, engine, v8: Math.round(v8) };
}

const round = ms => Math.round(ms * 1000) / 1000;

function moduleTable(metafile, root, { byModule }, times) {
    const [, output] = Object.entries(metafile.outputs).find(([file]) => file.endsWith(".js"));
    return Object.entries(output.inputs)
        .map(([input, { bytesInOutput }]) => {
            const path = shownText(input, root);
            return {
                path,
                package: packageOf(path),
                bundle_bytes: bytesInOutput,
                snapshot_bytes: Math.round(byModule.get(path) ?? 0),
                top_level_ms: times ? round(times.get(path) ?? 0) : null,
            };
        })
        .filter(module => module.bundle_bytes > 0 || module.snapshot_bytes > 0)
        .sort((a, b) => b.snapshot_bytes - a.snapshot_bytes || b.bundle_bytes - a.bundle_bytes);
}

function packageTable(modules) {
    const packages = new Map();
    for (const module of modules) {
        const known = packages.get(module.package) ?? {
            name: module.package,
            modules: 0,
            bundle_bytes: 0,
            snapshot_bytes: 0,
            top_level_ms: module.top_level_ms === null ? null : 0,
        };
        known.modules++;
        known.bundle_bytes += module.bundle_bytes;
        known.snapshot_bytes += module.snapshot_bytes;
        if (module.top_level_ms !== null)
            known.top_level_ms = round(known.top_level_ms + module.top_level_ms);
        packages.set(module.package, known);
    }
    return [...packages.values()].sort((a, b) => b.snapshot_bytes - a.snapshot_bytes);
}

async function compileToWeigh(file, { settings, program, folder }) {
    const heapFile = join(folder, "heap.json");
    const store = join(folder, "store");
    const weighed = {
        ...settings,
        entropy: settings.entropy ?? "fresh",
        strict: false,
        sign: undefined,
    };
    const options = { ...weighed, store, explain: true };
    try {
        return { heapFile, result: await compileBundle(program, file, { ...options, heapFile }) };
    } catch (error) {
        if (error.code !== "E_UNSNAPSHOTABLE") throw error;
        return { result: await compileBundle(program, file, options) };
    }
}

async function checkFunction(settings, program) {
    const { root, name } = settings;
    const plain = { ...settings, minify: false };
    const bundled = await bundleFunction(plain, await bundlesBy(plain));
    if (!bundled.metafile)
        throw usageFailure("check needs a bundler that makes a metafile, as esbuild does");
    const missing = await missingOf(bundled, plain);
    const folder = mkdtempSync(join(makeWorkFolder(root), "check-"));
    try {
        const file = writeBundle({ root: folder, name }, bundled);
        const how = { settings: { ...plain, ...bundled.settings }, program, folder };
        const { result, heapFile } = await compileToWeigh(file, how);
        const paths = Object.keys(bundled.metafile.inputs).map(path => shownText(path, root));
        const modules = new Modules(bundled.code, new Set(paths));
        const weights = heapFile
            ? snapshotBytes(heapFile, `${name}.js`, modules, result.snapshot_bytes)
            : { byModule: new Map(), engine: {}, v8: 0 };
        const times = await timesOf(modules, how);
        return reportOf(result, { bundled, weights, times, missing, root, settings });
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

function reportOf(result, { bundled, weights, times, missing, root, settings }) {
    const { name, kind, shape, source_bytes, snapshot_bytes, artifact_bytes, explain } = result;
    const modules = moduleTable(bundled.metafile, root, weights, times);
    const total = times && [...times.values()].reduce((sum, ms) => sum + ms, 0);
    return {
        name,
        entry: relative(root, settings.entry),
        kind,
        shape,
        bundle_bytes: source_bytes,
        snapshot_bytes,
        artifact_bytes,
        top_level_ms: times ? round(total) : null,
        causes: explain.causes,
        uses: explain.uses,
        missing,
        apis: explain.apis ?? [],
        engine_bytes: weights.engine,
        v8_bytes: weights.v8,
        packages: packageTable(modules),
        modules,
    };
}

/**
 * @param {import("./index.js").BuildOptions} [options]
 */
export async function check(options = {}) {
    const { functions, notes, program, root } = await prepare(options);
    const results = await inParallel(functions, async settings => {
        try {
            return await checkFunction(settings, program);
        } catch (caught) {
            const error = asFailure(caught);
            if (!(error instanceof Failure)) throw error;
            return { name: settings.name, entry: relative(root, settings.entry), error };
        }
    });
    return { root, notes, functions: results };
}
