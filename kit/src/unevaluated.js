// Puts bundles into the store without evaluating them: artifacts that each load evaluates, and that are there long
// before snapshots are.
import { resolve } from "node:path";
import { lastWords, startNative } from "./native.js";

/** So many processes wait. */
export const waitingMax = 2;

/**
 * A bundle's text, with its map in it.
 * @param {{ code: string, map?: string, mapUrl?: string }} bundle `mapUrl`: the map; the text has none
 */
export function withMap({ code, map, mapUrl }) {
    if (mapUrl) return `${code}\n//# sourceMappingURL=${mapUrl}\n`;
    const text = code.replace(/^\/\/# sourceMappingURL=.*\n?/gm, "").trimEnd();
    const data = map && Buffer.from(map).toString("base64");
    return data
        ? `${text}\n//# sourceMappingURL=data:application/json;base64,${data}\n`
        : `${text}\n`;
}

function parametersOf({ name, store, cwd, noSync }, shape, preludeLength) {
    const parameters = ["compile", "-", "--json", "--unevaluated", "--format", "esm"];
    parameters.push("--shape", shape === "json" ? "event" : "fetch", "--level", "1");
    parameters.push("--name", name, "--store", resolve(cwd ?? ".", store));
    if (noSync) parameters.push("--no-sync");
    if (preludeLength) parameters.push("--prelude-length", String(preludeLength));
    return parameters;
}

/** Keeps processes of the program that wait for the next bundle of a function: to start one takes longer than its work. */
export class UnevaluatedCompiler {
    #waiting = new Map();

    /** @param {string} program the native program */
    constructor(program) {
        this.program = program;
    }

    /**
     * A change of this function is likely.
     * @param {any} settings @param {string} shape of the build before @param {string} [prelude] of the next one
     */
    prepare(settings, shape, prelude = "") {
        const parameters = parametersOf(settings, shape, prelude.length);
        const key = JSON.stringify(parameters);
        if (this.#waiting.get(key)?.begin === prelude) return;
        this.#end(key);
        for (const other of this.#waiting.keys())
            if (this.#waiting.size >= waitingMax) this.#end(other);
        const { cwd } = settings;
        const started = { ...startNative(this.program, parameters, { cwd }), begin: prelude };
        started.child.stdin.write(prelude); // it is read meanwhile
        this.#waiting.set(key, started);
        const forget = () => this.#waiting.get(key) === started && this.#waiting.delete(key);
        started.ended.then(forget, forget);
    }

    /**
     * @param {{ code: string, map?: string, mapUrl?: string, preludeLength?: number }} bundle
     * @param {any} settings @param {string} shape
     */
    async put(bundle, settings, shape) {
        const parameters = parametersOf(settings, shape, bundle.preludeLength);
        const key = JSON.stringify(parameters);
        const text = withMap(bundle);
        const waiting = this.#waiting.get(key);
        if (waiting && text.startsWith(waiting.begin)) {
            this.#waiting.delete(key);
            const rest = text.slice(waiting.begin.length);
            if ((await given(waiting, rest)).status === 0) return;
        }
        const started = startNative(this.program, parameters, { cwd: settings.cwd });
        const result = await given(started, text);
        if (result.status !== 0) throw lastWords(result);
    }

    // It was given no whole bundle, and has nothing to lose.
    #end(key) {
        this.#waiting.get(key)?.child.kill("SIGKILL");
        this.#waiting.delete(key);
    }

    close() {
        for (const key of [...this.#waiting.keys()]) this.#end(key);
    }
}

// It is in the store when the process says so; its end takes a while longer.
function given({ child, ended }, input) {
    child.stdin.end(input);
    const told = new Promise(done => {
        let output = "";
        child.stdout.on("data", text => {
            output += text;
            if (output.endsWith("\n") && !JSON.parse(output).error) done({ status: 0 });
        });
    });
    return Promise.race([told, ended]);
}
