// What `snapcell serve` needs to know of functions that were built: their variables and routes, in its configuration.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileFailure, usageFailure } from "./failure.js";
import { jsoncOf } from "./wrangler.js";

const isTable = value => typeof value === "object" && value !== null && !Array.isArray(value);

function knownConfig(file) {
    if (!existsSync(file)) return {};
    const config = jsoncOf(readFileSync(file, "utf8"), file);
    const { functions = {}, routes = [] } = isTable(config) ? config : {};
    if (isTable(config) && isTable(functions) && Array.isArray(routes)) return config;
    throw usageFailure(`${file} is no configuration of \`snapcell serve\``);
}

/**
 * A configuration with what was built. Settings of these functions that no build knows, and other functions, stay.
 * @param {any} config @param {{ name: string, env?: object, routes?: string[] }[]} built
 */
export function withFunctions({ functions = {}, routes = [], ...rest }, built) {
    const names = built.map(({ name }) => name);
    const own = built.flatMap(({ name, routes: patterns = [] }) =>
        patterns.map(pattern => ({ pattern, function: name }))
    );
    const settings = built.map(({ name, env = {} }) => [name, { ...functions[name], env }]);
    return {
        ...rest,
        routes: [...routes.filter(route => !names.includes(route.function)), ...own],
        functions: { ...functions, ...Object.fromEntries(settings) },
    };
}

/** @param {string} file @param {any[]} results of a build; those that failed change nothing */
export function updateServeConfig(file, results) {
    const built = results.filter(({ error }) => !error);
    const text = `${JSON.stringify(withFunctions(knownConfig(file), built), null, 4)}\n`;
    try {
        writeFileSync(file, text);
    } catch (error) {
        throw fileFailure(`${file} could not be written: ${error.message}`);
    }
}
