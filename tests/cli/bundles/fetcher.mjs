// Runs the code that its event holds, and tells what became of it.
const Code = (async () => {}).constructor;

export async function handler({ code }) {
    try {
        return await new Code("bytes", code)(n => new Uint8Array(n));
    } catch (error) {
        return `${error.name}: ${error.message} [${error.cause?.code ?? ""}]`;
    }
}
