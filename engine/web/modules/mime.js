"use strict";
// Types of the MIME Sniffing standard.

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valueText = /^[\t\x20-\x7e\x80-\xff]*$/;
const blanks = "\t\n\r ";

function trimStart(text) {
    let at = 0;
    while (at < text.length && blanks.includes(text[at])) at++;
    return text.slice(at);
}

function trimEnd(text) {
    let end = text.length;
    while (end > 0 && blanks.includes(text[end - 1])) end--;
    return text.slice(0, end);
}

const trim = (exports.trim = text => trimEnd(trimStart(text)));

// The place of a character from `at` on, or the text's end.
function find(text, character, at) {
    const found = text.indexOf(character, at);
    return found < 0 ? text.length : found;
}

// Collects an HTTP quoted string, whose quote is at `at`: [value, where it ends]. It may lack the
// second quote, and end in a backslash.
function unquote(text, at) {
    let value = "";
    for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === "\\" && at + 1 < text.length) at++;
        value += text[at];
    }
    return [value, Math.min(at + 1, text.length)];
}

// Values of a list of headers: parts at commas that stand outside of quotes.
function split(text) {
    const parts = [];
    let start = 0;
    let at = 0;
    while (at <= text.length) {
        if (at === text.length || text[at] === ",") {
            parts.push(text.slice(start, at));
            start = ++at;
        } else {
            at = text[at] === '"' ? unquote(text, at)[1] : at + 1;
        }
    }
    return parts;
}

// Parameters from the semicolon at `at` on: the first of each name, where name and value can be one.
function parseParameters(text, at) {
    const parameters = new Map();
    while (at < text.length) {
        const end = find(text, ";", ++at);
        const equals = at + text.slice(at, end).indexOf("=");
        const name = trimStart(text.slice(at, equals)).toLowerCase();
        const none = equals < at;
        at = end;
        if (none) continue;
        const quoted = text[equals + 1] === '"';
        let value = trimEnd(text.slice(equals + 1, end));
        if (quoted) {
            [value, at] = unquote(text, equals + 1);
            at = find(text, ";", at);
        } else if (value === "") {
            continue;
        }
        if (token.test(name) && valueText.test(value) && !parameters.has(name)) {
            parameters.set(name, value);
        }
    }
    return parameters;
}

// {essence, parameters}, or null.
const parse = (exports.parse = text => {
    text = trim(text);
    const end = find(text, ";", 0);
    const slash = text.indexOf("/");
    if (slash < 0 || slash > end) return null;
    const type = text.slice(0, slash);
    const subtype = trimEnd(text.slice(slash + 1, end));
    if (!token.test(type) || !token.test(subtype)) return null;
    return {
        essence: `${type}/${subtype}`.toLowerCase(),
        parameters: parseParameters(text, end),
    };
});

// The type of a message whose content-type headers are `text`, combined: the last of them that is one,
// with the charset of one before that was the same. Null when there is none.
exports.extract = text => {
    let result = null;
    let charset;
    for (const part of split(text ?? "")) {
        const type = parse(part);
        if (!type || type.essence === "*/*") continue;
        if (type.essence !== result?.essence) charset = type.parameters.get("charset");
        else if (charset !== undefined && !type.parameters.has("charset"))
            type.parameters.set("charset", charset);
        result = type;
    }
    return result;
};

exports.serialize = ({ essence, parameters }) => {
    let text = essence;
    for (const [name, value] of parameters) {
        const plain = token.test(value);
        text += `;${name}=${plain ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
    }
    return text;
};
