"use strict";
// FileReader and ProgressEvent, of the File API and XMLHttpRequest standards.
const { brands, dictionary, expose, need } = require("snapcell:idl");
const { Event, EventTarget, fire, handlerAttribute } = require("snapcell:events");

class ProgressEvent extends Event {
    #init;

    constructor(type, init = undefined) {
        need(1, arguments.length, "ProgressEvent");
        super(type, init);
        const given = dictionary(init, "ProgressEvent");
        const lengthComputable = Boolean(given.lengthComputable);
        const loaded = amount(given, "loaded");
        this.#init = { lengthComputable, loaded, total: amount(given, "total") };
    }

    get lengthComputable() {
        return this.#init.lengthComputable;
    }

    get loaded() {
        return this.#init.loaded;
    }

    get total() {
        return this.#init.total;
    }
}
expose(ProgressEvent);

// double
function amount(given, name) {
    const value = given[name];
    if (value === undefined) return 0;
    return require("snapcell:convert").finite(value, `ProgressEvent: ${name}`);
}

const EMPTY = 0;
const LOADING = 1;
const DONE = 2;

// --- What the bytes of a blob become ---

// The encoding that a byte order mark says, which counts before all others.
function markedEncoding(bytes) {
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
    return bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : undefined;
}

function toText(bytes, label, type) {
    const { TextDecoder } = require("snapcell:encoding");
    const { extract } = require("snapcell:mime");
    for (const name of [markedEncoding(bytes), label, extract(type)?.parameters.get("charset")]) {
        try {
            if (name !== undefined) return new TextDecoder(name).decode(bytes);
        } catch {
            // a label that there is not: the next one counts
        }
    }
    return native.utf8Decode(bytes, false, false);
}

const conversions = {
    ArrayBuffer: ({ bytes }) => bytes.slice().buffer,
    BinaryString: ({ bytes }) => native.latin1Decode(bytes),
    Text: ({ bytes, type }, label) => toText(bytes, label, type),
    DataURL: ({ bytes, type }) =>
        `data:${type || "application/octet-stream"};base64,${native.base64Encode(native.latin1Decode(bytes))}`,
};

// --- A read: each event is a task of its own ---

const task = step => native.setTimer(step, 0, false, []);

function tell(state, type, loaded) {
    const total = state.blob.bytes.length;
    const event = new ProgressEvent(type, { lengthComputable: true, loaded, total });
    fire(state.reader, event);
}

// Runs the steps of a read one after the other, until another read takes its place, or abort().
function run(state, steps) {
    const read = (state.read = {});
    const next = () => {
        const step = steps.shift();
        if (state.read !== read || !step) return;
        step();
        task(next);
    };
    task(next);
}

function finish(state, convert) {
    const size = state.blob.bytes.length;
    const { read } = state;
    state.readyState = DONE;
    try {
        state.result = convert(state.blob);
    } catch (error) {
        state.error = error;
    }
    tell(state, state.error === null ? "load" : "error", size);
    // A listener may have begun another read.
    if (state.read === read) tell(state, "loadend", size);
}

function begin(state, blob, convert) {
    if (state.readyState === LOADING) {
        const { DOMException } = require("snapcell:exception");
        throw new DOMException("FileReader: it is reading already", "InvalidStateError");
    }
    Object.assign(state, { readyState: LOADING, result: null, error: null, blob });
    const size = blob.bytes.length;
    const steps = [() => tell(state, "loadstart", 0)];
    if (size > 0) steps.push(() => tell(state, "progress", size));
    run(state, [...steps, () => finish(state, convert)]);
}

function blobOf(value, what) {
    const blob = typeof value === "object" && value !== null && brands.blob?.(value);
    if (!blob) throw new TypeError(`${what}: the argument must be a Blob`);
    return blob;
}

class FileReader extends EventTarget {
    #state = { reader: this, readyState: EMPTY, result: null, error: null, blob: null, read: null };

    static {
        exports.stateOf = reader => reader.#state;
    }

    get readyState() {
        return this.#state.readyState;
    }

    get result() {
        return this.#state.result;
    }

    get error() {
        return this.#state.error;
    }

    readAsArrayBuffer(blob) {
        const state = this.#state;
        begin(state, blobOf(blob, "FileReader.readAsArrayBuffer"), conversions.ArrayBuffer);
    }

    readAsBinaryString(blob) {
        const state = this.#state;
        begin(state, blobOf(blob, "FileReader.readAsBinaryString"), conversions.BinaryString);
    }

    readAsText(blob, label = undefined) {
        const state = this.#state;
        const given = blobOf(blob, "FileReader.readAsText");
        if (label !== undefined) label = `${label}`;
        begin(state, given, found => conversions.Text(found, label));
    }

    readAsDataURL(blob) {
        const state = this.#state;
        begin(state, blobOf(blob, "FileReader.readAsDataURL"), conversions.DataURL);
    }

    abort() {
        const state = this.#state;
        state.result = null;
        if (state.readyState !== LOADING) return;
        state.readyState = DONE;
        const read = (state.read = {}); // no step of the read comes any more
        const { DOMException } = require("snapcell:exception");
        state.error = new DOMException("The read was aborted", "AbortError");
        tell(state, "abort", 0);
        if (state.read === read) tell(state, "loadend", 0);
    }
}
expose(FileReader);

const { stateOf } = exports;
delete exports.stateOf;
for (const type of ["loadstart", "progress", "load", "abort", "error", "loadend"])
    handlerAttribute(FileReader, type, stateOf);
Object.entries({ EMPTY, LOADING, DONE }).forEach(([name, value]) => {
    Object.defineProperty(FileReader, name, { value, enumerable: true });
    Object.defineProperty(FileReader.prototype, name, { value, enumerable: true });
});

exports.FileReader = FileReader;
exports.ProgressEvent = ProgressEvent;
