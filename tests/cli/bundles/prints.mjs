// Prints what holds more than a line can show.
const nested = (levels, fill) => {
    let value = 1;
    for (let i = 0; i < levels; i++) value = fill(value);
    return value;
};
const sparse = [];
sparse[4294967293] = 1;
const holes = [1, , 3];
holes[5000] = 4;
holes.name = "x";

const values = {
    array: () => new Array(100000).fill("x"),
    empty: () => new Array(10000000),
    bytes: () => new Uint8Array(4000000),
    sparse: () => sparse,
    holes: () => holes,
    map: () => new Map(Array.from({ length: 300 }, (_, i) => [i, i])),
    set: () => new Set(Array.from({ length: 300 }, (_, i) => i)),
    object: () => Object.fromEntries(Array.from({ length: 100000 }, (_, i) => [`key${i}`, i])),
    arrays: () => nested(6, value => new Array(100).fill(value)),
    maps: () => nested(6, value => new Map(Array.from({ length: 100 }, (_, i) => [i, value]))),
    getters: () => ({
        get a() {
            throw new Error("called");
        },
        set b(value) {},
        get c() {
            throw new Error("called");
        },
        set c(value) {},
        d: 1,
    }),
    stream: () => new ReadableStream(),
    errors: () => nested(6, error => new AggregateError(new Array(100).fill(error), "all")),
};

export default {
    fetch(request) {
        const name = new URL(request.url).pathname.slice(1);
        if (name === "table") console.table(new Array(1000).fill({ a: 1 }));
        else if (name === "groups") for (let i = 0; i < 1000; i++) console.group("g");
        else if (name === "many") console.log(...new Array(1000).fill(values.array()));
        else console.log(values[name]());
        return new Response("done\n");
    },
};
