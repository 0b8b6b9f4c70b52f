// What commands print.
import { failureLine, statuses } from "./failure.js";
import { frameOf } from "./code_frame.js";

/** @param {number} bytes */
export function bytesText(bytes) {
    if (bytes < 1000) return `${bytes} B`;
    const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
    return `${value.toFixed(1)} ${unit}`;
}

/** @param {number} ms */
export const msText = ms => (ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);

/** @param {string} text */
export const say = text => void process.stderr.write(`${text}\n`);

/** @param {string[]} notes */
export function reportNotes(notes) {
    for (const note of notes) say(`snapcell: note: ${note}`);
}

/** A failure in words: its line, the code it is about, and the others that were found with it. */
export function failureText(name, failure, root) {
    const all = failure.errors?.length > 0 ? failure.errors : [failure];
    return all
        .map(one => {
            const frame = frameOf(one, root);
            return `snapcell: ${name}: ${failureLine(one)}${frame ? `\n${frame}` : ""}`;
        })
        .join("\n");
}

const framesMax = 10;

const messages = {
    failed({ functions = [], error, root }) {
        const failed = functions.filter(one => one.error);
        if (failed.length === 0) return failureText("dev", error, root ?? process.cwd());
        return failed.map(one => failureText(one.name, one.error, root)).join("\n");
    },
    console: line => `${line.function}: ${line.text ?? line.message ?? ""}`,
    failure({ function: name, error, file, line, column, stack, root, code }) {
        const lines = stack?.split("\n") ?? [];
        const frames = lines.slice(lines.findIndex(text => /^\s+at /.test(text))); // and causes
        const text = failureText(name, { message: error, file, line, column, code }, root);
        return [text, ...frames.slice(0, framesMax)].join("\n");
    },
};

/** What went wrong while developing, or was written to the console; undefined of other events. @param {any} event */
export const messageOf = event => messages[event.event]?.(event);

/**
 * The result of one function.
 * @param {any} result
 * @param {string} root
 * @param {{ json?: boolean }} options
 */
export function report(result, root, { json }) {
    const { error, name } = result;
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    for (const line of (error ?? result).console ?? []) say(line);
    if (error) return say(failureText(name, error, root));
    for (const notice of [...(result.notices ?? []), ...result.warnings.map(warningOf)])
        say(`snapcell: ${name}: warning: ${failureLine(notice)}`);
    if (!json) process.stdout.write(`${summaryOf(result)}\n`);
}

const warningOf = warning => (typeof warning === "string" ? { message: warning } : warning);

function summaryOf({
    name,
    key,
    kind,
    source_bytes,
    snapshot_bytes,
    artifact_bytes,
    ms,
    unchanged,
}) {
    const sizes = [
        `bundle ${bytesText(source_bytes)}`,
        `${kind} ${bytesText(snapshot_bytes)}`,
        `artifact ${bytesText(artifact_bytes)}`,
    ];
    const how = unchanged ? "unchanged" : msText(ms);
    return `${name.padEnd(20)}  ${key.slice(0, 12)}  ${sizes.join(", ")}  ${how}`;
}

/** @param {{ error?: { status: number } }[]} results */
export const worstStatus = results =>
    Math.max(statuses.done, ...results.map(({ error }) => error?.status ?? 0));
