"use strict";
// util.MIMEType and MIMEParams.
const { failure } = require("./errors.cjs");

const token = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+$/;
const quotable = /^[\t\x20-\x7e\x80-\xff]*$/;
const invalid = (what, text) =>
    failure(
        TypeError,
        "ERR_INVALID_MIME_SYNTAX",
        `The MIME syntax for a ${what} in ${JSON.stringify(text)} is invalid`
    );

class MIMEParams {
    #data = new Map();

    get(name) {
        return this.#data.get(`${name}`) ?? null;
    }

    has(name) {
        return this.#data.has(`${name}`);
    }

    set(name, value) {
        const [key, text] = [`${name}`, `${value}`];
        if (!token.test(key)) throw invalid("parameter name", key);
        if (!quotable.test(text)) throw invalid("parameter value", text);
        this.#data.set(key, text);
    }

    delete(name) {
        this.#data.delete(`${name}`);
    }

    entries() {
        return this.#data.entries();
    }

    keys() {
        return this.#data.keys();
    }

    values() {
        return this.#data.values();
    }

    [Symbol.iterator]() {
        return this.entries();
    }

    toString() {
        const shown = text => (token.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`);
        return Array.from(
            this.#data,
            ([name, value]) => `${name}=${value === "" ? '""' : shown(value)}`
        ).join(";");
    }

    toJSON() {
        return this.toString();
    }
}

// Of a parameter that stands twice the first counts.
function readParameters(text, params) {
    const pattern = /;[\t\n\r ]*([^;="]*)(?:=(?:"((?:[^"\\]|\\[^])*)"?[^;]*|([^;]*)))?/g;
    for (const [, given, quoted, bare] of text.matchAll(pattern)) {
        const name = given.trimEnd().toLowerCase();
        const value = quoted?.replace(/\\([^])/g, "$1") ?? bare?.trimEnd();
        if (value === undefined || (value === "" && quoted === undefined)) continue;
        if (token.test(name) && quotable.test(value) && !params.has(name)) params.set(name, value);
    }
}

class MIMEType {
    #type;
    #subtype;
    #params = new MIMEParams();

    constructor(input) {
        const text = `${input}`.trim();
        const [, type, subtype, rest] = /^([^/]*)\/?([^;]*)([^]*)$/.exec(text);
        if (!token.test(type)) throw invalid("type", text);
        if (!token.test(subtype.trimEnd())) throw invalid("subtype", text);
        this.#type = type.toLowerCase();
        this.#subtype = subtype.trimEnd().toLowerCase();
        readParameters(rest, this.#params);
    }

    get type() {
        return this.#type;
    }

    set type(value) {
        if (!token.test(`${value}`)) throw invalid("type", `${value}`);
        this.#type = `${value}`.toLowerCase();
    }

    get subtype() {
        return this.#subtype;
    }

    set subtype(value) {
        if (!token.test(`${value}`)) throw invalid("subtype", `${value}`);
        this.#subtype = `${value}`.toLowerCase();
    }

    get essence() {
        return `${this.#type}/${this.#subtype}`;
    }

    get params() {
        return this.#params;
    }

    toString() {
        const params = `${this.#params}`;
        return params ? `${this.essence};${params}` : this.essence;
    }

    toJSON() {
        return this.toString();
    }
}

module.exports = { MIMEParams, MIMEType };
