// What functions of one author share: how small a store of siblings could be, and what that would cost a load.
//
//   node bench/siblings.mjs PROGRAM COUNT BUNDLE...
//
// Of each bundle COUNT siblings are made that differ in a constant of some 350 bytes, and compiled without compression.
// Their artifacts are then compressed alone, with a dictionary trained on a few of them, as a difference to the first
// one, and in chunks cut where the content says so, each kept once; compared with artifacts as they are. Needs zstd's
// program. Sizes are exact; times are zstd's own, in one run, and good for ratios alone.
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

const LEVEL = "-9";
const DICTIONARY_SIZES = [112640, 1 << 20];
const TRAINED_ON = 8;
const ROUNDS = 15;
const CHUNK_MASK = 0x1fff; // 8 KiB on average

const [, , program, countText, ...bundles] = process.argv;
const count = Number(countText);
if (!program || !(count > TRAINED_ON) || bundles.length === 0) {
    console.error(
        `usage: node siblings.mjs PROGRAM COUNT BUNDLE..., with COUNT above ${TRAINED_ON}`
    );
    process.exit(2);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "siblings-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

const run = (command, args) =>
    execFileSync(command, args, {
        cwd: folder,
        maxBuffer: 1 << 30,
        stdio: ["ignore", "pipe", "pipe"],
    });
const sizeOf = names =>
    names.reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);

// A generator with a fixed seed: the same siblings each time.
function texts() {
    let state = 1;
    const next = () => (state = (state * 1103515245 + 12345) % 2147483648);
    return length => Array.from({ length }, () => ((next() >> 8) % 36).toString(36)).join("");
}

function makeSiblings(bundle) {
    const text = texts();
    const source = fs.readFileSync(bundle, "utf8");
    for (let i = 0; i < count; i++) {
        const constant = JSON.stringify({
            tenant: text(12),
            title: text(40),
            token: text(64),
            greeting: text(160),
        });
        fs.writeFileSync(
            path.join(folder, `f${i}.js`),
            `const SIBLING = ${constant};\nglobalThis.sibling = () => SIBLING;\n${source}`
        );
    }
    const names = Array.from({ length: count }, (_, i) => `f${i}`);
    const sources = names.map(name => `${name}.js`);
    const store = `store-${path.basename(bundle)}`;
    const lines = run(program, ["compile", "--json", "--store", `${store}-today`, ...sources])
        .toString()
        .trim();
    const today = lines.split("\n").reduce((sum, line) => sum + JSON.parse(line).artifact_bytes, 0);
    run(program, ["compile", "--raw", "--store", store, ...sources]);
    for (const name of names)
        run(program, ["export", "--force", "--store", store, name, `${name}.raw`]);
    return { files: names.map(name => `${name}.raw`), today };
}

// --- Ways to keep them

function plain(files) {
    run("zstd", ["-q", "-f", LEVEL, ...files]);
    return sizeOf(files.map(file => `${file}.zst`));
}

function withDictionary(files, size) {
    const trained = files.slice(0, TRAINED_ON);
    run("zstd", [
        "-q",
        "-f",
        "--train",
        "-B16384",
        `--maxdict=${size}`,
        "-o",
        "dictionary",
        ...trained,
    ]);
    run("zstd", ["-q", "-f", LEVEL, "-D", "dictionary", ...files]);
    return sizeOf([...files.map(file => `${file}.zst`), "dictionary"]);
}

function asDifferences(files) {
    run("zstd", ["-q", "-f", LEVEL, files[0]]);
    for (const file of files.slice(1))
        run("zstd", ["-q", "-f", LEVEL, `--patch-from=${files[0]}`, file, "-o", `${file}.patch`]);
    return sizeOf([files[0], ...files.slice(1).map(file => `${file}.patch`)]);
}

// Cut where a rolling sum of the last 64 bytes ends in zeros.
function chunksOf(bytes) {
    const chunks = [];
    let hash = 0;
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
        hash = ((hash << 1) + Math.imul(bytes[i] + 1, 0x9e3779b1)) | 0;
        if (i - start < 2048 || (((hash >>> 15) & CHUNK_MASK) !== 0 && i - start < 65536)) continue;
        chunks.push(bytes.subarray(start, i));
        start = i;
    }
    chunks.push(bytes.subarray(start));
    return chunks;
}

function asChunks(files) {
    const seen = new Set();
    const names = [];
    let references = 0;
    for (const file of files)
        for (const chunk of chunksOf(fs.readFileSync(path.join(folder, file)))) {
            const digest = crypto.createHash("sha256").update(chunk).digest("hex");
            references++;
            if (seen.has(digest)) continue;
            seen.add(digest);
            names.push(`${digest}.chunk`);
            fs.writeFileSync(path.join(folder, `${digest}.chunk`), chunk);
        }
    for (let i = 0; i < names.length; i += 500)
        run("zstd", ["-q", "-f", "--rm", LEVEL, ...names.slice(i, i + 500)]);
    return sizeOf(names.map(name => `${name}.zst`)) + references * 16;
}

// --- What a load would take

// Microseconds to decode one file, by zstd's own benchmark.
function decodeTime(file, more = []) {
    const text = run("zstd", ["-b9", "-i1", "-q", ...more, file]).toString();
    const speed = Number(
        /([\d.]+) MB\/s *$/m.exec(text.trim())?.[1] ?? /, *([\d.]+) MB\/s/.exec(text)?.[1]
    );
    return sizeOf([file]) / speed;
}

// A whole process for each, since zstd's benchmark knows no differences.
function processTime(args) {
    const times = [];
    for (let i = 0; i < ROUNDS; i++) {
        const start = process.hrtime.bigint();
        run("zstd", args);
        times.push(Number(process.hrtime.bigint() - start) / 1000);
    }
    return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

function measure(bundle) {
    const { files, today } = makeSiblings(bundle);
    const last = files[files.length - 1];
    const alone = plain(files);
    const aloneTime = decodeTime(last);
    const lines = [
        ["raw", sizeOf(files), NaN],
        ["as they are", today, NaN],
        ["alone", alone, aloneTime],
    ];
    for (const size of DICTIONARY_SIZES) {
        const kept = withDictionary(files, size);
        lines.push([
            `dictionary of ${size >> 10} KiB`,
            kept,
            decodeTime(last, ["-D", "dictionary"]),
        ]);
    }
    lines.push(["difference to the first*", asDifferences(files), NaN]);
    lines.push(["chunks", asChunks(files), NaN]);
    console.log(`\n${path.basename(bundle)}, ${count} siblings`);
    for (const [what, size, us] of lines)
        console.log(
            `  ${what.padEnd(26)} ${(size / count / 1000).toFixed(1).padStart(8)} KB each` +
                ` ${(size / today).toFixed(2).padStart(6)} of what they take` +
                (us > 0 ? `  decoded in ${(us / aloneTime).toFixed(2)} of the time alone` : "")
        );
    console.log("  * which is kept raw, so that it is at hand without decoding");
    const whole = processTime(["-q", "-f", "-d", "-o", "out", `${files[0]}.zst`]);
    const from = `--patch-from=${files[0]}`;
    const patch = processTime(["-q", "-f", "-d", from, "-o", "out", `${last}.patch`]);
    console.log(
        `  a difference decoded in ${(patch / whole).toFixed(2)} of a process's time for one alone`
    );
}

for (const bundle of bundles) measure(path.resolve(bundle));
