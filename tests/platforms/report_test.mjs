// The table of what tests gave in emulators: what counts as passed, as failed, and as a limit of the emulation.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { commandLine, endedIn, inTurns } from "./plan.mjs";
import { checksOf, componentsOf, namesOf, outcomeOf, resultsIn, summaryOf } from "./report.mjs";

const limits = [{ place: "processes", output: "no seccomp", reason: "no sandbox" }];

test("a test that did not pass has failed, unless a limit of that place explains it", () => {
    const result = (status, output) => ({ name: "check_a", status, output });
    assert.equal(outcomeOf("processes", result(0, "no seccomp"), limits), "passed");
    assert.equal(outcomeOf("processes", result(1, "it has no seccomp"), limits), "no sandbox");
    assert.equal(outcomeOf("machine", result(1, "it has no seccomp"), limits), "failed");
});

test("a test that came to no end is neither passed nor failed", () => {
    const result = status => ({ name: "check_a", status, output: "no seccomp", seconds: "60" });
    for (const status of [124, 137])
        assert.equal(outcomeOf("processes", result(status), limits), "not finished in 60 s");
    assert.match(outcomeOf("machine", result(undefined), limits), /^not finished in the time/);
    assert.match(outcomeOf("machine", { name: "check_a" }, limits), /^not begun/);
});

test("what was planned is in the report, also when the run ended before it", t => {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-report-"));
    t.after(() => rmSync(folder, { recursive: true }));
    assert.deepEqual(resultsIn(folder), []);
    const names = ["check_a", "check_b", "check_c"];
    writeFileSync(join(folder, "planned"), JSON.stringify({ names, seconds: "60" }));
    writeFileSync(join(folder, "list"), "check_a 1\n");
    writeFileSync(join(folder, "check_a.out"), "said");
    writeFileSync(join(folder, "check_b.out"), "begun");
    assert.deepEqual(resultsIn(folder), [
        { name: "check_a", seconds: "60", output: "said", status: 1 },
        { name: "check_b", seconds: "60", output: "begun", status: undefined },
        { name: "check_c", seconds: "60", output: undefined, status: undefined },
    ]);
});

test("components take turns", () => {
    const components = new Map(Object.entries({ a1: "a", a2: "a", a3: "a", b1: "b", c1: "c" }));
    assert.deepEqual(inTurns(["a1", "a2", "a3", "b1", "c1"], components), [
        "a1",
        "b1",
        "c1",
        "a2",
        "a3",
    ]);
    assert.deepEqual(inTurns([], components), []);
});

test("a run that goes on leaves out what has ended", t => {
    const folder = mkdtempSync(join(tmpdir(), "snapcell-plan-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const list = join(folder, "list");
    assert.deepEqual(endedIn(list), new Set());
    writeFileSync(list, "check_a 0\ncheck_c 124\n");
    assert.deepEqual(endedIn(list), new Set(["check_a", "check_c"]));
});

test("a command runs its test in a folder, for so long, unless the time is up", t => {
    const results = mkdtempSync(join(tmpdir(), "snapcell-plan-"));
    t.after(() => rmSync(results, { recursive: true }));
    const run = (name, words, seconds, until) => {
        const properties = [{ name: "ENVIRONMENT", value: ["SAID=it's"] }];
        const test = { name: `snapcell_${name}`, command: words, properties };
        const line = commandLine(test, results, seconds, until);
        return execFileSync("sh", ["-c", line], { encoding: "utf8" }).trim();
    };
    const words = ["sh", "-c", 'pwd; echo "$SAID"'];
    assert.equal(run("a", words, 60, 0), "snapcell_a 0");
    assert.equal(readFileSync(join(results, "snapcell_a.out"), "utf8"), "/tmp/snapcell_a\nit's\n");
    assert.equal(run("b", ["/usr/bin/qemu-aarch64-static", "false"], 60, 0), "snapcell_b 1");
    assert.equal(run("c", ["sleep", "60"], 1, 2 ** 31), "snapcell_c 124");
    assert.throws(() => run("d", ["true"], 60, 1), { status: 255 });
    assert.equal(
        readFileSync(join(results, "list"), "utf8"),
        "snapcell_a 0\nsnapcell_b 1\nsnapcell_c 124\n"
    );
});

test("a limit holds for the tests that it names", () => {
    const named = [{ place: "machine", tests: "^check_b$", reason: "a reason" }];
    assert.equal(
        outcomeOf("machine", { name: "check_b", status: 1, output: "" }, named),
        "a reason"
    );
    assert.equal(
        outcomeOf("machine", { name: "check_bc", status: 1, output: "" }, named),
        "failed"
    );
});

test("tests are counted by component and place, and named", () => {
    const outcome = (name, component, place, outcome) => ({ name, component, place, outcome });
    const outcomes = [
        outcome("check_b", "store", "machine", "failed"),
        outcome("check_a", "store", "machine", "passed"),
        outcome("check_a", "store", "processes", "passed"),
        outcome("check_c", "loader", "processes", "no sandbox"),
        outcome("check_c", "loader", "machine", "not finished in 60 s"),
    ];
    assert.deepEqual(summaryOf(outcomes).slice(2), [
        "| loader | a machine | 0 | 0 | 0 | 1 |",
        "| loader | processes | 0 | 0 | 1 | 0 |",
        "| store | a machine | 1 | 1 | 0 | 0 |",
        "| store | processes | 1 | 0 | 0 | 0 |",
    ]);
    assert.deepEqual(namesOf(outcomes).slice(2), [
        "| a machine | failed | check_b |",
        "| processes | no sandbox | check_c |",
        "| a machine | not finished in 60 s | check_c |",
        "| a machine | passed | check_a |",
        "| processes | passed | check_a |",
    ]);
});

test("of a program in which checks failed it is said how many passed", () => {
    const output = "Running suite(s): a\n89%: Checks: 37, Failures: 3, Errors: 1\n";
    assert.equal(checksOf(output), " (33 of 37)");
    assert.equal(checksOf("100%: Checks: 37, Failures: 0, Errors: 0\n"), "");
    assert.equal(checksOf("no checks"), "");
    const failed = {
        name: "check_a",
        checks: checksOf(output),
        place: "machine",
        outcome: "failed",
    };
    assert.equal(namesOf([failed])[2], "| a machine | failed | check_a (33 of 37) |");
});

test("a test's component is the folder that ctest runs it in", () => {
    const properties = [{ name: "WORKING_DIRECTORY", value: "/build/tests/store" }];
    const components = componentsOf({ tests: [{ name: "check_a", properties }] });
    assert.equal(components.get("check_a"), "store");
});

test("each limit of limits.json gives a reason, a place, and what it is recognized by", () => {
    const url = new URL("limits.json", import.meta.url);
    for (const { place, reason, output, tests } of JSON.parse(readFileSync(url, "utf8"))) {
        assert.ok(["processes", "machine"].includes(place));
        assert.ok(reason.length > 0);
        assert.ok(!reason.startsWith("not "));
        assert.ok(output ?? tests);
        for (const pattern of [output, tests]) if (pattern) new RegExp(pattern);
    }
});
