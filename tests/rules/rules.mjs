// The habits of this repository that a program can check: `node rules.mjs RULE`. Each rule takes
// [{ path, text }] and gives lines that say what is wrong; rules_self_test.mjs shows that it does.
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const libraries = [
    "snapshot-format",
    "process",
    "restore",
    "launcher",
    "sandbox",
    "store",
    "engine",
    "net",
    "oci",
    "compiler",
    "loader",
    "workers",
];
export const maxLines = 700;
export const maxColumns = 100;

// Dependencies point one way. The program uses the public headers, and two small helpers.
const mayInclude = {
    "snapshot-format": ["snapshot-format"],
    process: ["process", "engine", "snapshot-format"],
    restore: ["restore", "snapshot-format"],
    launcher: ["launcher", "restore"],
    sandbox: ["sandbox", "snapshot-format"],
    store: ["store", "snapshot-format"],
    engine: ["engine", "snapshot-format"],
    net: ["net", "process", "engine", "sandbox", "snapshot-format"],
    oci: ["oci", "net", "process", "engine", "snapshot-format"],
    compiler: ["compiler", "engine", "store", "sandbox", "process", "snapshot-format"],
    loader: ["loader", "engine", "store", "snapshot-format"],
    workers: [
        "workers",
        "loader",
        "process",
        "restore",
        "launcher",
        "engine",
        "net",
        "store",
        "sandbox",
        "snapshot-format",
    ],
    serve: [
        "serve",
        "workers",
        "loader",
        "net",
        "store",
        "sandbox",
        "process",
        "engine",
        "snapshot-format",
    ],
    cli: ["cli", "oci"],
};
// Whose inside is nobody else's, though its public headers may be used.
const closed = new Set(["loader", "compiler"]);
const helpers = new Set(["cleanup.h", "error_set.h", "monotonic.h", "process_limits.h"]);
// But for these, which others may use.
const seams = new Set(["cell_restore.h"]);
// What the program's commands use of a component that is no library.
const commands = new Set(["serve.h", "serve_config.h", "serve_phrase.h", "serve_source_message.h"]);
const homeOf = [
    { header: /^(lmdb\.h)$/, home: ["store"] },
    { header: /^(zstd|zdict|zstd_errors)\.h$/, home: ["snapshot-format"] },
    { header: /^curl\/.*$/, home: ["net"] },
    { header: /^(uv|llhttp)\.h$/, home: ["serve"] },
    { header: /^(v8(-[a-z0-9-]+)?\.h|libplatform\/.*|cppgc\/.*)$/, home: ["engine"] },
];

const componentOf = path => path.split("/")[0];
// Fuzz targets are next to what they fuzz, and are in no library.
const isFuzzTarget = ({ path }) => path.endsWith("_fuzz.c");
const isCode = ({ path }) => [".c", ".cc", ".h"].includes(extname(path));
const isPublic = path => path.includes("/include/snapcell/");

// The same text with comments and the insides of literals blanked; line breaks stay.
export function stripped(text) {
    const token = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
    return text.replace(token, found => {
        const blank = found.replace(/[^\n]/g, " ");
        return found.startsWith('"') ? `"${blank.slice(2)}"` : blank;
    });
}

function includesOf({ text }) {
    const lines = text.split("\n");
    return lines.flatMap((line, i) => {
        const match = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line);
        return match ? [{ name: match[1], line: i + 1 }] : [];
    });
}

const endsOrPrints = new RegExp(
    [
        "(?<![\\w.>])(?:std::)?(?:abort|exit|quick_exit|terminate|assert)\\s*\\(",
        "(?<![\\w.>])(?:perror|errx?|warnx?)\\s*\\(",
        "(?<![\\w.>])(?:std::)?(?:v?printf|puts|putchar)\\s*\\(",
        "\\b(?:v?fprintf|fputs|fputc|fwrite)\\s*\\([^;]*\\b(?:stderr|stdout)\\b",
        "\\b(?:dprintf|write)\\s*\\(\\s*(?:[12]|STD(?:OUT|ERR)_FILENO)\\s*,",
        "\\bstd::(?:cout|cerr|clog)\\b",
    ].join("|"),
    "g"
);

// Words that mark a translation, and what a native writer would put there. A space matches a line
// break within a comment, too.
const translated = [
    ["\\banew\\b", "again"],
    ["\\bfor ever\\b", "forever"],
    ["\\bwhoever\\b", "anyone who"],
    ["\\basked for\\b(?! its\\b| their\\b)", "requested"],
    ["(?<!-)(?<!\\b(?:leav|left|fall|fell|lag)[^.;]{0,60})\\bbehind\\b", "after, beyond"],
    ["\\bof what no\\b", "what no ..."],
    ["\\bmakes? of it\\b", "turns it into, reads it as"],
    ["\\bbelongs? into\\b", "belongs in"],
    ["\\bbeside\\b", "next to, in addition to"],
    ["\\bin the place of\\b", "instead of"],
    ["\\bstrangers' code\\b", "untrusted code"],
    ["\\bmend(?:s|ed|ing)?\\b", "fix"],
    ["\\bbut for\\b", "except for"],
    ["\\b(?:is|are|twice as) dear(?:er)?\\b", "expensive"],
    ["\\b(?:no|without|with) leave\\b", "permission"],
    ["\\b(?:has|have|had|gives?|by) (?:\\S+ ){0,2}leave\\b(?! \\w+ behind)", "permission"],
    [
        "\\b(?:artifact|blob|buffer|bytes|cell|fetch|handle|isolate|memory|object|page|snapshot)s?" +
            "(?: that)? (?:is|are|was|were|has|have) gone\\b",
        "freed, removed",
    ],
].map(([pattern, advice]) => [new RegExp(pattern.replaceAll(" ", "[\\s*/#]+"), "gi"), advice]);

export const rules = {
    includes(files) {
        const code = files.filter(isCode).filter(({ path }) => componentOf(path) in mayInclude);
        const byName = new Map(code.map(file => [basename(file.path), file]));
        const problems = [];
        for (const { path, text } of code.filter(file => !isFuzzTarget(file))) {
            const component = componentOf(path);
            for (const { name, line } of includesOf({ text })) {
                const target = byName.get(basename(name));
                const other = target && componentOf(target.path);
                const isInside =
                    closed.has(other) &&
                    other !== component &&
                    !isPublic(target.path) &&
                    !seams.has(basename(target.path));
                const allowed =
                    !target ||
                    (mayInclude[component].includes(other) && !isInside) ||
                    (component === "cli" &&
                        (isPublic(target.path) ||
                            helpers.has(basename(target.path)) ||
                            commands.has(basename(target.path))));
                if (!allowed)
                    problems.push(`${path}:${line}: ${component}/ must not include ${target.path}`);
                const place = homeOf.find(({ header }) => header.test(name));
                if (place && !place.home.includes(component))
                    problems.push(
                        `${path}:${line}: ${name} belongs in ${place.home.join(", ")}/ only`
                    );
            }
        }
        return [...problems, ...v8SeenByC(code, byName)];
    },

    names(files) {
        const code = files.filter(isCode).filter(({ path }) => !path.startsWith("tests/"));
        const seen = new Map();
        return code.flatMap(({ path }) => {
            const name = basename(path);
            const problems = [];
            if (!/^[a-z][a-z0-9_]*\.(c|cc|h)$/.test(name))
                problems.push(`${path}: a file's name is snake_case`);
            if (seen.has(name)) problems.push(`${path}: the name is taken by ${seen.get(name)}`);
            seen.set(name, path);
            return problems;
        });
    },

    // One way to write what stands everywhere.
    spellings(files) {
        const spellings = [
            [/\bsizeof (?!\()[^;]{0,20}/g, "write sizeof(x)"],
            [/\bclock_gettime\(CLOCK_MONOTONIC/g, "ask monotonic.h for the time", /^(?!tests\/)/],
            [/^ +int (?:code|rc|ret|err) = [^;]{0,30}/gm, "call a result's variable `status`"],
        ];
        return files
            .filter(isCode)
            .flatMap(({ path, text }) =>
                spellings
                    .filter(([, , where]) => !where || where.test(path))
                    .flatMap(([pattern, advice]) =>
                        matches(stripped(text), pattern).map(
                            ({ line, found }) => `${path}:${line}: ${advice}: ${found}`
                        )
                    )
            );
    },

    // Files of these components call each other one way.
    circles(files) {
        return [
            "process",
            "restore",
            "store",
            "compiler",
            "loader",
            "net",
            "workers",
            "serve",
        ].flatMap(component => {
            const own = files.filter(
                file =>
                    componentOf(file.path) === component &&
                    file.path.endsWith(".c") &&
                    !isFuzzTarget(file)
            );
            const calls = callsOf(own);
            return own
                .map(({ path }) => path)
                .filter(path => reaches(calls, path, path))
                .map(path => `${path}: calls what calls it, by way of other files: split them`);
        });
    },

    // Libraries never abort, exit or print. A forked child may end itself with _exit.
    quiet(files) {
        return inLibraries(files).flatMap(({ path, text }) => {
            const code = stripped(text);
            if (/^int main\(/m.test(code)) return []; // a tool of the build, in no library
            const problems = matches(code, endsOrPrints).map(
                ({ line, found }) =>
                    `${path}:${line}: a library never ends the process or prints: ${found}`
            );
            const forks = /\b(v?fork|clone3?)\s*\(/.test(code);
            const ends = forks ? [] : matches(code, /\b_exit\s*\(/g);
            return [
                ...problems,
                ...ends.map(({ line }) => `${path}:${line}: _exit() without fork()`),
            ];
        });
    },

    comments(files) {
        return files
            .filter(({ path }) => isPublic(path))
            .flatMap(({ path, text }) =>
                matches(text, /^SNAPCELL_API\b[^;]*;/gm).flatMap(({ index, line, found }) => {
                    const name = /\b(snapcell_\w+)\s*\(/.exec(found)?.[1] ?? found;
                    const comment =
                        /\/\*(?:(?!\*\/)[^])*\*\/\s*$/.exec(text.slice(0, index))?.[0] ?? "";
                    const said = comment.replace(/\n \*/g, " ").replace(/\s+/g, " ");
                    const wanted = {
                        "Purpose:": /\bPurpose:/,
                        "Thread:": /\bThread(:| and errors:)/,
                        "Errors:": /\b(Errors:|Thread and errors:)/,
                    };
                    return Object.entries(wanted)
                        .filter(([, pattern]) => !pattern.test(said))
                        .map(
                            ([word]) => `${path}:${line}: the comment of ${name} has no "${word}"`
                        );
                })
            );
    },

    sizes(files) {
        return files.flatMap(({ path, text }) => {
            const columns = columnsOf(path);
            if (!columns) return [];
            const lines = text.split("\n");
            const problems = lines.flatMap((line, i) => {
                const width = [...line].length;
                return width > columns && !loneRegExp.test(line)
                    ? [`${path}:${i + 1}: ${width} columns, ${columns} at most`]
                    : [];
            });
            if (lines.length > maxLines)
                problems.push(`${path}: ${lines.length} lines, ${maxLines} at most`);
            return problems;
        });
    },

    // Documents, comments and messages read as if written in English.
    prose(files) {
        const own = /^tests\/rules\/rules|\.(json|lock)$|^LICENSE/;
        return files
            .filter(({ path }) => !own.test(path))
            .flatMap(({ path, text }) =>
                translated.flatMap(([pattern, advice]) =>
                    matches(text, pattern).map(
                        ({ line, found }) => `${path}:${line}: "${found}": write "${advice}"`
                    )
                )
            );
    },

    // What is true of one machine alone, or names a registry, has no place here. (The patterns are
    // split, so as not to find themselves.)
    machines(files) {
        const patterns = [
            "/wo" + "rk/",
            "/ro" + "ot/",
            "/ho" + "me/[a-z]+/",
            "registry" + "\\.npmjs",
            "ruby" + "gems\\.org",
            '"resol' + 'ved":',
            "deb" + "\\.debian\\.org",
        ];
        const pattern = new RegExp(patterns.join("|"), "g");
        return files.flatMap(({ path, text }) =>
            matches(text, pattern).map(
                ({ line, found }) => `${path}:${line}: names a machine or registry: ${found}`
            )
        );
    },
};

// A header that sees V8 must not be seen by C, however many headers are between them.
function v8SeenByC(code, byName) {
    const seesV8 = new Map();
    function visit(file) {
        if (seesV8.has(file.path)) return seesV8.get(file.path);
        seesV8.set(file.path, false);
        const sees = includesOf(file).some(({ name }) => {
            const target = byName.get(basename(name));
            return homeOf.at(-1).header.test(name) || (target && visit(target));
        });
        seesV8.set(file.path, sees);
        return sees;
    }
    return code
        .filter(file => (extname(file.path) === ".c" || isPublic(file.path)) && visit(file))
        .map(({ path }) => `${path}: sees a header of V8; only C++ in engine/ may`);
}

// For each file, those whose functions it names. A definition begins its line; its brace another.
function callsOf(files) {
    const definition = /^(?!static\b|typedef\b)[a-z][\w \t*]*?\b(\w+)\([^;{}]*\)\s*\n\{/gm;
    const codes = new Map(files.map(({ path, text }) => [path, stripped(text)]));
    const homes = new Map();
    for (const [path, code] of codes)
        for (const [, name] of code.matchAll(definition)) homes.set(name, path);
    return new Map(
        [...codes].map(([path, code]) => {
            const words = [...code.matchAll(/\b\w+\b/g)].map(([word]) => homes.get(word));
            return [path, new Set(words.filter(home => home && home !== path))];
        })
    );
}

function reaches(calls, from, to, seen = new Set()) {
    return [...calls.get(from)].some(next => {
        if (next === to) return true;
        if (seen.has(next)) return false;
        seen.add(next);
        return reaches(calls, next, to, seen);
    });
}

function inLibraries(files) {
    const inLibrary = ({ path }) => libraries.includes(componentOf(path));
    return files.filter(isCode).filter(file => inLibrary(file) && !isFuzzTarget(file));
}

// A line of JavaScript that is a regular expression and no more: it has no place to break.
const loneRegExp = /^\s*\/(?!\/).*\/[dgimsuvy]*[,;)]*$/;

// How wide a file's lines may be; 0: as wide as they like.
function columnsOf(path) {
    const other = /\.([mc]?js|jsx|ts|rb|cmake)$|CMakeLists\.txt$|^(demo|test)$|^scripts\/[^.]+$/;
    if (isCode({ path })) return maxColumns;
    return other.test(path) && !path.startsWith("tests/") ? maxColumns + 20 : 0;
}

function matches(text, pattern) {
    return [...text.matchAll(pattern)].map(match => ({
        index: match.index,
        line: text.slice(0, match.index).split("\n").length,
        found: match[0].replace(/\s+/g, " ").trim(),
    }));
}

function repositoryFiles(folder = root) {
    const skipped = /^(\.git|build.*|node_modules|golden|corpora|corpus|wpt|snapcell-store)$/;
    const binary = /\.(snapcell|bin|mdb|png|zst|gem)$/;
    return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return skipped.test(entry.name) ? [] : repositoryFiles(path);
        if (!entry.isFile() || binary.test(entry.name)) return [];
        return [{ path: relative(root, path), text: readFileSync(path, "utf8") }];
    });
}

function main([wanted]) {
    if (!(wanted in rules)) {
        console.error(`usage: node rules.mjs ${Object.keys(rules).join("|")}`);
        process.exit(2);
    }
    const problems = rules[wanted](repositoryFiles());
    for (const problem of problems) console.log(problem);
    console.log(`${wanted}: ${problems.length} problems`);
    process.exitCode = problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
