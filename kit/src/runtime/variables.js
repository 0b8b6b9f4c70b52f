// Variables as Deno and Netlify give them: those of the host that are strings, and what the function has set.
import { env } from "cloudflare:workers";

const set = new Map();
const strings = () =>
    Object.fromEntries([
        ...Object.entries(env).filter(([, value]) => typeof value === "string"),
        ...set,
    ]);

export const variables = {
    get: name => strings()[name],
    has: name => name in strings(),
    set: (name, value) => void set.set(name, String(value)),
    delete: name => void set.delete(name),
    toObject: strings,
};
