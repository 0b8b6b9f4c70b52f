"use strict";
// Patterns of path.matchesGlob, as regular expressions.
const special = /[\\^$.|+()]/;

// "{a,b}" is each in turn, others are themselves.
function alternatives(pattern) {
    const found = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
    if (!found) return [pattern];
    const [head, tail] = [
        pattern.slice(0, found.index),
        pattern.slice(found.index + found[0].length),
    ];
    return found[1].split(",").flatMap(part => alternatives(head + part + tail));
}

// One segment; names that begin with a dot are matched by a dot alone.
function segmentOf(text) {
    let result = /^[*?[]/.test(text) ? "(?!\\.)" : "";
    for (let i = 0; i < text.length; i++) {
        const char = text[i];
        const end = char === "[" ? text.indexOf("]", i + 2) : -1;
        if (end > 0) {
            result += `[${text
                .slice(i + 1, end)
                .replace(/^!/, "^")
                .replaceAll("\\", "\\\\")}]`;
            i = end;
        } else if (char === "*") result += "[^/]*";
        else if (char === "?") result += "[^/]";
        else result += special.test(char) || char === "[" ? `\\${char}` : char;
    }
    return result;
}

function plainExpression(pattern) {
    const segments = pattern.split("/");
    let result = "";
    segments.forEach((segment, i) => {
        const isLast = i === segments.length - 1;
        if (segment === "**")
            result += isLast ? "(?:(?!\\.)[^/]*(?:/(?!\\.)[^/]*)*)?" : "(?:(?!\\.)[^/]*/)*";
        else result += segmentOf(segment) + (isLast ? "" : "/");
    });
    return result;
}

exports.expressionOf = pattern =>
    new RegExp(`^(?:${alternatives(pattern).map(plainExpression).join("|")})$`);
