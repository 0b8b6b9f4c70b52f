// What the documents show of the kit is run as it stands. A comment before a block says what it is:
//     <!-- kit -->                     sh, run in the document's folder
//     <!-- kit: NAME -->               a file
//     <!-- kit output: last line -->   the end of what the sh block before it printed
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { native, program, project } from "./helper.mjs";

const docs = join(dirname(fileURLToPath(import.meta.url)), "../../docs");
const block = /^<!-- kit( output)?(?:: ([\w. -]+))? -->\n```(\w*)\n([^]*?)^```$/gm;
const blocksOf = file =>
    [...readFileSync(file, "utf8").matchAll(block)].map(([, output, name, language, text]) => ({
        output,
        name,
        language,
        text,
    }));

// npx finds the program without looking into a registry.
const prelude = `set -eu\nnpx() { test "$1" = snapcell; shift; "${program}" "$@"; }\n`;

function run(text, cwd) {
    const env = { ...process.env, SNAPCELL: native, SNAPCELL_STORE: undefined };
    const { status, stdout, stderr } = spawnSync("sh", ["-c", prelude + text], {
        cwd,
        env,
        encoding: "utf8",
    });
    assert.equal(status, 0, `${text}\n${stdout}${stderr}`);
    return stdout;
}

// A script of its own gets npx as a command.
const scripted = text => text.replace(/^set -eu$/m, prelude);

function runDocument(file) {
    const folder = project({});
    let printed = "";
    for (const { output, name, language, text } of blocksOf(file)) {
        if (output) assert.equal(printed.trim().split("\n").at(-1), text.trim());
        else if (name) writeFileSync(join(folder, name), language === "sh" ? scripted(text) : text);
        else printed = run(text, folder);
    }
    return folder;
}

test("docs/kit.md", () => void runDocument(join(docs, "kit.md")));

test("docs/pipelines.md", () => {
    const folder = runDocument(join(docs, "pipelines.md"));
    // The workflow's steps that need no network.
    const steps = [
        ...readFileSync(join(folder, "workflow.yml"), "utf8").matchAll(
            /^ +run: ((?:npx snapcell|sh) .*)$/gm
        ),
    ];
    const [[, check], [, pipeline]] = steps;
    assert.equal(pipeline, "sh pipeline.sh out", "which the document shows to work");
    run(`cd shop\n${check}\ntest -s check.html`, folder);
});

test("README.md", () => void runDocument(join(docs, "../README.md")));
