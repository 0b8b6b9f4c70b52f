// snapcell init: the files of a small project.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { fileFailure, statuses } from "./failure.js";
import { makeFolder } from "./folders.js";
import { nameFrom } from "./project.js";

const { name: own, version } = createRequire(import.meta.url)("../package.json");
const packages = fileURLToPath(new URL("../..", import.meta.url)); // node_modules, if npm installed this one

// This package as a dependency: the tarball that npm installed it from, as its own notes have it, else the version.
function dependency(target) {
    try {
        const notes = JSON.parse(readFileSync(join(packages, ".package-lock.json"), "utf8"));
        const { resolved } = notes.packages[`node_modules/${own}`];
        const file = resolve(packages, "..", /^file:(.*\.tgz)$/.exec(resolved)[1]);
        return existsSync(file) ? `file:${relative(target, file)}` : version;
    } catch {
        return version;
    }
}

const source = types => `export default {
    async fetch(request${types ? ": Request" : ""}, env${types ? ": { GREETING?: string }" : ""}) {
        const { pathname } = new URL(request.url);
        return new Response(\`\${env.GREETING ?? "Hello"} \${pathname}\\n\`);
    },
};
`;

const json = value => `${JSON.stringify(value, null, 4)}\n`;

/** @param {string} name @param {boolean} [js] @param {string} [target] the folder */
export function projectFiles(name, js, target = ".") {
    const entry = js ? "src/index.js" : "src/index.ts";
    const compilerOptions = {
        target: "esnext",
        module: "esnext",
        moduleResolution: "bundler",
        lib: ["esnext", "webworker"],
        strict: true,
        noEmit: true,
    };
    const scripts = {
        dev: "snapcell dev",
        build: "snapcell build --warm /",
        check: "snapcell check",
    };
    const devDependencies = { [own]: dependency(target) };
    return {
        "package.json": json({ name, private: true, type: "module", scripts, devDependencies }),
        [entry]: source(!js),
        ...(js ? {} : { "tsconfig.json": json({ compilerOptions, include: ["src"] }) }),
        ".gitignore": "node_modules/\n.snapcell/\nsnapcell-store/\n.env.local\n.dev.vars\n",
    };
}

/**
 * @param {{ folder?: string, name?: string, js?: boolean, cwd?: string }} [options]
 * @returns {{ folder: string, name: string, files: string[] }}
 */
export function init({ folder = ".", name, js, cwd = process.cwd() } = {}) {
    const target = resolve(cwd, folder);
    const called = nameFrom(name ?? basename(target));
    const files = projectFiles(called, js, target);
    const there = Object.keys(files).filter(file => existsSync(join(target, file)));
    if (there.length > 0)
        throw fileFailure(
            `${relative(cwd, join(target, there[0]))} is there already; init replaces no file`
        );
    for (const [file, text] of Object.entries(files)) {
        makeFolder(dirname(join(target, file)));
        writeFileSync(join(target, file), text);
    }
    return { folder: target, name: called, files: Object.keys(files) };
}

// As a shell takes it.
const quoted = text =>
    /^[\w./@%+:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** @param {any} options */
export async function initCommand({ entry, name, js, json: asJson }) {
    const made = init({ folder: entry, name, js });
    if (asJson) process.stdout.write(`${JSON.stringify(made)}\n`);
    else {
        const enter = entry && entry !== "." ? `cd ${quoted(entry)} && ` : "";
        process.stdout.write(
            `${made.files.join("\n")}\nNext: ${enter}npm install && npx snapcell dev\n`
        );
    }
    return statuses.done;
}
