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

export default area;
