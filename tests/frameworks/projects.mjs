// Makes a framework's project, builds it, and compiles it, warmed up:
// { name, store, bundle, folder, peer, versions, kind, bytes, artifact }
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./commands.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const preset = join(here, "../../presets/node-compat");
const bundler = join(preset, "bundle.mjs");

function versionsOf(packages, folder) {
    return packages.map(name => {
        const file = join(folder, "node_modules", name, "package.json");
        return `${name} ${JSON.parse(readFileSync(file, "utf8")).version}`;
    });
}

// --- A function that is one file ---

// The same function for Node: its modules are Node's own.
async function bundleForNode(source, bundle) {
    const { build } = await import(join(preset, "node_modules/esbuild/lib/main.js"));
    await build({
        entryPoints: [source],
        outfile: bundle,
        bundle: true,
        platform: "node",
        format: "esm",
        jsx: "automatic",
        banner: {
            js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
        },
        plugins: [notInstalled],
        logLevel: "error",
    });
}

// Packages that others load if they are installed.
const notInstalled = {
    name: "not-installed",
    setup(build) {
        build.onResolve({ filter: /^[\w@][^:]*$/ }, async ({ path, kind, pluginData, ...from }) => {
            if (pluginData === "seen" || !/^(dynamic-import|require-call)$/.test(kind))
                return undefined;
            const { importer, resolveDir } = from;
            const found = await build.resolve(path, {
                kind,
                importer,
                resolveDir,
                pluginData: "seen",
            });
            return found.errors.length > 0 ? { path, external: true } : undefined;
        });
    },
};

// --- A project of a starter ---

const starterOf = name => join(here, "starters", name);

// A folder that is there is not made again, unless its starter changed.
function create(name, { create: command, install = [], prepare = [] }, folder, log) {
    const project = join(folder, "project");
    const made = join(folder, "made");
    const manifest = join(starterOf(name), "package.json");
    const own = existsSync(manifest) ? readFileSync(manifest, "utf8") : "";
    const wanted = JSON.stringify([command, install, prepare, own]);
    if (existsSync(made) && readFileSync(made, "utf8") === wanted) return project;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    if (command) run(command[0], command.slice(1), { cwd: folder, log });
    if (existsSync(starterOf(name))) cpSync(starterOf(name), project, { recursive: true });
    run("npm", ["install", "--no-audit", "--no-fund", ...install], { cwd: project, log });
    for (const [program, ...args] of prepare) run(program, args, { cwd: project, log });
    writeFileSync(made, wanted);
    return project;
}

function buildStarter(name, framework, folder) {
    const log = join(folder, "log");
    const project = create(name, framework, folder, log);
    const isSource = file => basename(file) !== "package.json"; // which has changed since
    if (existsSync(starterOf(name)))
        cpSync(starterOf(name), project, { recursive: true, filter: isSource });
    for (const [command, ...args] of framework.build) run(command, args, { cwd: project, log });
    return { project, versions: versionsOf(framework.packages, project) };
}

// --- Either ---

function warmRequests({ warm }, folder) {
    return warm.flatMap((request, i) => {
        if (typeof request === "string") return ["--warm", request];
        const file = join(folder, `warm${i}.json`);
        const { path: url, ...rest } = request;
        writeFileSync(file, JSON.stringify({ url, ...rest }));
        return ["--warm", file];
    });
}

function compile(name, framework, { folder, bundle, snapcell }) {
    const store = join(folder, "store");
    rmSync(store, { recursive: true, force: true });
    const args = ["compile", "--store", store, "--json", "--name", name, bundle];
    const log = join(folder, "log");
    const told = JSON.parse(
        run(snapcell, [...args, "--memory-mb", "1024", ...warmRequests(framework, folder)], { log })
    );
    const bytes = told.snapshot_bytes || told.source_bytes;
    return { name, store, folder, kind: told.kind, bytes, artifact: told.artifact_bytes };
}

export async function build(name, framework, folder, snapcell) {
    mkdirSync(folder, { recursive: true });
    const bundle = join(folder, `${name}.js`);
    const log = join(folder, "log");
    if (framework.source) {
        const source = join(here, framework.source);
        const packages = dirname(dirname(source));
        run(process.execPath, [bundler, source, bundle], { cwd: packages, log });
        const nodeBundle = join(folder, `${name}-node.mjs`);
        await bundleForNode(source, nodeBundle);
        const versions = versionsOf(framework.packages, packages);
        const built = compile(name, framework, { folder, bundle, snapcell });
        return { ...built, versions, peer: { kind: framework.peer, bundle: nodeBundle } };
    }
    const { project, versions } = buildStarter(name, framework, folder);
    const more = framework.assets ? ["--assets", join(project, framework.assets)] : [];
    const options = [...more, ...(framework.options ?? [])];
    run(process.execPath, [bundler, join(project, framework.entry), bundle, ...options], {
        cwd: project,
        log,
    });
    const built = compile(name, framework, { folder, bundle, snapcell });
    return { ...built, versions, peer: { kind: "command", command: framework.peer, cwd: project } };
}
