// The table of what tests gave in emulators: what counts as passed, as failed, and as a limit of the emulation.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { checksOf, componentsOf, namesOf, outcomeOf, summaryOf } from "./report.mjs";

const limits = [
    { place: "processes", output: "no seccomp", reason: "no sandbox" },
    { place: "machine", status: [124], reason: "too slow" },
];

test("a test that did not pass has failed, unless a limit of that place explains it", () => {
    const result = (status, output) => ({ name: "check_a", status, output });
    assert.equal(outcomeOf("processes", result(0, "no seccomp"), limits), "passed");
    assert.equal(outcomeOf("processes", result(1, "it has no seccomp"), limits), "no sandbox");
    assert.equal(outcomeOf("machine", result(1, "it has no seccomp"), limits), "failed");
    assert.equal(outcomeOf("machine", result(124, ""), limits), "too slow");
    assert.equal(outcomeOf("processes", result(124, ""), limits), "failed");
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
    ];
    assert.deepEqual(summaryOf(outcomes).slice(2), [
        "| loader | processes | 0 | 0 | 1 |",
        "| store | a machine | 1 | 1 | 0 |",
        "| store | processes | 1 | 0 | 0 |",
    ]);
    assert.deepEqual(namesOf(outcomes).slice(2), [
        "| a machine | failed | check_b |",
        "| processes | no sandbox | check_c |",
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
    for (const { place, reason, output, status, tests } of JSON.parse(readFileSync(url, "utf8"))) {
        assert.ok(["processes", "machine"].includes(place));
        assert.ok(reason.length > 0);
        assert.ok(output ?? status ?? tests);
        for (const pattern of [output, tests]) if (pattern) new RegExp(pattern);
    }
});
