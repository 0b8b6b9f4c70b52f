"use strict";
// createHistogram() of node:perf_hooks: counts of values, exact to three figures, as HdrHistogram keeps them.
const { checkInteger, failure, invalidType, outOfRange } = require("./errors.cjs");

// Values below this have a count each; above, twice as many share one with each power of two.
const exactBelow = 2048;
const highestKnown = Number.MAX_SAFE_INTEGER;
const untouchedMin = 2 ** 63;

// The exponent of the power of two that a value is at least; logarithms are rounded.
function exponentOf(value) {
    const exponent = Math.floor(Math.log2(value));
    return 2 ** exponent > value ? exponent - 1 : exponent;
}

const widthOf = value => (value < exactBelow ? 1 : 2 ** (exponentOf(value) - 10));
const lowest = value => value - (value % widthOf(value));
const highestLike = value => lowest(value) + widthOf(value) - 1;
const middle = value => lowest(value) + Math.floor(widthOf(value) / 2);

class RecordableHistogram {
    #counts = new Map(); // by the lowest value that shares the count
    #bounds;
    #since;
    #exceeds = 0;

    constructor(given, bounds) {
        if (given !== bounds)
            throw failure(TypeError, "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor");
        this.#bounds = bounds;
    }

    record(value) {
        if (typeof value !== "number" && typeof value !== "bigint")
            throw invalidType("val", "number", value);
        if (typeof value === "number") checkInteger(value, "val", 1);
        else if (value < 1n) throw outOfRange("val", ">= 1 && <= 9007199254740991", value);
        const number = Number(value);
        if (number > this.#bounds.highest) this.#exceeds++;
        else this.#add(number, 1);
    }

    #add(value, count) {
        const key = lowest(value);
        this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    }

    recordDelta() {
        const now = BigInt(Math.round(performance.now() * 1e6));
        const before = this.#since;
        this.#since = now;
        if (before !== undefined && now > before) this.record(now - before);
    }

    add(other) {
        if (!(other instanceof RecordableHistogram))
            throw invalidType("other", "RecordableHistogram", other);
        for (const [value, count] of other.#counts) this.#add(value, count);
        this.#exceeds += other.#exceeds;
    }

    reset() {
        this.#counts.clear();
        this.#exceeds = 0;
    }

    #sorted() {
        return [...this.#counts].sort(([a], [b]) => a - b);
    }

    get count() {
        return this.#sorted().reduce((sum, [, count]) => sum + count, 0);
    }

    get exceeds() {
        return this.#exceeds;
    }

    get min() {
        return this.#sorted()[0]?.[0] ?? untouchedMin;
    }

    get max() {
        const last = this.#sorted().at(-1);
        return last ? highestLike(last[0]) : 0;
    }

    get mean() {
        const total = this.#sorted().reduce(
            (sum, [value, count]) => sum + middle(value) * count,
            0
        );
        return total / this.count;
    }

    get stddev() {
        const { mean } = this;
        const square = ([value, count]) => (middle(value) - mean) ** 2 * count;
        return Math.sqrt(this.#sorted().reduce((sum, one) => sum + square(one), 0) / this.count);
    }

    percentile(percentile) {
        if (typeof percentile !== "number") throw invalidType("percentile", "number", percentile);
        if (!(percentile > 0 && percentile <= 100))
            throw outOfRange("percentile", "> 0 && <= 100", percentile);
        return this.#valueAt(percentile);
    }

    #valueAt(percentile) {
        const wanted = Math.max(1, Math.floor((percentile / 100) * this.count + 0.5));
        let seen = 0;
        for (const [value, count] of this.#sorted())
            if ((seen += count) >= wanted) return highestLike(value);
        return 0;
    }

    // At each half of the way that is left to 100, as long as that tells of other values.
    get percentiles() {
        const found = new Map();
        const total = this.count;
        let wanted = 0;
        let seen = 0;
        for (const [value, count] of this.#sorted()) {
            seen += count;
            while ((100 * seen) / total >= wanted && seen < total) {
                found.set(wanted, value);
                wanted += 100 / 2 ** (Math.floor(Math.log2(100 / (100 - wanted))) + 1);
            }
            if (seen === total && total > 0) {
                if (wanted < 100) found.set(wanted, value);
                found.set(100, value);
            }
        }
        return total > 0 ? found : new Map([[100, 0]]);
    }

    toJSON() {
        const { count, min, max, mean, exceeds, stddev, percentiles } = this;
        return {
            count,
            min,
            max,
            mean,
            exceeds,
            stddev,
            percentiles: Object.fromEntries(percentiles),
        };
    }
}

for (const name of ["count", "exceeds", "min", "max"])
    Object.defineProperty(RecordableHistogram.prototype, `${name}BigInt`, {
        get() {
            return BigInt(this[name]);
        },
        configurable: true,
    });

function createHistogram(options = {}) {
    if (typeof options !== "object" || options === null)
        throw invalidType("options", "Object", options);
    const { lowest: least = 1, highest = highestKnown, figures = 3 } = options;
    checkInteger(Number(least), "options.lowest", 1);
    checkInteger(Number(highest), "options.highest", 2 * Number(least));
    checkInteger(figures, "options.figures", 1, 5);
    if (figures !== 3)
        throw failure(
            Error,
            "ERR_METHOD_NOT_IMPLEMENTED",
            "perf_hooks.createHistogram(): figures other than 3 are not in presets/node-compat"
        );
    const bounds = { highest: Number(highest) };
    return new RecordableHistogram(bounds, bounds);
}

module.exports = { createHistogram };
