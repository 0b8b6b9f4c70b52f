import assert, { AssertionError, deepStrictEqual } from "node:assert";
import strict from "node:assert/strict";

function failure(check) {
    try {
        check();
        return "passed";
    } catch (error) {
        const { name, code, operator, message } = error;
        const given = ["zero", "no z", "failed", "own"].find(text => text === message);
        return { name, code, operator, given, own: error instanceof AssertionError };
    }
}

async function rejection(check) {
    return check().then(
        () => "passed",
        error => [error.code, error.operator]
    );
}

export const handler = async () => ({
    checks: [
        () => assert(true),
        () => assert(0, "zero"),
        () => assert.ok(""),
        () => assert.equal(1, "1"),
        () => strict.equal(1, "1"),
        () => assert.strictEqual(NaN, NaN),
        () => assert.notStrictEqual(1, 1),
        () => assert.deepEqual({ a: [1, "2"] }, { a: ["1", 2] }),
        () => deepStrictEqual({ a: [1, { b: new Set([1]) }] }, { a: [1, { b: new Set([1]) }] }),
        () => deepStrictEqual(new Map([[1, 2]]), new Map([[1, 3]])),
        () => deepStrictEqual([1, 2], [1, 2, 3]),
        () => assert.notDeepStrictEqual({ a: 1 }, { a: 1 }),
        () => deepStrictEqual(new Date(0), new Date(1)),
        () => deepStrictEqual(-0, 0),
        () => assert.throws(() => null),
        () =>
            assert.throws(() => {
                throw new TypeError("x");
            }, TypeError),
        () =>
            assert.throws(() => {
                throw new TypeError("x");
            }, /y/),
        () =>
            assert.throws(
                () => {
                    throw new TypeError("x");
                },
                { name: "TypeError", message: "x" }
            ),
        () => assert.doesNotThrow(() => 1),
        () => assert.match("abc", /b/),
        () => assert.match("abc", /z/, "no z"),
        () => assert.ifError(null),
        () => assert.fail("failed"),
        () => assert.equal(1, 2, new RangeError("own")),
    ].map(failure),
    rejections: [
        await rejection(() => assert.rejects(Promise.reject(new Error("x")), /x/)),
        await rejection(() => assert.rejects(async () => 1)),
        await rejection(() => assert.doesNotReject(async () => 1)),
    ],
});
