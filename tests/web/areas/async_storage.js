import { AsyncLocalStorage } from "node:async_hooks";
import { area, all, equal, ok, same, test, throws, tick } from "../harness.js";

const storage = new AsyncLocalStorage();
const outside = AsyncLocalStorage.snapshot();
const seen = () => storage.getStore();

test("two requests at a time", async () => {
    const values = await Promise.all(
        ["a", "b"].map(value =>
            storage.run(value, async () => {
                await tick(value === "a" ? 5 : 1);
                return seen();
            })
        )
    );
    same(values, ["a", "b"]);
    equal(seen(), undefined);
});

test("across await, then and thenables", async () => {
    await storage.run("x", async () => {
        await null;
        equal(seen(), "x");
        await { then: resolve => resolve(equal(seen(), "x", "in a thenable")) };
        equal(seen(), "x");
        await Promise.reject(1).catch(() => equal(seen(), "x", "in catch"));
        await Promise.resolve().finally(() => equal(seen(), "x", "in finally"));
    });
    let later;
    const promise = storage.run("y", () =>
        new Promise(resolve => (later = resolve)).then(() => seen())
    );
    storage.run("z", () => later());
    equal(await promise, "y");
    equal(seen(), undefined);
});

test("across timers and microtasks", async () => {
    const by = start =>
        storage.run("t", () => new Promise(resolve => start(() => resolve(seen()))));
    equal(await by(queueMicrotask), "t");
    equal(await by(setTimeout), "t");
    const rounds = [];
    await storage.run("i", async () => {
        const interval = setInterval(() => rounds.push(seen()), 1);
        while (rounds.length < 3) await tick(1);
        clearInterval(interval);
    });
    same(rounds.slice(0, 3), ["i", "i", "i"]);
    equal(await new Promise(resolve => setTimeout(() => resolve(seen()), 0)), undefined);
});

test("across generators", async () => {
    async function* values() {
        yield seen();
        await tick();
        yield seen();
    }
    await storage.run("g", async () => same(await all(values()), ["g", "g"]));
});

test("events", () => {
    const target = new EventTarget();
    let got;
    storage.run("added", () => target.addEventListener("x", () => (got = seen())));
    storage.run("dispatched", () => target.dispatchEvent(new Event("x")));
    equal(got, "dispatched");
});

test("streams", async () => {
    const got = [];
    const stream = storage.run(
        "made",
        () =>
            new ReadableStream({
                start: () => void got.push(seen()),
                pull(controller) {
                    controller.enqueue("a");
                    controller.close();
                },
            })
    );
    await storage.run("read", async () => {
        await all(stream.pipeThrough(new TransformStream()));
        got.push(seen());
    });
    same(got, ["made", "read"]);
});

test("waitUntil", async (request, env, context) => {
    let done;
    const finished = new Promise(resolve => (done = resolve));
    storage.run("w", () => context.waitUntil?.(tick().then(() => done(seen()))) ?? done(seen()));
    ok(["w"].includes(await finished));
});

test("run", () => {
    equal(
        storage.run(1, (a, b) => a + b + seen(), 2, 3),
        6
    );
    storage.run(1, () => {
        storage.run(2, () => equal(seen(), 2));
        equal(seen(), 1);
        throws(RangeError, () =>
            storage.run(3, () => {
                throw new RangeError("");
            })
        );
        equal(seen(), 1);
        equal(
            storage.run(1, () => seen()),
            1
        );
    });
});

test("exit, enterWith, disable", async () => {
    await storage.run(1, async () => {
        equal(storage.exit(seen), undefined);
        equal(
            storage.exit((a, b) => a + b, 1, 2),
            3
        );
        equal(seen(), 1);
        storage.enterWith(2);
        await null;
        equal(seen(), 2);
        storage.disable();
        equal(seen(), undefined);
    });
    equal(seen(), undefined);
    const other = new AsyncLocalStorage();
    storage.run(1, () => other.enterWith("stays"));
    equal(other.getStore(), "stays");
    equal(seen(), undefined);
    other.disable();
});

test("several storages", async () => {
    const other = new AsyncLocalStorage();
    await storage.run("a", () =>
        other.run("b", async () => {
            await tick();
            same([seen(), other.getStore()], ["a", "b"]);
        })
    );
});

test("default value and name", () => {
    const named = new AsyncLocalStorage({ defaultValue: 5, name: "n" });
    same([named.getStore(), named.run(6, () => named.getStore()), named.getStore()], [5, 6, 5]);
    equal(named.name, "n");
    equal(storage.name, "");
    equal(throws(TypeError, () => new AsyncLocalStorage(1)).code, "ERR_INVALID_ARG_TYPE");
    equal(throws(TypeError, () => AsyncLocalStorage.bind(1)).code, "ERR_INVALID_ARG_TYPE");
});

test("snapshot and bind", async () => {
    const inside = storage.run("s", () => AsyncLocalStorage.snapshot());
    equal(inside(seen), "s");
    equal(
        inside((a, b) => a + b, 1, 2),
        3
    );
    const bound = storage.run("b", () => AsyncLocalStorage.bind((a, b) => [seen(), a, b]));
    same(bound(1, 2), ["b", 1, 2]);
    equal(bound.length, 2);
    await storage.run("o", async () => {
        equal(outside(seen), undefined);
        equal(seen(), "o");
    });
});

test("rejections keep their frame", async () => {
    const failing = storage.run("f", async () => {
        await null;
        throw new Error(seen());
    });
    const error = await storage.run("other", () => failing.catch(error => [error.message, seen()]));
    same(error, ["f", "other"]);
});

export default area;
