"use strict";
// Pattern strings of the URL Pattern standard: tokens, parts, and what is generated of them.

// --- Tokens ---

// Properties of Unicode take V8 milliseconds to compile: names in ASCII do without.
const isNameStart = character =>
    character < "\x80" ? /[$_a-z]/i.test(character) : /[$_\p{ID_Start}]/u.test(character);
const isNamePart = character =>
    character < "\x80"
        ? /[$_a-z0-9]/i.test(character)
        : /[$\u200c\u200d\p{ID_Continue}]/u.test(character);

const simpleTokens = {
    "*": "asterisk",
    "+": "modifier",
    "?": "modifier",
    "{": "open",
    "}": "close",
};

// Where the name ends whose first character is at `at`; `at` itself when there is none.
function nameEnd(characters, at) {
    let end = at;
    while (end < characters.length) {
        if (!(end === at ? isNameStart : isNamePart)(characters[end])) break;
        end++;
    }
    return end;
}

// Where the regular expression ends, after its parenthesis, whose first character is at `at`; -1 when
// it is none.
function regexpEnd(characters, at) {
    let depth = 1;
    for (let i = at; i < characters.length; i++) {
        const character = characters[i];
        if (character > "\x7f" || (i === at && character === "?")) return -1;
        if (character === "\\") {
            if (++i >= characters.length || characters[i] > "\x7f") return -1;
        } else if (character === ")") {
            if (--depth === 0) return i === at ? -1 : i + 1;
        } else if (character === "(") {
            depth++;
            if (characters[i + 1] !== "?") return -1; // capturing groups
        }
    }
    return -1;
}

// [type, value, where the token ends]; no type for an error.
function tokenAt(characters, at) {
    const character = characters[at];
    if (Object.hasOwn(simpleTokens, character)) return [simpleTokens[character], character, at + 1];
    if (character === "\\") {
        if (at + 1 === characters.length) return [undefined, "", at + 1];
        return ["escaped", characters[at + 1], at + 2];
    }
    if (character === ":") {
        const end = nameEnd(characters, at + 1);
        if (end === at + 1) return [undefined, "", end];
        return ["name", characters.slice(at + 1, end).join(""), end];
    }
    if (character === "(") {
        const end = regexpEnd(characters, at + 1);
        if (end < 0) return [undefined, "", at + 1];
        return ["regexp", characters.slice(at + 1, end - 1).join(""), end];
    }
    return ["char", character, at + 1];
}

// Tokens of a list of characters, with "end" at the end. A lenient tokenizer takes the character where
// an error is as it is.
const tokenize = (exports.tokenize = (characters, lenient) => {
    const tokens = [];
    for (let at = 0; at < characters.length;) {
        const [type, value, end] = tokenAt(characters, at);
        if (type === undefined && !lenient) {
            throw new TypeError(`URLPattern: "${characters.join("")}" is wrong at ${at}`);
        }
        // What stands for an error is the character before the place where it was found.
        tokens.push({
            type: type ?? "invalid",
            index: at,
            value: type === undefined ? characters.slice(at, end).join("") : value,
        });
        at = end;
    }
    tokens.push({ type: "end", index: characters.length, value: "" });
    return tokens;
});

// --- Parts ---
// A part: type "fixed", "regexp", "segment" or "full" (wildcards); value (a text, or a regular
// expression); modifier "", "?", "*" or "+"; name, prefix, suffix.

const fullWildcard = ".*";

const escapeRegexp = text => text.replace(/[.+*?^${}()[\]|/\\]/g, "\\$&");
const segmentWildcard = ({ delimiter }) => `[^${escapeRegexp(delimiter)}]+?`;

class Parser {
    constructor(text, encode, options) {
        this.tokens = tokenize([...text], false);
        this.encode = encode;
        this.options = options;
        this.wildcard = segmentWildcard(options);
        this.parts = [];
        this.names = new Set();
        this.pending = "";
        this.index = 0;
        this.nextNumber = 0;
    }

    take(...types) {
        const token = this.tokens[this.index];
        if (!types.includes(token.type)) return undefined;
        this.index++;
        return token;
    }

    expect(type) {
        if (this.take(type)) return;
        const { index, value } = this.tokens[this.index];
        throw new TypeError(
            `URLPattern: "${value}" at ${index} of a pattern is not expected there`
        );
    }

    // A regular expression, or an asterisk where there is no name.
    takeValue(name) {
        return this.take("regexp") ?? (name ? undefined : this.take("asterisk"));
    }

    takeText() {
        let text = "";
        for (let token; (token = this.take("char", "escaped"));) text += token.value;
        return text;
    }

    takeModifier() {
        return this.take("modifier", "asterisk")?.value ?? "";
    }

    flush() {
        if (this.pending === "") return;
        this.addFixed(this.pending, "");
        this.pending = "";
    }

    addFixed(text, modifier) {
        const value = this.encode(text);
        this.parts.push({ type: "fixed", value, modifier, name: "", prefix: "", suffix: "" });
    }

    nameOf(name) {
        const text = name ? name.value : String(this.nextNumber++);
        if (this.names.has(text)) {
            throw new TypeError(`URLPattern: a pattern has two groups of the name "${text}"`);
        }
        this.names.add(text);
        return text;
    }

    add(prefix, name, regexp, suffix, modifier) {
        if (!name && !regexp && modifier === "") {
            this.pending += prefix;
            return;
        }
        this.flush();
        if (!name && !regexp) {
            if (prefix !== "") this.addFixed(prefix, modifier);
            return;
        }
        let value = this.wildcard;
        if (regexp) value = regexp.type === "asterisk" ? fullWildcard : regexp.value;
        const type =
            value === this.wildcard ? "segment" : value === fullWildcard ? "full" : "regexp";
        name = this.nameOf(name);
        prefix = this.encode(prefix);
        suffix = this.encode(suffix);
        this.parts.push({ type, value, modifier, name, prefix, suffix });
    }

    // {prefix:name(regexp)suffix}, whose brace was taken.
    takeGroup() {
        const prefix = this.takeText();
        const name = this.take("name");
        const regexp = this.takeValue(name);
        const suffix = this.takeText();
        this.expect("close");
        this.add(prefix, name, regexp, suffix, this.takeModifier());
    }

    step() {
        const character = this.take("char");
        const name = this.take("name");
        const regexp = this.takeValue(name);
        if (name || regexp) {
            let prefix = character?.value ?? "";
            if (prefix !== this.options.prefix) {
                this.pending += prefix;
                prefix = "";
            }
            this.flush();
            this.add(prefix, name, regexp, "", this.takeModifier());
            return;
        }
        const fixed = character ?? this.take("escaped");
        if (fixed) this.pending += fixed.value;
        else if (this.take("open")) this.takeGroup();
        else {
            this.flush();
            this.expect("end");
        }
    }

    parse() {
        while (this.index < this.tokens.length) this.step();
        return this.parts;
    }
}

// --- What is generated of parts ---

function regexpOfPart({ type, value, modifier, prefix, suffix }) {
    if (type === "fixed") {
        return modifier === "" ? escapeRegexp(value) : `(?:${escapeRegexp(value)})${modifier}`;
    }
    const repeats = modifier === "*" || modifier === "+";
    if (prefix === "" && suffix === "") {
        return repeats ? `((?:${value})${modifier})` : `(${value})${modifier}`;
    }
    const before = escapeRegexp(prefix);
    const after = escapeRegexp(suffix);
    if (!repeats) return `(?:${before}(${value})${after})${modifier}`;
    const more = `((?:${value})(?:${after}${before}(?:${value}))*)`;
    return `(?:${before}${more}${after})${modifier === "*" ? "?" : ""}`;
}

const escapePattern = (exports.escapePattern = text => text.replace(/[+*?:{}()\\]/g, "\\$&"));

const startsName = text => text !== "" && isNamePart(String.fromCodePoint(text.codePointAt(0)));
const isNumber = name => /^[0-9]/.test(name);

// Whether braces must keep a part from its neighbours.
function needsGroup(part, previous, next, options) {
    const { prefix, suffix, name, type, modifier } = part;
    if (suffix !== "" || (prefix !== "" && prefix !== options.prefix)) return true;
    const isNamed = !isNumber(name);
    if (isNamed && type === "segment" && modifier === "" && next) {
        if (next.prefix === "" && next.suffix === "") {
            const touches = next.type === "fixed" ? startsName(next.value) : isNumber(next.name);
            if (touches) return true;
        }
    }
    return (
        prefix === "" &&
        previous?.type === "fixed" &&
        options.prefix !== "" &&
        previous.value.endsWith(options.prefix)
    );
}

function patternOfGroup(part, previous, grouped, options) {
    const { type, name, value, prefix, suffix } = part;
    const isNamed = !isNumber(name);
    let text = escapePattern(prefix);
    if (isNamed) text += `:${name}`;
    if (type === "regexp") text += `(${value})`;
    else if (type === "segment" && !isNamed) text += `(${segmentWildcard(options)})`;
    else if (type === "full") {
        const alone = !previous || previous.type === "fixed" || previous.modifier !== "" || grouped;
        text += !isNamed && (alone || prefix !== "") ? "*" : `(${fullWildcard})`;
    }
    if (type === "segment" && isNamed && startsName(suffix)) text += "\\";
    return text + escapePattern(suffix);
}

function patternOfPart(part, previous, next, options) {
    if (part.type === "fixed") {
        const text = escapePattern(part.value);
        return part.modifier === "" ? text : `{${text}}${part.modifier}`;
    }
    const grouped = needsGroup(part, previous, next, options);
    const text = patternOfGroup(part, previous, grouped, options);
    return (grouped ? `{${text}}` : text) + part.modifier;
}

// {pattern, regexp, names, hasGroups}: what a component matches. `options` has delimiter, prefix, and
// ignoreCase.
exports.compile = (text, encode, options) => {
    const parts = new Parser(text, encode, options).parse();
    const source = `^${parts.map(regexpOfPart).join("")}$`;
    let regexp;
    try {
        regexp = new RegExp(source, options.ignoreCase ? "vi" : "v");
    } catch {
        throw new TypeError(`URLPattern: "${text}" has an invalid regular expression`);
    }
    return {
        pattern: parts
            .map((part, i) => patternOfPart(part, parts[i - 1], parts[i + 1], options))
            .join(""),
        regexp,
        names: parts.filter(({ type }) => type !== "fixed").map(({ name }) => name),
        hasGroups: parts.some(({ type }) => type === "regexp"),
    };
};
