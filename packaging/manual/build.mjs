// Writes manual pages, completions and the reference of all commands, from what the program says of itself.
//   node build.mjs OUT SUMMARY PROGRAM...
// OUT gets man1/, completions/ and commands.md; PROGRAM is snapcell, with an emulator before it where one is needed.
// With $SOURCE_DATE_EPOCH, that is the pages' date; else they have none, so that a build has no time in it.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bashCompletion } from "./bash.mjs";
import { fishCompletion } from "./fish.mjs";
import { readHelp } from "./help.mjs";
import { manPages } from "./man.mjs";
import { reference } from "./reference.mjs";
import { zshCompletion } from "./zsh.mjs";

function leadingOptions({ commands, notes }) {
    const text = notes.find(note => note.includes("before the command")) ?? "";
    const names = [...text.matchAll(/--([a-z-]+)/g)].map(([, name]) => name);
    const all = commands.flatMap(({ options }) => options);
    return [...new Set(names)].map(name => all.find(option => option.name === name));
}

function dateOf(epoch) {
    return epoch ? new Date(Number(epoch) * 1000).toISOString().slice(0, 10) : "";
}

function writeAll(folder, files) {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

const [out, summary, ...program] = process.argv.slice(2);
if (!program.length) {
    console.error("usage: build.mjs OUT SUMMARY PROGRAM...");
    process.exit(2);
}
const help = readHelp(program);
const leading = leadingOptions(help);
for (const folder of ["man1", "completions"])
    rmSync(join(out, folder), { recursive: true, force: true });
const pages = Object.entries(manPages(help, summary, dateOf(process.env.SOURCE_DATE_EPOCH)));
writeAll(
    join(out, "man1"),
    Object.fromEntries(pages.map(([name, text]) => [`${name}.gz`, gzipSync(text, { level: 9 })]))
);
writeAll(join(out, "completions"), {
    "snapcell.bash": bashCompletion(help, leading),
    _snapcell: zshCompletion(help, leading),
    "snapcell.fish": fishCompletion(help, leading),
});
writeAll(out, { "commands.md": reference(help) });
