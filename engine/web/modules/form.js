"use strict";
const { brands, expose, need } = require("snapcell:idl");
const newIterator = require("snapcell:iterators").iteratorsOf("FormData");

const isBlob = value =>
    typeof value === "object" && value !== null && Boolean(brands.blob?.(value));

function entryValue(value, filename, given) {
    if (!isBlob(value)) {
        if (given > 2)
            throw new TypeError("FormData: a file name is given, but the value is not a Blob");
        return `${value}`.toWellFormed();
    }
    const { File } = require("snapcell:blob");
    if (value instanceof File && filename === undefined) return value;
    const name = filename === undefined ? "blob" : `${filename}`.toWellFormed();
    const lastModified = value instanceof File ? value.lastModified : undefined;
    const options = { __proto__: null, type: value.type, lastModified };
    return new File([value], name, options);
}

class FormData {
    #entries = [];

    static {
        brands.form = value => (#entries in value ? value.#entries : undefined);
    }

    constructor(form = undefined) {
        if (form !== undefined) throw new TypeError("FormData: there are no form elements here");
    }

    append(name, value, filename = undefined) {
        need(2, arguments.length, "FormData.append");
        this.#entries.push([
            `${name}`.toWellFormed(),
            entryValue(value, filename, arguments.length),
        ]);
    }

    delete(name) {
        need(1, arguments.length, "FormData.delete");
        name = `${name}`.toWellFormed();
        this.#entries = this.#entries.filter(entry => entry[0] !== name);
    }

    get(name) {
        need(1, arguments.length, "FormData.get");
        name = `${name}`.toWellFormed();
        return this.#entries.find(entry => entry[0] === name)?.[1] ?? null;
    }

    getAll(name) {
        need(1, arguments.length, "FormData.getAll");
        name = `${name}`.toWellFormed();
        return this.#entries.filter(entry => entry[0] === name).map(entry => entry[1]);
    }

    has(name) {
        need(1, arguments.length, "FormData.has");
        name = `${name}`.toWellFormed();
        return this.#entries.some(entry => entry[0] === name);
    }

    set(name, value, filename = undefined) {
        need(2, arguments.length, "FormData.set");
        name = `${name}`.toWellFormed();
        const entry = [name, entryValue(value, filename, arguments.length)];
        const index = this.#entries.findIndex(other => other[0] === name);
        if (index < 0) {
            this.#entries.push(entry);
            return;
        }
        this.#entries[index] = entry;
        this.#entries = this.#entries.filter((other, i) => i <= index || other[0] !== name);
    }

    forEach(callback, thisArgument = undefined) {
        need(1, arguments.length, "FormData.forEach");
        if (typeof callback !== "function") {
            throw new TypeError("FormData.forEach: the callback must be a function");
        }
        for (const [name, value] of this) callback.call(thisArgument, value, name, this);
    }

    keys() {
        this.#entries;
        return newIterator(index => this.#entries[index]?.[0]);
    }

    values() {
        this.#entries;
        return newIterator(index => this.#entries[index]?.[1]);
    }

    entries() {
        this.#entries;
        return newIterator(index => this.#entries[index]?.slice());
    }
}
expose(FormData);
Object.defineProperty(FormData.prototype, Symbol.iterator, {
    value: FormData.prototype.entries,
    writable: true,
    configurable: true,
});

exports.FormData = FormData;

// --- multipart/form-data, for bodies ---

const newLines = text => text.replace(/\r\n?|\n/g, "\r\n");
const escapeName = text => text.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");

let boundaries = 0;

// A boundary that is in none of the parts. It need not be random for that.
function newBoundary(chunks) {
    const texts = chunks.map(chunk => native.latin1Decode(chunk));
    for (;;) {
        const boundary = `----formdata-snapcell-${String(boundaries++).padStart(12, "0")}`;
        if (!texts.some(text => text.includes(boundary))) return boundary;
    }
}

function partHead(name, value) {
    const disposition = `Content-Disposition: form-data; name="${escapeName(newLines(name))}"`;
    if (typeof value === "string") return `${disposition}\r\n\r\n`;
    const type = value.type || "application/octet-stream";
    return `${disposition}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
}

// {bytes, type} of a FormData's entries.
exports.encode = entries => {
    const parts = entries.map(([name, value]) => [
        native.utf8Encode(partHead(name, value)),
        typeof value === "string" ? native.utf8Encode(newLines(value)) : brands.blob(value).bytes,
    ]);
    const boundary = newBoundary(parts.flat());
    const { Blob } = require("snapcell:blob");
    const pieces = parts.flatMap(([head, body]) => [`--${boundary}\r\n`, head, body, "\r\n"]);
    const { bytes } = brands.blob(new Blob([...pieces, `--${boundary}--\r\n`]));
    return { bytes, type: `multipart/form-data; boundary=${boundary}` };
};

// {name: value} of a Content-Disposition. There are no quoted pairs: a value ends at the next quote.
function parametersOf(text) {
    const parameters = { __proto__: null };
    for (const [, name, quoted, plain] of text.matchAll(
        /;[ \t]*([^\s=;"]+)=(?:"([^"]*)"|([^;]*))/g
    ))
        parameters[name.toLowerCase()] ??= quoted ?? plain.trim();
    return parameters;
}

const unescapeName = text =>
    text.replace(/%0A/gi, "\n").replace(/%0D/gi, "\r").replace(/%22/g, '"');

const bad = what => new TypeError(`formData: the multipart body is malformed: ${what}`);

// The lines before a part's body, as Latin-1 text.
function parseHead(text) {
    const headers = {};
    for (const line of text.split("\r\n")) {
        const colon = line.indexOf(":");
        if (colon > 0)
            headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
    return headers;
}

const utf8 = latin1 =>
    native.utf8Decode(
        Uint8Array.from(latin1, c => c.charCodeAt(0)),
        false,
        true
    );

function addPart(form, headers, bytes) {
    const disposition = headers["content-disposition"] ?? "";
    const { name, filename } = parametersOf(disposition);
    if (!/^form-data/i.test(disposition) || name === undefined) throw bad("a part has no name");
    const key = unescapeName(utf8(name));
    if (filename === undefined) {
        form.append(key, native.utf8Decode(bytes, false, true)); // a byte order mark is kept
        return;
    }
    const { File } = require("snapcell:blob");
    const type = headers["content-type"] ?? "text/plain";
    form.append(key, new File([bytes], unescapeName(utf8(filename)), { type }));
}

// A FormData of a multipart body.
exports.parse = (bytes, boundary) => {
    if (!boundary) throw bad("the content-type has no boundary");
    const text = native.latin1Decode(bytes);
    const form = new FormData();
    const delimiter = `--${boundary}`;
    let at = text.startsWith(delimiter) ? 0 : text.indexOf(`\r\n${delimiter}`) + 2;
    if (at === 1) throw bad("the boundary is not in it");
    for (;;) {
        at += delimiter.length;
        if (text.startsWith("--", at)) return form;
        const start = text.indexOf("\r\n", at);
        const bodyStart = text.indexOf("\r\n\r\n", start);
        const end = text.indexOf(`\r\n${delimiter}`, bodyStart < 0 ? at : bodyStart + 2);
        if (start < 0 || bodyStart < 0 || end < 0) throw bad("it ends inside of a part");
        const from = bodyStart + 4;
        addPart(
            form,
            parseHead(text.slice(start + 2, bodyStart)),
            bytes.subarray(from, Math.max(from, end))
        );
        at = end + 2;
    }
};
