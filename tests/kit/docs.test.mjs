// What the documents show of the kit is run as it stands. A comment before a block says what it is:
//     <!-- kit -->                     sh, run in the document's folder
//     <!-- kit: NAME -->               a file
//     <!-- kit output: a line -->   what the sh block before it printed among others
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { hello, native, program, project, snapcell } from "./helper.mjs";

const docs = join(dirname(fileURLToPath(import.meta.url)), "../../docs");
const block = /^<!-- kit( output)?(?:: ([\w. -]+))? -->\n```(\w*)\n([^]*?)^```$/gm;
const blocksOf = file =>
    [...readFileSync(file, "utf8").matchAll(block)].map(([, output, name, , text]) => ({
        output,
        name,
        text,
    }));

// npx finds the program without looking into a registry; curl may not be there, and a port may be taken.
const commands = {
    npx: `#!/bin/sh\nshift\nexec "${program}" "$@"\n`,
    curl: `#!${process.execPath}
        const ask = left => fetch(process.argv.at(-1)).then(async answer => console.log(await answer.text()))
            .catch(() => (left > 0 ? setTimeout(ask, 100, left - 1) : process.exit(7)));
        ask(100);`,
};
const bin = project({});
for (const [name, text] of Object.entries(commands))
    writeFileSync(join(bin, name), text, { mode: 0o755 });

async function freePort() {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    return port;
}

// One shell for all blocks of a document; a line after each tells them apart.
const border = "--- the end of a block ---";

function run(text, cwd) {
    const env = {
        ...process.env,
        SNAPCELL: native,
        SNAPCELL_STORE: undefined,
        PATH: `${bin}:${process.env.PATH}`,
    };
    const options = { cwd, env, encoding: "utf8", timeout: 120_000 };
    const { status, stdout, stderr } = spawnSync("sh", ["-euc", text], options);
    assert.equal(status, 0, `${text}\n${stdout}${stderr}`);
    return stdout.split(`${border}\n`);
}

async function runDocument(file) {
    const folder = project({});
    const port = await freePort();
    const blocks = blocksOf(file).map(block => ({
        ...block,
        text: block.text.replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`),
    }));
    assert.ok(blocks.length > 0);
    for (const { name, output, text } of blocks)
        if (name && !output) writeFileSync(join(folder, name), text);
    const scripts = blocks.filter(({ name, output }) => !name && !output);
    const printed = run(scripts.map(({ text }) => `${text}\necho "${border}"\n`).join(""), folder);
    for (const [i, { output, text }] of blocks.entries()) {
        if (!output) continue;
        const before = blocks.slice(0, i).filter(block => scripts.includes(block)).length;
        const lines = printed[before - 1].split("\n");
        assert.ok(lines.includes(text.trim()), `${lines.join("\n")} has no line ${text}`);
    }
    return folder;
}

test("docs/kit.md", () => runDocument(join(docs, "kit.md")));

// The row of a command in the table of what --json prints.
function membersOf(command) {
    const text = readFileSync(join(docs, "kit.md"), "utf8");
    const row = text.split("\n").find(line => line.startsWith(`| \`${command}\` | one`));
    const [good] = row.split("|")[2].split("; or ");
    return [...good.matchAll(/`(\w+)`/g)].map(([, name]) => name).filter(name => name !== command);
}

test("what --json prints is what docs/kit.md lists", () => {
    const folder = project({ "index.js": hello });
    for (const [command, ...parameters] of [["build"], ["build"], ["check"], ["init", "new"]]) {
        const [line] = snapcell(folder, [command, "--json", ...parameters]).lines();
        assert.deepEqual(Object.keys(line).sort(), membersOf(command).sort());
    }
    const [{ name, entry, error, ...rest }] = snapcell(project({ "f.js": "throw 1" }), [
        "build",
        "--json",
    ]).lines();
    assert.deepEqual([name, entry, rest], ["f", "f.js", {}]);
    assert.deepEqual(Object.keys(error).slice(0, 2), ["code", "message"]);
});

test("docs/pipelines.md", async () => {
    const folder = await runDocument(join(docs, "pipelines.md"));
    // The workflow's steps that need no network.
    const workflow = readFileSync(join(folder, "workflow.yml"), "utf8");
    const steps = [...workflow.matchAll(/^ +run: ((?:npx snapcell|sh) .*)$/gm)];
    const [[, check], [, pipeline]] = steps;
    const keys = /name: The keys\n[^]*?run: \|\n((?: {10}.*\n)+)/.exec(workflow)[1];
    const [printed] = run(
        `cd shop
        SECRET=$(cat build-key) PUBLIC=$(cat build-key.pub)
        mkdir checkout && cp -R src package.json checkout && cp ../pipeline.sh checkout && cd checkout
        ${keys}
        ${check}
        test -s check.html
        KEY=build-key ${pipeline} 2>&1
        test -s out/shop.snapcell`,
        folder
    );
    assert.doesNotMatch(printed, /warning/);
    // What the job needs before them is there, also when the program comes from the cache.
    const cached = workflow.split("cache-hit")[0];
    assert.match(cached, /actions\/setup-node/);
    for (const name of ["snapcell", "snapcell-net", "snapcell-launch"])
        assert.match(cached, new RegExp(`^ +/opt/snapcell/build/${name}$`, "m"));
});

test("README.md", () => runDocument(join(docs, "../README.md")));
