import { area, equal, ok, same, test, throws } from "../harness.js";

test("marks and measures", () => {
    const mark = performance.mark("a", { startTime: 5, detail: { x: [1] } });
    ok(mark instanceof PerformanceMark && mark instanceof PerformanceEntry);
    equal(mark.name, "a");
    equal(mark.entryType, "mark");
    equal(mark.startTime, 5);
    equal(mark.duration, 0);
    same(mark.detail, { x: [1] });
    performance.mark("b", { startTime: 9 });
    const measure = performance.measure("m", "a", "b");
    ok(measure instanceof PerformanceMeasure);
    same([measure.startTime, measure.duration, measure.detail], [5, 4, null]);
    const other = performance.measure("n", { start: 1, duration: 2, detail: "d" });
    same([other.startTime, other.duration, other.detail], [1, 2, "d"]);
    same(performance.measure("o", { end: 9, duration: 4 }).startTime, 5);
    ok(performance.measure("p").duration >= 0); // the clock of a build stands still
    same(
        performance.getEntriesByType("mark").map(entry => entry.name),
        ["a", "b"]
    );
    same(
        performance.getEntriesByName("m").map(entry => entry.entryType),
        ["measure"]
    );
    equal(performance.getEntriesByName("m", "mark").length, 0);
    ok(performance.getEntries().length >= 6);
    performance.clearMarks("a");
    same(
        performance.getEntriesByType("mark").map(entry => entry.name),
        ["b"]
    );
    performance.clearMarks();
    performance.clearMeasures();
    equal(performance.getEntriesByType("mark").length, 0);
    equal(performance.getEntriesByType("measure").length, 0);
    same(Object.keys(mark.toJSON()).sort(), [
        "detail",
        "duration",
        "entryType",
        "name",
        "startTime",
    ]);
});

test("what is refused", () => {
    throws("SyntaxError", () => performance.measure("m", "no such mark"));
    throws(TypeError, () => performance.mark());
    throws(TypeError, () => performance.mark("x", { startTime: -1 }));
    throws(TypeError, () => performance.measure("m", { start: 1, end: 2, duration: 1 }));
    throws(TypeError, () => performance.measure("m", { detail: 1 }));
    throws(TypeError, () => new PerformanceEntry());
    throws("DataCloneError", () => performance.mark("x", { detail: () => 1 }));
});

test("options of marks and measures", () => {
    for (const options of [123, NaN, "text", true, Symbol("x")]) {
        throws(TypeError, () => performance.mark("m", options), String(options));
        throws(TypeError, () => new PerformanceMark("m", options), String(options));
    }
    for (const startTime of [-1, NaN, Infinity, "x", 1n])
        throws(TypeError, () => performance.mark("m", { startTime }), `${startTime}`);
    performance.mark("one", { startTime: 1 });
    performance.mark("3", { startTime: 3 });
    equal(performance.measure("m", 3, "3").duration, 0);
    throws("SyntaxError", () => performance.measure("m", 4));
    throws("SyntaxError", () => performance.measure("m", "one", "none"));
    throws(TypeError, () => performance.measure("m", { detail: 1 }));
    throws(TypeError, () => performance.measure("m", { start: 1 }, "3"));
    throws(TypeError, () => performance.measure("m", { start: -1 }));
    throws(TypeError, () => performance.measure("m", { start: 1, end: 2, duration: 1 }));
    throws("DataCloneError", () => performance.mark("m", { detail: () => 1 }));
    const { startTime, duration } = performance.measure("m", { end: "3", duration: 2 });
    same([startTime, duration], [1, 2]);
    same(performance.measure("m", { start: "one", duration: 5 }).toJSON().duration, 5);
    equal(performance.measure("m", {}, "3").duration, 3);
    const seen = [];
    const keys = ["start", "detail", "end", "duration"];
    const options = Object.defineProperties(
        {},
        Object.fromEntries(keys.map(key => [key, { get: () => void seen.push(key) }]))
    );
    performance.measure("m", options);
    same(seen, ["detail", "duration", "end", "start"]);
    performance.clearMarks();
    performance.clearMeasures();
});

// What an observer is told of, once.
function told(options, act) {
    return new Promise(resolve => {
        const observer = new PerformanceObserver((list, self, extra) => {
            observer.disconnect();
            ok(self === observer && list instanceof PerformanceObserverEntryList);
            resolve([list, extra]);
        });
        observer.observe(options);
        act();
    });
}

test("observers are told of marks and measures", async () => {
    const act = () => {
        performance.mark("b", { startTime: 2 });
        performance.measure("m", { start: 1, end: 5 });
        performance.mark("a", { startTime: 1 });
    };
    const [list, extra] = await told({ entryTypes: ["mark", "measure", "unknown"] }, act);
    same(
        list.getEntries().map(({ name }) => name),
        ["m", "a", "b"]
    );
    same([list.getEntriesByType("mark").length, list.getEntriesByName("m", "mark").length], [2, 0]);
    equal(extra.droppedEntriesCount, 0);
    const [marks] = await told({ type: "mark" }, act);
    same(
        marks.getEntries().map(({ entryType }) => entryType),
        ["mark", "mark"]
    );
    const [before] = await told({ type: "measure", buffered: true }, () => undefined);
    equal(before.getEntries().length, 2);
    performance.clearMarks();
    performance.clearMeasures();
});

test("observers: records, disconnecting, wrong options", async () => {
    const calls = [];
    const observer = new PerformanceObserver(list => calls.push(list));
    observer.observe({ type: "mark" });
    const mark = performance.mark("a");
    equal(observer.takeRecords()[0], mark);
    same(observer.takeRecords(), []);
    performance.mark("b");
    observer.disconnect();
    performance.mark("c");
    await new Promise(resolve => setTimeout(resolve, 5));
    same([calls.length, observer.takeRecords().length], [0, 0]);
    observer.observe({ type: "mark" });
    throws("InvalidModificationError", () => observer.observe({ entryTypes: ["mark"] }));
    observer.disconnect();
    throws(TypeError, () => observer.observe());
    throws(TypeError, () => observer.observe({}));
    throws(TypeError, () => observer.observe({ entryTypes: "mark" }));
    throws(TypeError, () => observer.observe({ type: "mark", entryTypes: ["mark"] }));
    throws(TypeError, () => observer.observe({ entryTypes: ["mark"], buffered: true }));
    observer.observe({ entryTypes: ["unknown"] });
    throws(TypeError, () => new PerformanceObserver({}));
    const types = PerformanceObserver.supportedEntryTypes;
    same(types, ["mark", "measure"]);
    ok(Object.isFrozen(types) && types === PerformanceObserver.supportedEntryTypes);
    performance.clearMarks();
});

export default area;
