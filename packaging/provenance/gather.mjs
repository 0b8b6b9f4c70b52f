// What the program and the libraries are made of, looked up where the build took it from: Debian's packages (with their
// versions, and hashes of what is linked), the parts of V8's archive, and the npm packages in the web API.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

const known = JSON.parse(readFileSync(new URL("components.json", import.meta.url), "utf8"));

export const sha256 = file => createHash("sha256").update(readFileSync(file)).digest("hex");

function ask(...command) {
    // Of several things asked, some may be unknown: what is known is printed all the same.
    return spawnSync(command[0], command.slice(1), { encoding: "utf8" }).stdout?.trim() ?? "";
}

// The package that has a file. With merged /usr it is owned under one of two names. Asked once, for all: each question
// reads the whole data base.
function ownersOf(files) {
    const names = new Map(
        files.flatMap(file => {
            const real = realpathSync(file);
            return [file, real, real.replace(/^\/usr\/lib/, "/lib")].map(name => [name, file]);
        })
    );
    const owners = new Map();
    for (const line of ask("dpkg-query", "-S", ...names.keys()).split("\n")) {
        const [, owner, name] = /^([^,: ]+(?::[^,: ]+)?)(?:, .*)?: (.*)$/.exec(line) ?? [];
        if (owner) owners.set(names.get(name), owner);
    }
    return owners;
}

function describePackages(owners) {
    const format = "${Package}:${Architecture}\t${source:Package}\t${source:Version}\t${Version}\n";
    const lines = ask("dpkg-query", "-W", "-f", format, ...owners).split("\n");
    return new Map(
        lines.filter(Boolean).map(line => {
            const [id, source, sourceVersion, version] = line.split("\t");
            const name = id.replace(/:.*/, "");
            const text = `/usr/share/doc/${name}/copyright`;
            return [
                name,
                {
                    package: name,
                    source,
                    sourceVersion,
                    version,
                    text: existsSync(text) ? text : "",
                },
            ];
        })
    );
}

const unknownPackage = { package: "", source: "", sourceVersion: "", version: "", text: "" };

/** Debian's, of `[{ name, file, how }]`: `how` is static, dynamic, compiled or needed. */
function debianComponents(items) {
    const owners = ownersOf(items.map(({ file }) => file));
    const packages = describePackages([...new Set(owners.values())]);
    return items.map(({ name, file, how }) => {
        if (!known.debian[name])
            throw new Error(`${name} has no licence in packaging/provenance/components.json`);
        return {
            name,
            how,
            licence: known.debian[name].licence,
            file: basename(file),
            sha256: sha256(file),
            ...(packages.get(owners.get(file)?.replace(/:.*/, "")) ?? unknownPackage),
        };
    });
}

function v8Components({ version, icu, archive, sha256: hash }) {
    return Object.entries(known.v8).map(([name, entry]) => {
        const versions = { V8: version, ICU: icu };
        const file = name === "V8" ? { file: basename(archive), sha256: hash } : {};
        return { name, how: "static", version: versions[name] ?? "", ...entry, ...file };
    });
}

function licenceFileOf(folder) {
    const name = readdirSync(folder).find(entry => /^(licen[cs]e|copying)/i.test(entry));
    if (!name) throw new Error(`${folder} has no file with its licence`);
    return join(folder, name);
}

function npmComponents({ lock, modules }) {
    const { packages } = JSON.parse(readFileSync(lock, "utf8"));
    return Object.entries(packages)
        .filter(([path, { dev }]) => path && !dev)
        .map(([path, { version, license, integrity }]) => ({
            name: path.replace(/^.*node_modules\//, ""),
            how: "bundled",
            version,
            licence: license,
            integrity,
            text: licenceFileOf(join(modules, "..", path)),
        }));
}

// Node's own file has the licences of V8 and ICU; where it stands depends on who packaged Node.
function nodeLicences() {
    const places = [
        "/usr/share/doc/nodejs/copyright",
        "/usr/share/doc/nodejs/LICENSE",
        join(realpathSync(process.execPath), "../../LICENSE"),
    ];
    return places.find(existsSync) ?? "";
}

// The shared library uses others, and the archive leaves them to its user.
function usedBy(kind, items) {
    if (kind === "program") return items;
    const how = kind === "shared" ? "dynamic" : "needed";
    return items
        .filter(({ shared }) => shared)
        .map(({ name, file, shared }) => ({ name, file: kind === "shared" ? shared : file, how }));
}

/** Everything that a `kind` of binaries has, of the file that the build writes: `{ debian, v8, npm, nodeText }`. */
export function gather(plan, kind) {
    return {
        debian: debianComponents(usedBy(kind, plan.debian)),
        v8: v8Components(plan.v8),
        npm: npmComponents(plan.npm),
        nodeText: nodeLicences(),
    };
}
