// What a call gave or threw, in the form of JSON.
export function outcome(compute) {
    try {
        return plain(compute());
    } catch (error) {
        return { threw: error.name };
    }
}

export const outcomes = calls =>
    Object.fromEntries(Object.entries(calls).map(([name, compute]) => [name, outcome(compute)]));

function plain(value) {
    if (value === undefined) return "(undefined)";
    if (typeof value === "number" && !Number.isFinite(value)) return `(${value})`;
    if (typeof value === "bigint") return `${value}n`;
    return value;
}
