// Run by `npm pack` before it packs: puts the modules that stand in for Node's, and the packages they are made of, into
// build/node-compat. They are packed in the versions of their lock file, so that a source gives the same bundle
// everywhere. The license is that of the sources. With $SNAPCELL_PACK naming the native program, that is packed, too,
// with the programs that it starts.
// `--remove` cleans up afterwards.
import { spawnSync } from "node:child_process";
import {
    chmodSync,
    cpSync,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    realpathSync,
    rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const kit = join(dirname(fileURLToPath(import.meta.url)), "..");
const preset = join(kit, "../presets/node-compat");
const target = join(kit, "build/node-compat");

// The packages that the preset imports, and theirs; esbuild is a dependency of the kit.
function runtimePackages() {
    const { packages } = JSON.parse(readFileSync(join(preset, "package-lock.json"), "utf8"));
    return Object.keys(packages).filter(path => path && !/esbuild/.test(path));
}

const ownFiles = () =>
    readdirSync(preset).filter(
        name => !/^(node_modules|package-lock\.json|bundle\.mjs)$|^\./.test(name)
    );

function assemble() {
    const install = spawnSync(join(kit, "../scripts/npm-install"), [preset], {
        stdio: ["ignore", 2, 2], // standard output is npm's, for the name of the tarball
    });
    if (install.status !== 0) throw new Error(`npm could not install the packages of ${preset}`);
    mkdirSync(target, { recursive: true });
    cpSync(join(kit, "../LICENSE"), join(kit, "LICENSE"));
    for (const path of [...ownFiles(), ...runtimePackages()])
        if (existsSync(join(preset, path)))
            cpSync(join(preset, path), join(target, path), { recursive: true, dereference: true });
    packNative(process.env.SNAPCELL_PACK);
}

// What the program starts: next to it, as in a build, or where it is installed. In the package all are in one folder.
const helpers = ["snapcell-net", "snapcell-launch"];

function helperFile(program, name) {
    const folder = dirname(realpathSync(program));
    const places = [join(folder, name), join(folder, "../libexec/snapcell", name)];
    const found = places.find(existsSync);
    if (!found) throw new Error(`$SNAPCELL_PACK: there is no ${places.join(", and no ")}`);
    return found;
}

function packNative(program) {
    if (!program) return;
    if (!existsSync(program)) throw new Error(`$SNAPCELL_PACK: there is no ${program}`);
    const files = { snapcell: realpathSync(program) };
    for (const name of helpers) files[name] = helperFile(program, name);
    for (const [name, file] of Object.entries(files)) {
        const packed = join(kit, "build/native", name);
        cpSync(file, packed);
        chmodSync(packed, 0o755);
    }
}

function remove() {
    for (const name of ["build", "LICENSE"])
        rmSync(join(kit, name), { recursive: true, force: true });
}

remove();
if (!process.argv.includes("--remove")) {
    try {
        assemble();
    } catch (error) {
        remove();
        throw error;
    }
}
