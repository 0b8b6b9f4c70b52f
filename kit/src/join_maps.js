// One source map of two, for texts that follow each other.

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const valueOf = new Map([...digits].map((digit, value) => [digit, value]));

function decoded(segment) {
    const numbers = [];
    let [value, shift] = [0, 0];
    for (const digit of segment) {
        const bits = valueOf.get(digit);
        value += (bits & 31) * 2 ** shift;
        shift += 5;
        if (bits & 32) continue;
        numbers.push(value % 2 ? -(value - 1) / 2 : value / 2);
        [value, shift] = [0, 0];
    }
    return numbers;
}

function encoded(numbers) {
    let text = "";
    for (const number of numbers) {
        let rest = number < 0 ? -number * 2 + 1 : number * 2;
        do {
            text += digits[(rest % 32) + (rest > 31 ? 32 : 0)];
            rest = Math.floor(rest / 32);
        } while (rest > 0);
    }
    return text;
}

// What the next segment counts from, in source, line, column and name.
function stateAfter(mappings) {
    const state = [0, 0, 0, 0];
    for (const segment of mappings.split(/[;,]/))
        decoded(segment)
            .slice(1)
            .forEach((delta, i) => (state[i] += delta));
    return state;
}

// As a comment with the map may have it.
const escaped = text => text.replace(/[%"`\s]/g, encodeURIComponent);

const listed = (...lists) => JSON.stringify(lists.flat());

/** A map that others can be joined to: of a text that ends with the end of a line. */
export class FirstMap {
    /** @param {string} map JSON, as esbuild makes it @param {string} text */
    constructor(map, text) {
        this.map = { names: [], ...JSON.parse(map) };
        const { mappings } = this.map;
        const missing = text.split("\n").length - mappings.split(";").length;
        this.state = stateAfter(mappings);
        this.head = escaped(`{"version":3,"mappings":"${mappings}${";".repeat(missing)}`);
    }

    /** @param {string} map JSON, of the text that follows @returns {string} of both, as a URL */
    joined(map) {
        const { sources, names = [], mappings } = JSON.parse(map);
        const lists = `"sources":${listed(this.map.sources, sources)},"names":${listed(this.map.names, names)}`;
        const tail = escaped(`${this.#moved(mappings)}",${lists}}`);
        return `data:application/json,${this.head}${tail}`;
    }

    // Each number counts from the one before it: the first of each kind from where this map has ended. Only the first
    // segments lack one kind or another.
    #moved(mappings) {
        const bases = [this.map.sources.length, 0, 0, this.map.names.length];
        const deltas = bases.map((base, i) => base - this.state[i]);
        const isPending = [true, true, true, true];
        return mappings.replace(/[^;,]+/g, segment => {
            if (!isPending.includes(true)) return segment;
            const [column, ...numbers] = decoded(segment);
            const moved = numbers.map((number, i) => (isPending[i] ? number + deltas[i] : number));
            numbers.forEach((_, i) => (isPending[i] = false));
            return encoded([column, ...moved]);
        });
    }
}
