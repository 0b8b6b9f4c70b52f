// A small harness: areas add tests, and answer a request by running them.
const tests = [];

export function test(name, body) {
    tests.push({ name, body });
}

export class Failure extends Error {}

const show = value => {
    try {
        return typeof value === "string"
            ? JSON.stringify(value)
            : (JSON.stringify(value) ?? String(value));
    } catch {
        return String(value);
    }
};

export function equal(actual, expected, what = "") {
    if (!Object.is(actual, expected)) {
        throw new Failure(
            `${what ? `${what}: ` : ""}expected ${show(expected)}, got ${show(actual)}`
        );
    }
}

export function same(actual, expected, what = "") {
    equal(JSON.stringify(actual), JSON.stringify(expected), what);
}

export function ok(value, what = "the value") {
    if (!value) throw new Failure(`${what} is ${show(value)}`);
}

function check(error, expected, what) {
    if (typeof expected === "string") equal(error?.name, expected, what);
    else if (!(error instanceof expected))
        throw new Failure(`${what}: threw ${error}, not a ${expected.name}`);
}

// `expected`: a class, or the name of a DOMException.
export function throws(expected, body, what = "the call") {
    try {
        body();
    } catch (error) {
        check(error, expected, what);
        return error;
    }
    throw new Failure(`${what} did not throw`);
}

export async function rejects(expected, promise, what = "the promise") {
    try {
        await promise;
    } catch (error) {
        check(error, expected, what);
        return error;
    }
    throw new Failure(`${what} was not rejected`);
}

export const tick = (ms = 0) => new Promise(resolve => setTimeout(resolve, ms));
export const bytes = (...values) => new Uint8Array(values);

// What a stream gives, to its end.
export async function all(stream) {
    const values = [];
    for await (const value of stream) values.push(value);
    return values;
}

export const area = {
    async fetch(request, env, context) {
        const failures = [];
        for (const { name, body } of tests) {
            try {
                await body(request, env, context);
            } catch (error) {
                failures.push(
                    `${name}: ${error instanceof Failure ? error.message : error?.stack || error}`
                );
            }
        }
        const passed = tests.length - failures.length;
        if (failures.length === 0) return new Response(`ok ${passed}`);
        return new Response(`${failures.length} of ${tests.length} failed\n${failures.join("\n")}`);
    },
};
