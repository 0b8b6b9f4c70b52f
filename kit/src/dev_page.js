// Errors as a page and as text: what went wrong, the code around it, and the stack.
import { frameOf } from "./code_frame.js";
import { failureLine } from "./failure.js";

/**
 * The error that `snapcell serve --dev` tells in a body; undefined when the body is the function's own.
 * @param {string} body
 * @param {string} id of the request
 */
export function failureOf(body, id) {
    if (!body.endsWith(`request id: ${id}\n`)) return undefined;
    const [, told = body] = /^\d{3} [^\n]*\n\n([^]*?)\n*request id: [^\n]*\n$/.exec(body) ?? [];
    const [, message = told.trim(), , file, line, column, , stack] =
        /^(.*(?:\n(?! {4}at ).+)*)(\n {4}at (.*):(\d+):(\d+))?(\n\n([^]*))?$/.exec(told) ?? [];
    return {
        message: message.trim(),
        file,
        line: line && Number(line),
        column: column && Number(column),
        scriptStack: stack?.trim(),
    };
}

const partsOf = failure => (failure.errors?.length > 0 ? failure.errors : [failure]);

/** @param {any} failure @param {string} root */
export const errorText = (failure, root) =>
    partsOf(failure)
        .map(one =>
            [failureLine(one), frameOf(one, root), one.scriptStack].filter(Boolean).join("\n\n")
        )
        .join("\n\n")
        .concat("\n");

const escaped = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);

const style = `
    :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
    body { max-width: 960px; margin: 32px auto; padding: 0 16px; }
    h1 { font-size: 17px; color: #c0392b; overflow-wrap: anywhere; }
    pre { padding: 12px; overflow-x: auto; border-radius: 6px; background: #8882; font: 13px/1.5 monospace; }
    pre b { color: #c0392b; }`;

// The line that it is about stands out.
const marked = frame => escaped(frame).replace(/^(&#62; .*(?:\n +\| +\^+)?)/gm, "<b>$1</b>");

const waiting = path => `<p>This page loads again after the next build.</p>
<script>new EventSource("${path}").onmessage = () => location.reload();</script>`;

/** @param {any} failure @param {string} root @param {string} [eventsPath] where to wait for the next build */
export function errorPage(failure, root, eventsPath) {
    const sections = partsOf(failure).map(one => {
        const frame = frameOf(one, root);
        const stack = one.scriptStack;
        return [
            `<h1>${escaped(failureLine(one))}</h1>`,
            frame ? `<pre>${marked(frame)}</pre>` : "",
            stack ? `<pre>${escaped(stack)}</pre>` : "",
        ].join("\n");
    });
    return `<!doctype html>
<meta charset="utf-8">
<title>${escaped(failure.message)}</title>
<style>${style}</style>
${sections.join("\n")}
${eventsPath === undefined ? "" : waiting(eventsPath)}
`;
}
