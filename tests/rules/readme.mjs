// Runs what the documents show. `node readme.mjs BUILD_DIR CC PREFIX FILE...`
//
// A fenced block is tested when an HTML comment stands right before it:
//     <!-- test -->        sh: run with `sh -eu`; c: compiled and linked with the installed library
//     <!-- test: NAME -->  written to the file NAME; C is compiled, too, to NAME without .c
//     <!-- output -->      must equal what the sh block before it printed on stdout, except
//                          blanks at the ends of lines
// The blocks of one document run in order in one fresh folder. The program, and what C blocks made,
// are on PATH.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export function blocksOf(markdown) {
    const fence =
        /^<!--\s*(test|output)(?::\s*([\w.-]+))?\s*-->\s*\n+^(`{3,})(\w*)[^\n]*\n([^]*?)^\3\s*$/gm;
    return [...markdown.matchAll(fence)].map(match => ({
        role: match[1],
        file: match[2],
        language: match[4],
        text: match[5],
        line: markdown.slice(0, match.index).split("\n").length,
    }));
}

function run(program, args, { cwd, env, input }) {
    const result = spawnSync(program, args, { cwd, env, input, encoding: "utf8" });
    if (result.error) throw result.error;
    if (result.status !== 0)
        throw new Error(`status ${result.status}\n${result.stdout}${result.stderr}`);
    return result.stdout;
}

function compileBlock({ text, file, language }, { cwd, env, compiler }) {
    const flags = run("pkg-config", ["--cflags", "--libs", "snapcell"], { cwd, env }).trim();
    const output = basename(file ?? "block.c", `.${language}`);
    const strict = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];
    const args = [...strict, "-x", "c", "-", "-x", "none", "-o", output, ...flags.split(/\s+/)];
    run(compiler, args, { cwd, env, input: text });
}

const trimmed = text => text.replace(/[ \t]+$/gm, "").trim();

function testBlock(block, place, previous) {
    if (block.role === "output") {
        if (trimmed(previous ?? "") !== trimmed(block.text))
            throw new Error(`the document says:\n${block.text}\nbut it printed:\n${previous}`);
        return previous;
    }
    if (block.file) writeFileSync(join(place.cwd, block.file), block.text);
    if (block.language === "c") compileBlock(block, place);
    else if (block.language === "sh") return run("sh", ["-eu"], { ...place, input: block.text });
    else if (!block.file) throw new Error(`a block in "${block.language}" cannot be run`);
    return previous;
}

function testDocument(file, { build, compiler, prefix }) {
    const cwd = mkdtempSync(join(tmpdir(), "snapcell-readme-"));
    const env = {
        ...process.env,
        PATH: `${build}:${cwd}:${process.env.PATH}`,
        PKG_CONFIG_PATH: [join(prefix, "lib/pkgconfig"), process.env.PKG_CONFIG_PATH].join(":"),
        LD_LIBRARY_PATH: join(prefix, "lib"),
    };
    delete env.SNAPCELL_STORE;
    const problems = [];
    let printed;
    const blocks = blocksOf(readFileSync(file, "utf8"));
    for (const block of blocks) {
        try {
            printed = testBlock(block, { cwd, env, compiler }, printed);
        } catch (error) {
            problems.push(`${file}:${block.line}: ${error.message}`);
        }
    }
    rmSync(cwd, { recursive: true });
    console.log(`${file}: ${blocks.length} blocks tested`);
    return problems;
}

const [build, compiler, prefix, ...files] = process.argv.slice(2);
const problems = files
    .filter(file => existsSync(file))
    .flatMap(file => testDocument(file, { build, compiler, prefix }));
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
