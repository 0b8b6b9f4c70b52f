// What calls gave, with errors as Node tells them: their names, codes and messages.
export async function behaviours(calls) {
    const told = {};
    for (const [name, call] of Object.entries(calls)) {
        try {
            told[name] = plain(await call());
        } catch (error) {
            const { code = "", message } = error;
            told[name] = `threw ${error.name} ${code}: ${message}`;
        }
    }
    return told;
}

function plain(value) {
    if (value === undefined) return "(undefined)";
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number" && !Number.isFinite(value)) return `(${value})`;
    return value;
}
