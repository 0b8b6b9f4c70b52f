// snapcell dev: what happens, a line each.
import { DevServer } from "./dev.js";
import { statuses } from "./failure.js";
import { failureText, msText, reportNotes, say } from "./report.js";

const print = text => void process.stdout.write(`${text}\n`);

const lines = {
    listening: ({ url }) => print(`listening on ${url}`),
    answering: ({ ms }) => print(`answering after ${msText(ms)}; the snapshot follows`),
    built({ functions, notes, ms }) {
        reportNotes(notes);
        for (const { name, notices, warnings } of functions)
            for (const notice of [...notices, ...warnings.map(message => ({ message }))])
                say(`snapcell: ${name}: warning: ${notice.message}`);
        print(`built ${functions.map(({ name }) => name).join(", ")} in ${msText(ms)}`);
    },
    failed({ functions = [], error, root }) {
        const failed = functions.filter(one => one.error);
        for (const one of failed) say(failureText(one.name, one.error, root));
        if (failed.length === 0) say(failureText("dev", error, root ?? process.cwd()));
    },
    request: ({ method, url, status, ms }) => print(`${method} ${url} ${status} ${msText(ms)}`),
    console: line => say(`${line.function}: ${line.text ?? line.message ?? ""}`),
    failure({ function: name, error, file, line, column, stack, root, code }) {
        say(failureText(name, { message: error, file, line, column, code }, root));
        const frames = stack?.split("\n").filter(text => /^\s+at /.test(text)) ?? [];
        for (const frame of frames.slice(0, 8)) say(frame);
    },
};

/** @param {any} options */
export async function devCommand(options) {
    const told = options.json
        ? event => print(JSON.stringify(event))
        : event => lines[event.event]?.(event);
    const ended = new Promise(done => {
        for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, done);
    });
    const server = new DevServer(options, told);
    try {
        await server.start();
        await ended;
    } finally {
        await server.close();
    }
    return statuses.done;
}
