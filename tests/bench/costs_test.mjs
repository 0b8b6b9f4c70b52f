// bench/costs.mjs: what it prints, and how it fails; never a time.
//   node --test costs_test.mjs, with $SNAPCELL
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as subjects from "../../bench/costs_subjects.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const script = join(here, "../../bench/costs.mjs");
const costs = (...args) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
const program = process.env.SNAPCELL;

test("the ratios have steady names", () => {
    const { stdout, stderr, status } = costs(program, "--json", "--quick", "--rounds", "1");
    assert.equal(status, 0, stderr);
    const { ratios, cpu_ratios, loads } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(ratios), [
        "hello_bytes_to_bare",
        "hello_load_to_bare",
        "five_load_to_hello",
        "ten_load_to_hello",
    ]);
    assert.deepEqual(Object.keys(cpu_ratios), Object.keys(ratios).slice(1));
    assert.ok(Object.values(ratios).every(ratio => ratio > 0));
    const bytes = loads.map(load => load.bytes);
    assert.deepEqual(
        bytes,
        [...bytes].sort((a, b) => a - b),
        "more APIs, more bytes"
    );
    assert.ok(ratios.hello_bytes_to_bare < 1.1, "hello's goal, which is one of bytes");
});

test("as a table", () => {
    const { stdout } = costs(program, "--quick", "--rounds", "1");
    assert.match(stdout, /^\| five_load_to_hello +\| < 1\.25 \| +[\d.]+ \| +[\d.]+ \|$/m);
    assert.doesNotMatch(stdout, /undefined|NaN/);
});

test("the functions to measure are whole, and named once", () => {
    const all = [...subjects.apis, ...subjects.firstUses];
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    for (const { name, text } of all) assert.doesNotMatch(text, /undefined/, name);
});

test("wrong usage and a program that is missing", () => {
    assert.equal(costs().status, 2);
    assert.equal(costs(program, "--rounds", "none").status, 2);
    assert.equal(costs(program, "--unknown").status, 2);
    assert.notEqual(costs("/no/such/program").status, 0);
});
