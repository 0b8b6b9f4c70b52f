// Projects for the tests, made next to an installation of kit's tarball, and the program run in them.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after } from "node:test";

/** Where `install` put the tarball's package. */
export const installed = process.env.KIT_FOLDER;
export const native = process.env.SNAPCELL;
export const kit = join(installed, "node_modules/snapcell");
export const program = join(installed, "node_modules/.bin/snapcell");

const made = [];
after(() => made.forEach(folder => rmSync(folder, { recursive: true, force: true })));

/** A folder with these files, whose text may be a value that is written as JSON. */
export function project(files) {
    const folder = mkdtempSync(join(installed, "project-"));
    made.push(folder);
    write(folder, { "package.json": "{}", ...files });
    return folder;
}

export function write(folder, files) {
    for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        const isText = typeof content === "string" || content instanceof Uint8Array;
        writeFileSync(join(folder, name), isText ? content : JSON.stringify(content));
    }
}

export const read = (folder, name) => readFileSync(join(folder, name), "utf8");

const clean = { ...process.env, SNAPCELL_STORE: undefined, SNAPCELL_TRUST: undefined };

/** Runs the kit's program in a folder. */
export function snapcell(folder, parameters, { env = {}, ...options } = {}) {
    const ended = spawnSync(program, parameters, {
        cwd: folder,
        encoding: "utf8",
        env: { ...clean, ...env },
        ...options,
    });
    const { status, stdout, stderr } = ended;
    return {
        status,
        stdout,
        stderr,
        lines: () =>
            stdout
                .split("\n")
                .filter(Boolean)
                .map(line => JSON.parse(line)),
    };
}

/** `build --json`, of which one function is expected to succeed. */
export function built(folder, ...parameters) {
    const ended = snapcell(folder, ["build", "--json", ...parameters]);
    if (ended.status !== 0) throw new Error(`build ended with ${ended.status}: ${ended.stderr}`);
    return ended.lines()[0];
}

/** What a function of the folder's store answers. */
export function answer(folder, name, ...parameters) {
    const run = ["run", name, ...parameters];
    const ended = spawnSync(native, run, { cwd: folder, encoding: "utf8", env: clean });
    if (ended.status !== 0) throw new Error(`run ended with ${ended.status}: ${ended.stderr}`);
    return ended.stdout;
}

/** Starts the program; `until(text)` waits for its output. */
export function started(folder, parameters, env = {}) {
    const child = spawn(program, parameters, { cwd: folder, env: { ...clean, ...env } });
    let output = "";
    const waiting = new Set();
    for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", text => {
            output += text;
            for (const look of waiting) look();
        });
    const ended = new Promise(done =>
        child.on("close", (status, signal) => done({ status, signal }))
    );
    const until = (pattern, from = 0) =>
        new Promise((done, failed) => {
            const look = () => {
                const match = pattern.exec(output.slice(from));
                if (!match) return;
                waiting.delete(look);
                done({ match, end: from + match.index + match[0].length });
            };
            waiting.add(look);
            look();
            ended.then(() => failed(new Error(`it ended without ${pattern}: ${output}`)));
        });
    return { child, until, ended, output: () => output };
}

export const hello = `export default { fetch: request => new Response("hello " + new URL(request.url).pathname) };\n`;
