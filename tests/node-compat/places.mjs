// Where a bundle did at top level what no snapshot can have is told with the place of the code that called Node's
// module, not with that of what stands in for it.
//   node places.mjs SNAPCELL
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const preset = join(dirname(fileURLToPath(import.meta.url)), "../../presets/node-compat");
const program = resolve(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), "snapcell-places-"));

// The line of the call is the third of each.
const calls = {
    "node:crypto's randomBytes": ["crypto", "randomBytes(8)"],
    "node:crypto's randomInt": ["crypto", "randomInt(1000)"],
    "node:crypto's randomUUID": ["crypto", "randomUUID()"],
    "node:crypto's generateKeySync": ["crypto", 'generateKeySync("hmac", { length: 64 })'],
};
const named = ([module, call]) =>
    `import { ${call.split("(")[0]} as called } from "node:${module}";\n\n` +
    `export const drawn = called(${call.slice(call.indexOf("(") + 1)};\n`;
const answers = 'export default { fetch: () => new Response("") };\n';

function run(command, ...args) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", cwd: folder });
    return { status, stdout, stderr };
}

function bundled(input, ...options) {
    const made = run(process.execPath, join(preset, "bundle.mjs"), input, "out.js", ...options);
    assert.equal(made.status, 0, made.stderr);
}

// What --strict and --explain tell of out.js.
function told() {
    const strict = run(program, "compile", "--store", "store", "--strict", "--json", "out.js");
    assert.equal(strict.status, 1, strict.stderr);
    const explained = run(
        program,
        "compile",
        "--store",
        "store",
        "--entropy",
        "fresh",
        "--explain",
        "--json",
        "out.js"
    );
    assert.equal(explained.status, 0, explained.stderr);
    const entropy = JSON.parse(explained.stdout).explain.causes.filter(
        ({ kind }) => kind === "entropy"
    );
    return { message: JSON.parse(strict.stdout).error.message, entropy };
}

try {
    mkdirSync(join(folder, "node_modules/draws"), { recursive: true });
    for (const [what, call] of Object.entries(calls)) {
        writeFileSync(join(folder, "own.mjs"), `${named(call)}${answers}`);
        writeFileSync(
            join(folder, "node_modules/draws/package.json"),
            '{ "name": "draws", "main": "index.mjs" }'
        );
        writeFileSync(join(folder, "node_modules/draws/index.mjs"), named(call));
        writeFileSync(
            join(folder, "imports.mjs"),
            `import "draws";\nimport { drawn } from "draws";\nglobalThis.kept = drawn;\n${answers}`
        );

        bundled("own.mjs", "--sourcemap");
        const own = told();
        assert.match(own.message, /\(own\.mjs:3:\d+\)/, what);
        assert.deepEqual(
            own.entropy.map(({ place }) => /^own\.mjs:3:\d+$/.test(place)),
            [true],
            what
        );

        bundled("imports.mjs", "--sourcemap");
        const imported = told();
        assert.match(imported.message, /\(node_modules\/draws\/index\.mjs:3:\d+\)/, what);
        assert.match(imported.entropy[0].advice, /the package draws does this/, what);

        // Without a source map the place is in the bundle: in the package's part of it.
        bundled("imports.mjs");
        assert.match(told().entropy[0].advice, /the package draws does this/, what);
    }

    // Code that only has a folder of such a name is its author's.
    mkdirSync(join(folder, "node-compat/modules"), { recursive: true });
    cpSync(join(folder, "own.mjs"), join(folder, "node-compat/modules/own.mjs"));
    writeFileSync(
        join(folder, "own.mjs"),
        `import { drawn } from "./node-compat/modules/own.mjs";\nglobalThis.kept = drawn;\n${answers}`
    );
    bundled("own.mjs", "--sourcemap");
    assert.match(told().message, /\(node-compat\/modules\/own\.mjs:3:\d+\)/);
    console.log(`${Object.keys(calls).length} ways to draw, each with its place`);
} finally {
    rmSync(folder, { recursive: true });
}
