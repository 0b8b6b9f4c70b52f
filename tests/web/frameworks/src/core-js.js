import "core-js/actual";

// Polyfills that look for the newest built-ins, when the module is evaluated.
const kept = { typed: new Float16Array([1.5, 2.25]), grouped: Map.groupBy([1, 2, 3], n => n % 2) };

export default {
    async fetch(request) {
        const { searchParams } = new URL(request.url);
        const words = searchParams.getAll("word");
        return Response.json({
            attempt: await Promise.try(word => word.length, words[0]),
            escaped: words.map(RegExp.escape),
            rounded: Math.f16round(1.00048828125),
            typed: [...kept.typed],
            odd: kept.grouped.get(1),
            helpers: words
                .values()
                .map(word => word.toUpperCase())
                .toArray(),
            set: [...new Set(words).union(new Set(["last"]))],
            native: [Promise.try, RegExp.escape].map(f => /native code/.test(f)),
        });
    },
};
