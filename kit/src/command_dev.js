// snapcell dev: what happens, a line each.
import { DevServer } from "./dev.js";
import { statuses } from "./failure.js";
import { messageOf, msText, reportNotes, say } from "./report.js";

const print = text => void process.stdout.write(`${text}\n`);

// Several functions answer at their names, as hosts.
let listeningUrl;
let named = "";
function printNames(functions) {
    const names = functions.map(({ name }) => name);
    if (names.length < 2 || names.join() === named) return;
    named = names.join();
    const { protocol, port } = new URL(listeningUrl);
    for (const name of names) print(`  ${protocol}//${name}.localhost:${port}`);
}

const lines = {
    listening({ url }) {
        listeningUrl = url;
        print(`listening on ${url}`);
    },
    answering: ({ ms }) => print(`answering after ${msText(ms)}; the snapshot follows`),
    built({ functions, notes, ms }) {
        reportNotes(notes);
        for (const { name, notices, warnings } of functions)
            for (const notice of [...notices, ...warnings.map(message => ({ message }))])
                say(`snapcell: ${name}: warning: ${notice.message}`);
        print(`built ${functions.map(({ name }) => name).join(", ")} in ${msText(ms)}`);
        printNames(functions);
    },
    failed: event => say(messageOf(event)),
    request: ({ method, url, status, ms }) => print(`${method} ${url} ${status} ${msText(ms)}`),
    console: event => say(messageOf(event)),
    failure: event => say(messageOf(event)),
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
