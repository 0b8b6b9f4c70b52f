// What a torture program promises, and how often each promise was tried and not kept: torture_report.h in JavaScript.
const shownMax = 10; // failures of a promise that are told of

/** `texts`: the promises, all of which have to be tried. */
export function openReport(texts) {
    const promises = new Map(texts.map(text => [text, { tries: 0, failures: 0 }]));
    return {
        check(promise, kept, what) {
            const entry = promises.get(promise);
            entry.tries++;
            if (kept) return;
            entry.failures++;
            if (entry.failures <= shownMax) console.error(`${promise}: ${what}`);
        },

        /** Prints the table; whether all were tried, and kept. */
        print() {
            for (const [text, { tries, failures }] of promises)
                console.log(`${text}\t${tries}\t${failures}`);
            return [...promises.values()].every(
                ({ tries, failures }) => tries > 0 && failures === 0
            );
        },
    };
}
