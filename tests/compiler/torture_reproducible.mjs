// Builds each bundle of a folder again and again, each time in another folder, as another user (where root can), with
// another environment, time zone and mask, with and without address randomization, and compares the artifacts' bytes
// with those of the first build.
//   torture_reproducible.mjs SNAPCELL BUNDLES [--count N]
import { spawnSync } from "node:child_process";
import { createHash, randomBytes, randomInt } from "node:crypto";
import {
    chmodSync,
    chownSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const [snapcell, bundles, option, number] = process.argv.slice(2);
if (!bundles || (option && option !== "--count")) {
    console.error("usage: torture_reproducible.mjs SNAPCELL BUNDLES [--count N]");
    process.exit(2);
}
const count = Number(number ?? 2);
const zones = ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Chatham", ":nowhere"];
const root = mkdtempSync(join(tmpdir(), "torture-reproducible."));
chmodSync(root, 0o755);

const pick = list => list[randomInt(list.length)];

function environment() {
    const env = {
        PATH: process.env.PATH,
        TZ: pick(zones),
        LANG: pick(["C", "tr_TR.UTF-8", "de_DE"]),
    };
    // Of another size each time: it moves the stack.
    for (let i = randomInt(50); i > 0; i--)
        env[`V${randomBytes(4).toString("hex")}`] = randomBytes(randomInt(1, 200)).toString("hex");
    return env;
}

// Root can build as anyone, where others may reach the program: not below a home that is closed to them.
const asOthers =
    process.getuid() === 0 &&
    spawnSync(resolve(snapcell), ["--version"], { uid: 1000 }).status === 0;
if (!asOthers) console.error("every build is by the same user");

// The artifact's hash.
function build(path, round) {
    const folder = join(root, randomBytes(randomInt(1, 60)).toString("hex"));
    const bundle = join(folder, basename(path));
    mkdirSync(folder);
    copyFileSync(path, bundle);
    if (existsSync(`${path}.map`)) copyFileSync(`${path}.map`, `${bundle}.map`);
    const user = asOthers && round % 2 === 1 ? randomInt(1000, 60000) : process.getuid();
    if (user !== process.getuid()) chownSync(folder, user, user);
    const plain = round % 3 === 2 ? ["setarch", "--addr-no-randomize"] : [];
    const run = (...args) => {
        const [command, ...rest] = [...plain, resolve(snapcell), ...args];
        const made = spawnSync(command, rest, {
            cwd: folder,
            env: environment(),
            uid: user,
            encoding: "utf8",
        });
        if (made.status !== 0) throw new Error(`${args.join(" ")}: ${made.error ?? made.stderr}`);
    };
    run(
        "compile",
        "--store",
        "store",
        "--name",
        "fn",
        "--warm",
        "/",
        pick([bundle, basename(path)])
    );
    run("export", "--store", "store", "fn", "artifact");
    const hash = createHash("sha256")
        .update(readFileSync(join(folder, "artifact")))
        .digest("hex");
    rmSync(folder, { recursive: true });
    return hash;
}

function torture(name) {
    const path = join(bundles, name);
    const first = build(path, 0);
    let failures = 0;
    for (let round = 1; round <= count; round++) {
        if (build(path, round) === first) continue;
        failures++;
        console.error(`${name}: build ${round} gave other bytes`);
    }
    console.log(`the same bytes from each build of ${name}\t${count}\t${failures}`);
    return failures;
}

let failures = 0;
try {
    // The one that needs the functions of a host is left out.
    const names = readdirSync(bundles).filter(name => name.endsWith(".js") && name !== "embed.js");
    if (names.length === 0) throw new Error(`no bundles in ${bundles}`);
    for (const name of names) failures += torture(name);
} finally {
    rmSync(root, { recursive: true, force: true });
}
process.exit(failures === 0 ? 0 : 1);
