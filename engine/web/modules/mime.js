"use strict";
// Types of the MIME Sniffing standard.

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valueText = /^[\t\x20-\x7e\x80-\xff]*$/;
const trim = text => text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");

// Parts of a text at a separator that stands outside of quotes.
function split(text, separator) {
    const parts = [""];
    let quotes = false;
    for (let i = 0; i < text.length; i++) {
        if (text[i] === separator && !quotes) {
            parts.push("");
            continue;
        }
        if (text[i] === '"') quotes = !quotes;
        parts[parts.length - 1] += text[i];
        if (quotes && text[i] === "\\" && i + 1 < text.length) parts[parts.length - 1] += text[++i];
    }
    return parts;
}

// What stands in quotes at the beginning of a text; what follows them does not count.
function unquote(text) {
    let value = "";
    for (let i = 1; i < text.length && text[i] !== '"'; i++) {
        if (text[i] === "\\" && i + 1 < text.length) i++;
        value += text[i];
    }
    return value;
}

// [name, value], or null for what is no parameter.
function parameter(text) {
    const equals = text.indexOf("=");
    if (equals < 0) return null;
    const name = text
        .slice(0, equals)
        .replace(/^[\t\n\r ]+/, "")
        .toLowerCase();
    const given = text.slice(equals + 1).replace(/[\t\n\r ]+$/, "");
    if (given === "") return null;
    const value = given[0] === '"' ? unquote(given) : given;
    return token.test(name) && valueText.test(value) ? [name, value] : null;
}

// {essence, parameters}, or null.
function parse(text) {
    const [essence, ...rest] = split(trim(text), ";");
    const [type, subtype, ...more] = essence.replace(/[\t\n\r ]+$/, "").split("/");
    if (more.length > 0 || !token.test(type) || !token.test(subtype ?? "")) return null;
    const parameters = new Map();
    for (const found of rest.map(parameter)) {
        if (found && !parameters.has(found[0])) parameters.set(...found);
    }
    return { essence: `${type}/${subtype}`.toLowerCase(), parameters };
}

// The type of a message whose content-type headers are `text`, combined: the last of them that is one,
// with the charset of one before that was the same. Null when there is none.
exports.extract = text => {
    let result = null;
    let charset;
    for (const part of split(text ?? "", ",")) {
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
