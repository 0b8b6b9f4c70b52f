// `node check_manual.mjs DOCUMENTS PROGRAM`: each command has a manual page that says what its --help says, and its
// options in every completion. The help is read here in another way than by packaging/manual: as plain words.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [documents, program] = process.argv.slice(2);
const say = (...words) => spawnSync(program, words, { encoding: "utf8" }).stdout;
const wordsOf = text => text.split(/\s+/).filter(Boolean);

// The words that a reader of the page sees: without requests, fonts and escapes.
function shown(source) {
    return source
        .replace(/^\.(?:SH|TH) .*$/gm, "")
        .replace(/^\.(?:TP|PP|nf|fi)$/gm, "")
        .replace(/\\f[BIR]|\\&/g, "")
        .replace(/\\-/g, "-")
        .replace(/\\e/g, "\\");
}

function checkPage(name, help) {
    const file = join(documents, "man1", `${name}.1.gz`);
    const source = gunzipSync(readFileSync(file)).toString();
    assert.deepEqual(
        source
            .split("\n")
            .filter(line => /^[.']/.test(line) && !/^\.(TH|SH|TP|PP|nf|fi)\b/.test(line)),
        [],
        `${name}: no unknown requests`
    );
    const seen = wordsOf(shown(source));
    let at = 0;
    for (const word of wordsOf(
        help.replace(/^Usage: /, "").replace(/\n(Options|Commands):\n/, "\n")
    )) {
        const next = seen.indexOf(word, at);
        assert.ok(
            next >= 0,
            `${name}.1 lacks '${word}' after '${seen.slice(Math.max(0, at - 5), at).join(" ")}'`
        );
        at = next + 1;
    }
    const tail = seen.slice(at).join(" ");
    return tail;
}

const help = say("--help");
const commands = [...help.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name]) => name);
assert.ok(commands.length > 10, "the help lists commands");

const main = gunzipSync(readFileSync(join(documents, "man1/snapcell.1.gz"))).toString();
for (const word of wordsOf(help.replace(/^.*?\n\n/s, "").replace("Commands:", "")))
    assert.ok(shown(main).includes(word), `snapcell.1 lacks '${word}'`);

const completions = ["snapcell.bash", "_snapcell", "snapcell.fish"].map(name => [
    name,
    readFileSync(join(documents, "completions", name), "utf8"),
]);
for (const name of commands) {
    const text = say(name, "--help");
    const tail = checkPage(`snapcell-${name}`, text);
    assert.match(
        tail,
        /^0 done;.*snapcell\(1\)$/,
        `snapcell-${name}.1 ends with the exit statuses`
    );
    for (const [, option] of text.matchAll(/^ {2}(?:-\S,| {3}) --([a-z0-9-]+)/gm))
        for (const [file, completion] of completions)
            assert.match(
                completion,
                new RegExp(`(--|-l )${option}\\b`),
                `${file}: --${option} of ${name}`
            );
    for (const [file, completion] of completions)
        assert.match(completion, new RegExp(`\\b${name}\\b`), `${file}: ${name}`);
}
assert.deepEqual(
    readdirSync(join(documents, "man1")).sort(),
    ["snapcell.1.gz", ...commands.map(name => `snapcell-${name}.1.gz`)].sort()
);
console.log(`${commands.length} commands: each has its page, and its options in three shells`);
