// The manual pages, in man(7)'s macros: snapcell.1, and one of each command.

// A hyphen that is typed, and a line that begins as a request would.
const escaped = text =>
    text
        .replace(/\\/g, "\\e")
        .replace(/-/g, "\\-")
        .replace(/^([.'])/gm, "\\&$1");

// Lines that are indented stand as they are.
function paragraph(text) {
    const isTable = /^ /m.test(text);
    return isTable ? ["", ".nf", escaped(text), ".fi"] : ["", escaped(text)];
}

const paragraphs = texts =>
    texts
        .flatMap(text => ["PP", ...paragraph(text).slice(1)])
        .map(line => (line === "PP" ? ".PP" : line));

function optionLines({ short, name, value, help }) {
    const letters = [short && `\\-${escaped(short)}`, `\\-\\-${escaped(name)}`].filter(Boolean);
    const tag = letters.map(letter => `\\fB${letter}\\fR`).join(", ");
    return [".TP", value ? `${tag} \\fI${escaped(value)}\\fR` : tag, ...help.map(escaped)];
}

function page(title, date, version, sections) {
    const head = `.TH ${title.toUpperCase()} 1 "${date}" "snapcell ${version}" "User Commands"`;
    const body = sections.flatMap(([name, lines]) => [`.SH ${name}`, ...lines]);
    return [head, ...body, ""].join("\n").replace(/^\.SH (.*)\n\.PP\n/gm, ".SH $1\n");
}

const reference = name => `\\fBsnapcell\\-${escaped(name)}\\fR(1)`;
const nameLines = (name, summary) => [`${name.replace(/-/g, "\\-")} \\- ${escaped(summary)}`];

function commandPage(command, { version, notes }, date) {
    const exit = notes.find(text => text.startsWith("Exit status:")) ?? "";
    return page(`snapcell\\-${command.name}`, date, version, [
        ["NAME", nameLines(`snapcell-${command.name}`, command.summary)],
        ["SYNOPSIS", [escaped(command.usage)]],
        ["DESCRIPTION", paragraphs(command.description)],
        ["OPTIONS", command.options.flatMap(optionLines)],
        ["EXIT STATUS", [escaped(exit.replace(/^Exit status: /, ""))]],
        ["SEE ALSO", ["\\fBsnapcell\\fR(1)"]],
    ]);
}

function mainPage({ version, usage, description, commands, notes }, summary, date) {
    const list = commands.flatMap(command => [
        ".TP",
        reference(command.name),
        escaped(command.summary),
    ]);
    const others = commands.map(
        ({ name }, i) => reference(name) + (i + 1 < commands.length ? "," : "")
    );
    return page("snapcell", date, version, [
        ["NAME", nameLines("snapcell", summary)],
        ["SYNOPSIS", [escaped(usage)]],
        ["DESCRIPTION", paragraphs(description)],
        ["COMMANDS", list],
        ["NOTES", paragraphs(notes)],
        ["SEE ALSO", others],
    ]);
}

/** The pages by file name. `date`: as YYYY-MM-DD, or "" */
export function manPages(help, summary, date) {
    const pages = help.commands.map(command => [
        `snapcell-${command.name}.1`,
        commandPage(command, help, date),
    ]);
    return Object.fromEntries([["snapcell.1", mainPage(help, summary, date)], ...pages]);
}
