// What packaging/manual reads of a help: options, values and their help; and that nothing is left out in silence.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
    brief,
    isRepeatable,
    kindOf,
    operandKind,
    readHelp,
} from "../../packaging/manual/help.mjs";

const folder = mkdtempSync(join(tmpdir(), "help-"));
const program = join(folder, "program");

// A program with one command, whose options are given.
function helpOf(options) {
    const command = `Usage: snapcell do [OPTIONS] REF\n\nDoes it.\n\n  a table\n\nOptions:\n${options}`;
    const all = "Usage: snapcell COMMAND\n\nText.\n\nCommands:\n  do         does it\n\nNotes.\n";
    writeFileSync(
        program,
        `#!/bin/sh\ncase $1 in\n--help) cat <<'END'\n${all}END\n;;\n--version) echo snapcell 1.2.3 ;;\n` +
            `do) cat <<'END'\n${command}END\n;;\nesac\n`
    );
    chmodSync(program, 0o755);
    return readHelp([program]);
}

try {
    const help = helpOf(
        "  -H, --header 'K: V'    a header; repeatable\n" +
            "      --raw              store uncompressed\n" +
            "      --policy keep|drop what is done\n" +
            "      --a-name-that-is-too-long N\n" +
            "                         its help\n" +
            "                         goes on\n"
    );
    assert.equal(help.version, "1.2.3");
    const [command] = help.commands;
    assert.equal(command.operands, "REF");
    assert.deepEqual(command.description, ["Does it.", "  a table"]);
    assert.deepEqual(
        command.options.map(({ short, name, value, help: lines }) => [
            short,
            name,
            value,
            lines.join("|"),
        ]),
        [
            ["H", "header", "'K: V'", "a header; repeatable"],
            [undefined, "raw", undefined, "store uncompressed"],
            [undefined, "policy", "keep|drop", "what is done"],
            [undefined, "a-name-that-is-too-long", "N", "its help|goes on"],
        ]
    );
    assert.ok(isRepeatable(command.options[0]));
    assert.equal(brief(command.options[3], 12), "its help...");
    assert.deepEqual(kindOf("keep|drop"), { words: ["keep", "drop"] });
    assert.deepEqual(kindOf("DIR"), { kind: "directory" });
    assert.deepEqual(operandKind(command), { kind: "name" });
    assert.throws(() => helpOf("  --crooked   text\n"), /not an option's line/);
} finally {
    rmSync(folder, { recursive: true });
}
console.log("help is read whole");
