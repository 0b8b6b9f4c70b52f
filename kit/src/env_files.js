// Variables of .env and .dev.vars files.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const line =
    /^\s*(?:export\s+)?([\w.-]+)\s*=[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|`[^`]*`|[^\n]*?(?=[ \t]+#|[ \t]*$))/gm;

const unescaped = text =>
    text.replace(/\\([nrt"\\$])/g, (_, sign) => ({ n: "\n", r: "\r", t: "\t" })[sign] ?? sign);

/** @param {string} text @returns {Record<string, string>} */
export function parseEnv(text) {
    const variables = {};
    for (const [, name, value] of text.replace(/\r\n?/g, "\n").matchAll(line)) {
        const quote = /^(["'`])([^]*)\1$/.exec(value.trim());
        if (!quote) variables[name] = value.trim();
        else variables[name] = quote[1] === '"' ? unescaped(quote[2]) : quote[2];
    }
    return variables;
}

/** The files of a folder, the strongest last: .env, .env.local, .dev.vars. */
export const envFileNames = [".env", ".env.local", ".dev.vars"];

/** @param {string} folder */
export function readEnvFiles(folder) {
    const files = envFileNames.map(name => join(folder, name)).filter(file => existsSync(file));
    const variables = files.map(file => parseEnv(readFileSync(file, "utf8")));
    return { files, env: Object.assign({}, ...variables) };
}
