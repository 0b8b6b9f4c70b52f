// The reference of all commands, as Markdown.
const fence = text => ["```", text, "```", ""];

function optionText({ short, name, value, help }) {
    const letters = short ? `-${short}, ` : "";
    return `- \`${letters}--${name}${value ? ` ${value}` : ""}\`: ${help.join(" ")}`;
}

function commandText(command) {
    return [
        `## ${command.name}: ${command.summary}`,
        "",
        ...fence(command.usage),
        ...command.description.flatMap(text => (/^ /m.test(text) ? fence(text) : [text, ""])),
        ...command.options.map(optionText),
        "",
    ];
}

export function reference({ usage, description, commands, notes }) {
    return [
        "# Commands",
        "",
        ...fence(usage),
        ...description.flatMap(text => [text, ""]),
        ...notes.flatMap(text => [text, ""]),
        ...commands.flatMap(commandText),
    ].join("\n");
}
