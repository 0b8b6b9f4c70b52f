// Files that a build embeds: what node:fs reads of them, compared with Node, which reads the same files from
// the disk; and how they are served.
//   node embedded.mjs SNAPCELL
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const bundler = join(
    dirname(fileURLToPath(import.meta.url)),
    "../../presets/node-compat/bundle.mjs"
);
const program = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "snapcell-embedded-"));
const data = join(folder, "data");
const store = ["--store", join(folder, "store")];
const bytes = Uint8Array.from({ length: 700 }, (_, i) => i * 7);

let wrong = 0;
function check(what, right, ...details) {
    if (right) return;
    wrong++;
    console.log([what, ...details].join("\n"));
}

function output(command, args, status = 0) {
    const { stdout, stderr, ...done } = spawnSync(command, args);
    if (done.error) throw done.error;
    if (done.status !== status)
        throw new Error(`${command} ${args.join(" ")}: status ${done.status}\n${stderr}`);
    return status === 0 ? stdout : stderr;
}

function writeFiles() {
    for (const name of ["page/deep", "empty"]) mkdirSync(join(data, name), { recursive: true });
    const files = {
        "index.html": "<h1>home</h1>\n",
        "page/index.html": "<p>zwölf</p>\n",
        "about.html": "<p>about</p>\n",
        "style.css": 'a::after { content: "\\\\\'`${x}</script>" }\n',
        "page/deep/bytes.png": bytes,
        "page/404.html": "nothing here\n",
        "none.txt": "",
        _headers: [
            "# of all",
            "/*",
            "  X-One: 1",
            "/page/*",
            "  X-One: 2",
            "  X-Path: :splat",
            "  cache-control: no-store",
            "/page/deep/:name",
            "  ! X-One",
            "  X-Name: :name",
        ].join("\n"),
        _redirects: "/old/* /new/:splat 301\n/there /about 200\n",
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(data, name), content);
}

// --- node:fs ---

const reader = `
    import fs, { createReadStream, readFileSync } from "node:fs";
    import { readFile, readdir, open, stat } from "node:fs/promises";
    const root = ${JSON.stringify(data)};
    const later = (name, ...args) => new Promise(resolve =>
        fs[name](...args, (error, value) => resolve(error ? error.message : value)));
    const whole = async stream => { let text = ""; for await (const chunk of stream) text += chunk; return text; };
    const tries = {
        text: () => readFileSync(root + "/page/index.html", "utf8"),
        option: () => readFileSync(root + "/page/index.html", { encoding: "latin1" }),
        bytes: () => [...readFileSync(root + "/page/deep/bytes.png")],
        buffer: () => Buffer.isBuffer(readFileSync(root + "/none.txt")),
        url: () => readFileSync(new URL("file://" + root + "/style.css"), "utf8"),
        dots: () => readFileSync(root + "/page/../page/./deep/../index.html", "utf8"),
        callback: () => later("readFile", root + "/about.html", "utf8"),
        promise: () => readFile(root + "/about.html", "utf8"),
        stream: () => whole(createReadStream(root + "/style.css", "utf8")),
        part: () => whole(createReadStream(root + "/style.css", { encoding: "utf8", start: 2, end: 9 })),
        folder: () => readFileSync(root + "/page"),
        missing: () => readFileSync(root + "/page/nothing"),
        "missing, later": () => later("readFile", root + "/nothing"),
        exists: () => [root, root + "/page", root + "/page/", root + "/pag", root + "/none.txt"].map(fs.existsSync),
        readdir: () => fs.readdirSync(root + "/page").sort(),
        "readdir, types": () => fs.readdirSync(root + "/page", { withFileTypes: true })
            .map(entry => [entry.name, entry.parentPath, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]).sort(),
        "readdir, all": async () => (await readdir(root + "/page", { recursive: true })).sort(),
        "readdir of a file": () => fs.readdirSync(root + "/about.html"),
        stat: async () => { const s = await stat(root + "/style.css");
            return [s.isFile(), s.isDirectory(), s.size, s instanceof fs.Stats, s.mtime instanceof Date]; },
        "stat of a folder": () => fs.statSync(root + "/page").isDirectory(),
        "lstat, quiet": () => fs.lstatSync(root + "/x", { throwIfNoEntry: false }) === undefined,
        access: () => fs.accessSync(root + "/about.html", fs.constants.R_OK) === undefined,
        "access, missing": () => fs.promises.access(root + "/x"),
        realpath: () => fs.realpathSync(root + "/page/../about.html") === root + "/about.html",
        readlink: () => fs.readlinkSync(root + "/about.html"),
        handle: async () => { const file = await open(root + "/about.html");
            const buffer = Buffer.alloc(4); const { bytesRead } = await file.read(buffer, 0, 4, 1); await file.close();
            return [bytesRead, buffer.toString()]; },
        "open, read, close": () => { const fd = fs.openSync(root + "/about.html"); const buffer = Buffer.alloc(5);
            const counts = [fs.readSync(fd, buffer), fs.readSync(fd, buffer), fs.fstatSync(fd).size]; fs.closeSync(fd);
            return [...counts, buffer.toString()]; },
        "a bad path": () => readFileSync({}),
        "copy of nothing": () => fs.copyFileSync(root + "/x", root + "/y"),
    };
    export async function handler() {
        const told = {};
        for (const [name, call] of Object.entries(tries))
            try { told[name] = await call(); } catch (error) { told[name] = error.code + ": " + error.message; }
        return told;
    }`;

function readFiles() {
    const input = join(folder, "reads.mjs");
    const bundle = join(folder, "reads.js");
    writeFileSync(input, reader);
    const script = `console.log(JSON.stringify(await (await import(${JSON.stringify(input)})).handler()))`;
    const expected = JSON.parse(output(process.execPath, ["--input-type=module", "-e", script]));
    output(process.execPath, [bundler, input, bundle, "--files", `${data}=${data}`]);
    output(program, ["compile", ...store, "--strict", bundle]);
    const got = JSON.parse(output(program, ["run", ...store, "reads", "--event", "{}"]));
    for (const [name, value] of Object.entries(expected))
        check(
            `fs, ${name}`,
            JSON.stringify(got[name]) === JSON.stringify(value),
            `  Node:     ${JSON.stringify(value)}`,
            `  snapcell: ${JSON.stringify(got[name])}`
        );
}

// --- ASSETS ---

function served(name, args) {
    const bundle = join(folder, `${name}.js`);
    output(process.execPath, [bundler, join(folder, "serves.mjs"), bundle, ...args]);
    output(program, ["compile", ...store, "--strict", bundle, "--warm", "/about"]);
    return (path, ...more) => {
        const text = output(program, ["run", ...store, "-i", name, path, ...more]).toString(
            "latin1"
        );
        const [head, ...body] = text.replaceAll("\r\n", "\n").split("\n\n");
        const [first, ...lines] = head.split("\n");
        const headers = Object.fromEntries(lines.map(line => line.split(": ")));
        return { status: Number(first.split(" ")[1]), headers, body: body.join("\n\n") };
    };
}

function serveFiles() {
    writeFileSync(
        join(folder, "serves.mjs"),
        `import { env as everywhere } from "cloudflare:workers";
        export default { async fetch(request, env) {
            if (request.headers.has("x-ask")) return everywhere.ASSETS.fetch(new URL(request.headers.get("x-ask"), request.url), request);
            return new Response("function " + (await env.ASSETS.fetch(request)).status);
        } };`
    );
    const get = served("serves", ["--assets", data]);
    const is = (path, status, body, ...more) => {
        const got = get(path, ...more);
        check(
            `GET ${path} ${more}`,
            got.status === status && got.body === body,
            JSON.stringify(got)
        );
        return got.headers;
    };
    is("/", 200, "<h1>home</h1>\n");
    const { etag, ...about } = is("/about", 200, "<p>about</p>\n");
    check("type", about["content-type"] === "text/html; charset=utf-8", JSON.stringify(about));
    check("304", get("/about", "-H", `If-None-Match: W/"x", ${etag}`).status === 304);
    check("HEAD", get("/about", "-X", "HEAD").headers["content-length"] === "13");
    check("about.html", is("/about.html?a=b", 307, "").location === "/about?a=b");
    check("a folder", is("/page", 307, "").location === "/page/");
    check("a folder's page", is("/page/index.html", 307, "").location === "/page/");
    is("/page/", 200, Buffer.from("<p>zwölf</p>\n").toString("latin1"));
    const png = is("/page/deep/bytes.png", 200, Buffer.from(bytes).toString("latin1"));
    check("type of an image", png["content-type"] === "image/png");
    check(
        "_headers",
        png["x-path"] === "deep/bytes.png" && png["x-name"] === "bytes.png" && !png["x-one"],
        JSON.stringify(png)
    );
    check("_headers of a folder", get("/page/").headers["x-one"] === "1, 2");
    check("_headers over the usual ones", png["cache-control"] === "no-store");
    check("_redirects", is("/old/a/b?c", 301, "").location === "/new/a/b?c");
    is("/there", 200, "<p>about</p>\n");
    is("/_redirects", 200, "function 404");
    is("/none.txt", 200, "");
    is("/_headers", 200, "function 404");
    is("/page/x", 200, "function 404");
    is("/about", 200, "function 405", "-X", "POST", "-d", "a=b");
    is("/elsewhere", 200, "<p>about</p>\n", "-H", "x-ask: /about");
    is("/elsewhere", 404, "", "-H", "x-ask: /toString");
}

// The top level of a snapshot has an env if the build says which.
function envOfBuild() {
    const input = join(folder, "env.mjs");
    const bundle = join(folder, "env.js");
    writeFileSync(
        input,
        `import { env, waitUntil } from "cloudflare:workers";
        const early = Object.entries(env).join() + ("A" in env) + env.B;
        export default { fetch: (request, given) => new Response([early, env.B, env === given, typeof waitUntil].join(" ")) };`
    );
    output(process.execPath, [bundler, input, bundle, "--env", '{"A":"a"}']);
    output(program, ["compile", ...store, "--strict", bundle, "--warm", "/"]);
    const answer = output(program, ["run", ...store, "env", "/", "-e", "B=b"]).toString();
    check("the env of the build", answer === "A,atrueundefined b false function", answer);
    const refused = output(process.execPath, [bundler, input, bundle, "--env", "A=a"], 2);
    check("an env that is no JSON", /an object in JSON/.test(refused), refused);
}

function badOptions() {
    writeFileSync(join(data, "_headers"), "  X: before any path\n");
    const args = [bundler, join(folder, "serves.mjs"), join(folder, "x.js"), "--assets", data];
    const wrongRule = output(process.execPath, args, 1);
    check("_headers without a path", /_headers: "X: before any path"/.test(wrongRule), wrongRule);
    const told = output(
        process.execPath,
        [bundler, join(folder, "serves.mjs"), join(folder, "x.js"), "--files", "relative=x"],
        2
    );
    check("a relative place", /must start with a slash/.test(told), told);
}

try {
    writeFiles();
    readFiles();
    serveFiles();
    envOfBuild();
    badOptions();
} catch (error) {
    check(error.message, false);
}
rmSync(folder, { recursive: true });
console.log(`embedded files: ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
