"use strict";
// node:readline: the lines of a stream. There is no terminal to ask or to write to.
const EventEmitter = require("./events.cjs");
const { StringDecoder } = require("./string_decoder.cjs");
const { failure, missing, missingAll } = require("./errors.cjs");

const ends = /\r\n|\n|\r|\u2028|\u2029/;

class Interface extends EventEmitter {
    #input;
    #rest = "";
    #decoder = new StringDecoder("utf8");
    #stop;
    closed = false;
    line = "";
    terminal = false;

    constructor(input, ...rest) {
        super();
        const options = input?.input ? input : { input, output: rest[0] };
        this.#input = options.input;
        const [onData, onEnd] = [chunk => this.#take(chunk), () => this.#end()];
        this.#stop = () => {
            this.#input.off("data", onData).off("end", onEnd);
            this.#input.pause?.();
        };
        this.#input.on("data", onData).on("end", onEnd);
        if (options.signal) options.signal.addEventListener("abort", () => this.close());
    }

    #take(chunk) {
        const text = this.#rest + (typeof chunk === "string" ? chunk : this.#decoder.write(chunk));
        // A carriage return at the end may be the first half of a line's end.
        const open = text.endsWith("\r") ? 1 : 0;
        const lines = text.slice(0, text.length - open).split(ends);
        this.#rest = lines.pop() + text.slice(text.length - open);
        for (const line of lines) this.#tell(line);
    }

    #tell(line) {
        this.line = "";
        this.emit("line", line);
    }

    #end() {
        const rest = (this.#rest + this.#decoder.end()).replace(/\r$/, "");
        this.#rest = "";
        if (rest !== "") this.#tell(rest);
        this.close();
    }

    close() {
        if (this.closed) return;
        this.closed = true;
        this.#stop();
        this.emit("close");
    }

    pause() {
        this.#input.pause();
        this.emit("pause");
        return this;
    }

    resume() {
        this.#input.resume();
        this.emit("resume");
        return this;
    }

    setPrompt() {}

    getPrompt() {
        return "> ";
    }

    [Symbol.dispose]() {
        this.close();
    }

    [Symbol.asyncIterator]() {
        const lines = [];
        let wake = () => {};
        this.on("line", line => (lines.push(line), wake()));
        this.on("close", () => wake());
        const iterator = (async function* (source) {
            for (;;) {
                while (lines.length > 0) yield lines.shift();
                if (source.closed) return;
                await new Promise(resolve => (wake = resolve));
            }
        })(this);
        return iterator;
    }
}
for (const name of ["question", "prompt", "write", "getCursorPos"])
    Object.defineProperty(Interface.prototype, name, {
        value: missing("readline.Interface", name),
        writable: true,
        configurable: true,
    });

const createInterface = (...args) => {
    if (!(args[0]?.input ?? args[0]))
        throw failure(TypeError, "ERR_INVALID_ARG_TYPE", 'The "input" argument must be a stream');
    return new Interface(...args);
};

const ofTerminals = [
    "clearLine",
    "clearScreenDown",
    "cursorTo",
    "emitKeypressEvents",
    "moveCursor",
];
module.exports = {
    ...missingAll("readline", ofTerminals),
    Interface,
    createInterface,
    promises: { ...missingAll("readline/promises", ["Readline"]), Interface, createInterface },
};
