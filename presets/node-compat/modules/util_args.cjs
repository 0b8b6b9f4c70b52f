"use strict";
// util.parseArgs
const { failure, invalidType, invalidValue } = require("./errors.cjs");

const isLong = text => /^--[^-=]|^--[^=]./.test(text) && text !== "--";
const isShort = text => /^-[^-]/.test(text);

function unknown(name, allowPositionals) {
    const more = allowPositionals
        ? ". To specify a positional argument starting with a '-', place it at the end of the command " +
          `after '--', as in '-- "${name}"`
        : "";
    return failure(TypeError, "ERR_PARSE_ARGS_UNKNOWN_OPTION", `Unknown option '${name}'${more}`);
}

const badValue = message => failure(TypeError, "ERR_PARSE_ARGS_INVALID_OPTION_VALUE", message);

function checkOptions(options) {
    for (const [name, option] of Object.entries(options)) {
        if (option.type !== "string" && option.type !== "boolean")
            throw invalidType(`options.${name}.type`, "string", option.type);
        if (option.short !== undefined && option.short.length !== 1)
            throw invalidValue(`options.${name}.short`, option.short, "must be a single character");
    }
}

// The words as tokens: {kind, name, rawName, index, value, inlineValue} of an option.
function tokenize(args, options) {
    const tokens = [];
    const rest = args.map((word, index) => ({ word, index }));
    const shorts = new Map(
        Object.entries(options).flatMap(([name, { short }]) => (short ? [[short, name]] : []))
    );
    const takesValue = name => options[name]?.type === "string";
    const add = (name, rawName, index, inline) => {
        const wants = inline === undefined && takesValue(name) && rest.length > 0;
        const value = wants ? rest.shift().word : inline;
        tokens.push({
            kind: "option",
            name,
            rawName,
            index,
            value,
            inlineValue: value === undefined ? undefined : !wants,
        });
    };
    while (rest.length > 0) {
        const { word, index } = rest.shift();
        if (word === "--") {
            tokens.push({ kind: "option-terminator", index });
            for (const { word: value, index: at } of rest)
                tokens.push({ kind: "positional", index: at, value });
            break;
        }
        if (isShort(word)) {
            const name = shorts.get(word[1]) ?? word[1];
            if (word.length === 2) add(name, `-${word[1]}`, index);
            else if (takesValue(name)) add(name, `-${word[1]}`, index, word.slice(2));
            else {
                // Several in one word: each stands for a word of its own.
                rest.unshift({ word: `-${word.slice(2)}`, index });
                tokens.push({
                    kind: "option",
                    name,
                    rawName: `-${word[1]}`,
                    index,
                    value: undefined,
                    inlineValue: undefined,
                });
            }
        } else if (isLong(word)) {
            const at = word.indexOf("=", 3);
            const name = at < 0 ? word.slice(2) : word.slice(2, at);
            add(name, `--${name}`, index, at < 0 ? undefined : word.slice(at + 1));
        } else tokens.push({ kind: "positional", index, value: word });
    }
    return tokens;
}

const dashed = (rawName, name) =>
    rawName.startsWith("--") ? `${rawName}=-XYZ` : `--${name}=-XYZ' or '${rawName}-XYZ`;

function checkToken({ name, rawName, value, inlineValue }, options, allowPositionals) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (!option) throw unknown(rawName, allowPositionals);
    const shown = option.short ? `-${option.short}, --${name}` : `--${name}`;
    if (option.type === "string" && value === undefined)
        throw badValue(`Option '${shown} <value>' argument missing`);
    if (
        option.type === "string" &&
        inlineValue === false &&
        value.length > 1 &&
        value.startsWith("-")
    )
        throw badValue(
            `Option '${rawName}' argument is ambiguous.\n` +
                `Did you forget to specify the option argument for '${rawName}'?\n` +
                `To specify an option argument starting with a dash use '${dashed(rawName, name)}'.`
        );
    if (option.type === "boolean" && value !== undefined)
        throw badValue(`Option '${shown}' does not take an argument`);
}

function parseArgs(config = {}) {
    const { args = [], options = {}, strict = true, tokens: wantsTokens = false } = config;
    const { allowPositionals = !strict, allowNegative = false } = config;
    if (!Array.isArray(args)) throw invalidType("args", "Array", args);
    checkOptions(options);
    const tokens = tokenize(args, options);
    const values = { __proto__: null };
    const positionals = [];
    for (const token of tokens) {
        if (token.kind === "positional") {
            if (!allowPositionals)
                throw failure(
                    TypeError,
                    "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL",
                    `Unexpected argument '${token.value}'. This command does not take positional arguments`
                );
            positionals.push(token.value);
        }
        if (token.kind !== "option") continue;
        let { name, value } = token;
        const positive = name.startsWith("no-") ? name.slice(3) : "";
        const negates =
            allowNegative && value === undefined && options[positive]?.type === "boolean";
        if (negates) [name, value] = [positive, false];
        else if (strict) checkToken(token, options, allowPositionals);
        value ??= true;
        if (options[name]?.multiple) (values[name] ??= []).push(value);
        else values[name] = value;
    }
    for (const [name, { default: value }] of Object.entries(options))
        if (value !== undefined && values[name] === undefined) values[name] = value;
    return wantsTokens ? { values, positionals, tokens } : { values, positionals };
}

module.exports = { parseArgs };
