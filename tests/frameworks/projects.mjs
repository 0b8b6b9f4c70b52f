// Makes a framework's project, builds it, and compiles it, warmed up:
// { name, store, bundle, folder, peer, versions, kind, bytes, artifact }
import {
    cpSync,
    existsSync,
    mkdirSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./commands.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const kit = join(root, "kit");

function versionsOf(packages, folder) {
    return packages.map(name => {
        const file = join(folder, "node_modules", name, "package.json");
        return `${name} ${JSON.parse(readFileSync(file, "utf8")).version}`;
    });
}

// --- A function that is one file ---

// The same function for Node: its modules are Node's own.
async function bundleForNode(source, bundle) {
    const { build } = await import(join(kit, "node_modules/esbuild/lib/main.js"));
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

// What the kit's command answers.
function compile(name, framework, { command, folder, cwd, snapcell }) {
    const store = join(folder, "store");
    rmSync(store, { recursive: true, force: true });
    const args = [...(framework.kit ?? []), "--json", "--force", "--name", name, "--store", store];
    const [program, ...first] = command;
    const told = run(program, [...first, "build", ...args, ...warmRequests(framework, folder)], {
        cwd,
        log: join(folder, "log"),
        env: { SNAPCELL: snapcell },
    });
    const { kind, snapshot_bytes, source_bytes, artifact_bytes: artifact, env } = JSON.parse(told);
    return { name, store, folder, kind, bytes: snapshot_bytes || source_bytes, artifact, env };
}

// The kit as a tarball, which a project installs as its users do.
let packed;
function packKit(out, log) {
    packed ??= run("npm", ["pack", "--silent", "--pack-destination", out, kit], { log }).trim();
    return join(out, packed);
}

// A project of its own, in which the kit may write, with the packages of the sources' folder.
function copySmall(source, project) {
    const packages = dirname(dirname(source));
    rmSync(project, { recursive: true, force: true });
    cpSync(join(packages, "src"), join(project, "src"), { recursive: true });
    for (const name of ["package.json", "tsconfig.json"])
        if (existsSync(join(packages, name))) cpSync(join(packages, name), join(project, name));
    symlinkSync(join(packages, "node_modules"), join(project, "node_modules"));
    return join(project, "src", basename(source));
}

async function buildSmall(name, framework, folder, snapcell) {
    const cwd = join(folder, "project");
    const source = copySmall(join(here, framework.source), cwd);
    const command = [process.execPath, join(kit, "bin/snapcell.js")];
    const own = { ...framework, kit: [source] };
    const built = compile(name, own, { command, folder, cwd, snapcell });
    const bundle = join(folder, `${name}-node.mjs`);
    await bundleForNode(source, bundle);
    const versions = versionsOf(framework.packages, cwd);
    return { ...built, versions, peer: { kind: framework.peer, bundle } };
}

export async function build(name, framework, folder, snapcell) {
    mkdirSync(folder, { recursive: true });
    if (framework.source) return buildSmall(name, framework, folder, snapcell);
    const log = join(folder, "log");
    const { project, versions } = buildStarter(name, framework, folder);
    const tarball = packKit(dirname(folder), log);
    // npm would take packages away if it were told other things of peers than before.
    const peers = (framework.install ?? []).filter(word => word === "--legacy-peer-deps");
    const quiet = ["--no-save", "--no-audit", "--no-fund", ...peers];
    run("npm", ["install", ...quiet, tarball], { cwd: project, log });
    const command = ["npx", "snapcell"];
    const built = compile(name, framework, { command, folder, cwd: project, snapcell });
    return {
        ...built,
        versions,
        peer: { kind: "command", command: framework.peer, cwd: project },
    };
}
