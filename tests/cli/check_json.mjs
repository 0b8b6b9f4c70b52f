// What docs/json.md says of each command's JSON and of exit statuses, against the program. A row of a table there has a
// case of the same name here, which gives the objects that the row is about.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.SNAPCELL;
const page = readFileSync(join(here, "../../docs/json.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "snapcell-json-"));
const env = { ...process.env, SNAPCELL_STORE: undefined, SNAPCELL_TRUST: undefined };

let count = 0;
let wrong = 0;
function check(what, good, detail = "") {
    if (!good) wrong++;
    console.log(`${good ? "ok" : "not ok"} ${++count} - ${what}`);
    if (!good && detail) console.log(`# ${detail.replaceAll("\n", "\n# ")}`);
}

// --- Running the program ---

let last;
function run(...parameters) {
    last = spawnSync(program, parameters, { cwd: folder, env, encoding: "utf8" });
    return last;
}

function parsed(text, parameters) {
    try {
        const whole = text.trim();
        return whole.includes("\n") && !whole.startsWith("[")
            ? whole.split("\n").map(line => JSON.parse(line))
            : [JSON.parse(whole)].flat();
    } catch {
        throw new Error(`${parameters.join(" ")}: not JSON: ${text}${last.stderr}`);
    }
}

const json = (...parameters) => parsed(run(...parameters, "--json").stdout, parameters);
const write = (name, text) => writeFileSync(join(folder, name), text);

write("good.js", `export default { fetch: () => new Response("good") };`);
write("other.js", `export default { fetch: () => new Response("other") };`);
write("throws.js", `throw new TypeError("at the top");`);
write("waits.js", `await new Promise(done => setInterval(() => {}, 10));`);
write("wrong.json", `{ "functions": 5 }`);
write("fails.js", `export default { fetch() { throw new Error("later"); } };`);
write("endless.js", `export default { fetch() { for (;;); } };`);
write(
    "kept.js",
    `export const kept = new WebAssembly.Memory({ initial: 1 });
    export default { fetch: () => new Response("kept") };`
);
write(
    "asks.js",
    `const now = Date.now(); export default { fetch: () => new Response(String(now)) };`
);
run("keygen", "key");
run("compile", "good.js", "fails.js", "endless.js", "--sign", "key");
run("compile", "other.js", "--name", "unsigned");

// A copy of the store in which an artifact's bytes are not what they were.
function damage(name) {
    run("backup", name);
    const file = join(folder, name, "data.mdb");
    const bytes = readFileSync(file);
    const zstd = bytes.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    bytes[zstd + 200] ^= 255;
    writeFileSync(file, bytes);
}

// --- The registry ---

const registry = spawn(process.execPath, [join(here, "registry_stand_in.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
});
const [ports] = await once(registry.stdout, "data");
const reference = `oci://127.0.0.1:${String(ports).split(" ")[0]}/ok/app`;
const remote = ["--plain-http"];

// --- What rows are about ---

const explained = name => json("compile", name, "--explain")[0].explain;
const cases = {
    // In an order in which what one needs was made by those before it.
    "`compile`": () => json("compile", "good.js", "--sign", "key"),
    "`compile`, a bundle that failed": () => json("compile", "throws.js"),
    "`compile`, its `error`": () => [json("compile", "throws.js")[0].error],
    "`compile --explain`, its `explain`": () => [explained("kept.js")],
    "`compile --explain`, one of its `causes`": () => explained("kept.js").causes,
    "`compile --explain`, one of its `uses`": () => explained("asks.js").uses,
    "`run --timings`": () => [JSON.parse(run("run", "good", "--timings").stderr)],
    "`ls`": () => json("ls"),
    "`show`": () => json("show", "good"),
    "`show`, its `signature`": () => [json("show", "good")[0].signature],
    "`verify`": () => json("verify"),
    "`verify`, its `signed_by`": () => [json("verify", "good", "--trust", "key.pub")[0].signed_by],
    "`verify`, its `error`": () => [json("verify", "unsigned", "--trust", "key.pub")[0].error],
    "`stat`": () => json("stat"),
    "`engine`": () => json("engine"),
    "`engine`, its `sandbox`": () => [json("engine")[0].sandbox],
    "`history`": () => json("history", "good"),
    "`sign`": () => json("sign", "good", "--sign", "key"),
    "`keygen`": () => json("keygen", "another"),
    "`rebuild`": () => json("rebuild", "good"),
    "`rebuild`, one of its `differences`": () =>
        json("rebuild", "good", "--from", "other.js")[0].differences,
    "`recompile`": () => json("recompile", "good"),
    "`export`": () => json("export", "good", "good.snap"),
    "`export --oci`": () => json("export", "--oci", "layout", "good"),
    "`import`": () => [
        ...json("import", "good.snap", "--store", "imported"),
        ...json("import", "good.snap", "good.snap", "--store", "imported"),
        ...json("import", "--oci", "layout", "--store", "imported"),
    ],
    "`backup`": () => json("backup", "backup"),
    "`salvage`": () => json("salvage", "--to", "salvaged"),
    "`salvage`, one of its `artifacts`": () => json("salvage", "--to", "salvaged1")[0].artifacts,
    "`salvage`, one of its `names`": () => json("salvage", "--to", "salvaged2")[0].names,
    "`salvage`, one of its `releases`": () => {
        run("release", "create", "zero");
        return json("salvage", "--to", "salvaged3")[0].releases;
    },
    "`push`": () => json("push", "good", reference, ...remote),
    "`push`, one of its `functions`": () => json("push", "good", reference, ...remote)[0].functions,
    "`ls REGISTRY`": () => json("ls", reference, ...remote),
    "`ls REGISTRY:TAG`": () => json("ls", `${reference}:latest`, ...remote),
    "`pull`": () => json("pull", reference, ...remote, "--store", "pulled"),
    "`pull`, one of its `functions`": () =>
        json("pull", reference, ...remote, "--store", "pulled")[0].functions,
    "`copy`": () => json("copy", reference, `${reference}2`, ...remote),
    "`release create`": () => json("release", "create", "one"),
    "`release activate`, `rollback`, `pin`, `unpin`, `rm`": () => [
        ...json("release", "activate", "one"),
        ...(run("release", "create", "two", "--activate"), json("release", "rollback")),
        ...json("release", "pin", "two"),
        ...json("release", "unpin", "two"),
        ...json("release", "rm", "two"),
    ],
    "`release ls`": () => json("release", "ls"),
    "`release ls RELEASE`": () => json("release", "ls", "one"),
    "`release ls --history`": () => json("release", "ls", "--history"),
    "`release diff`": () => {
        run("release", "create", "least", "good");
        return json("release", "diff", "one", "least");
    },
    "`release keep`": () => json("release", "keep"),
    "`rm`": () => [...json("rm", "unsigned", "--store", "backup"), ...json("rm", "nothing")],
    "`gc`": () => json("gc"),
};

// --- The page ---

const tableOf = name =>
    page
        .split(`<!-- ${name} -->\n`)[1]
        .split("\n\n")[0]
        .split("\n")
        .slice(2)
        .map(line =>
            line
                .split(/(?<!\\)\|/)
                .slice(1, -1)
                .map(cell => cell.trim())
        );

const wordsOf = text => [...text.matchAll(/`(\w+)`/g)].map(([, word]) => word);

function membersOf(text) {
    const [always, perhaps = ""] = text.split("perhaps");
    return { always: wordsOf(always), perhaps: wordsOf(perhaps) };
}

const given = new Map();
for (const [name, give] of Object.entries(cases)) {
    try {
        const objects = give();
        given.set(name, { objects, text: `${JSON.stringify(objects)} ${last.stderr}` });
    } catch (error) {
        given.set(name, { objects: [], text: error.stack });
    }
}

const results = tableOf("results");
const compiled = results.find(([name]) => name === "`compile`")[2];
for (const [name, , members] of results) {
    const { always, perhaps } = membersOf(members === "as `compile`" ? compiled : members);
    const { objects, text } = given.get(name) ?? { objects: [], text: "there is no case for it" };
    const isRight = object =>
        always.every(key => Object.hasOwn(object, key)) &&
        Object.keys(object).every(key => [...always, ...perhaps].includes(key));
    check(name, objects.length > 0 && objects.every(isRight), text);
}
const rows = new Set(results.map(([name]) => name));
const unwritten = Object.keys(cases).filter(name => !rows.has(name));
check("each case is a row", unwritten.length === 0, unwritten.join());

// Every command that has the option is on the page.
const commands = run("help")
    .stdout.match(/^ {2}[a-z]+(?= {2,})/gm)
    .map(text => text.trim());
for (const name of commands) {
    if (!/^ {6}--json /m.test(run(name, "--help").stdout)) continue;
    const isThere = page.includes(`\n| \`${name}`) || page.includes(`\`${name} --json\``);
    check(`${name} is described`, isThere);
}

run("compile", "good.js", "--sign", "key");
run("compile", "other.js", "--name", "unsigned");
damage("damaged");
for (const [command, wanted] of tableOf("statuses")) {
    const { status, stdout, stderr } = run(...command.slice(1, -1).split(" "));
    check(`${command}: ${wanted}`, status === Number(wanted), `status ${status}: ${stderr}`);
    check(`${command} says something`, stdout + stderr !== "");
}

registry.stdin.end();
rmSync(folder, { recursive: true, force: true });
console.log(`1..${count}`);
process.exitCode = wrong === 0 ? 0 : 1;
