// The modules that stand in for Node's: presets/node-compat of the sources, packed with this package.
import { existsSync } from "node:fs";
import { sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const places = ["../build/node-compat/", "../../presets/node-compat/"];

/** The folder of the preset, with a separator at its end. */
export const presetFolder = places
    .map(place => fileURLToPath(new URL(place, import.meta.url)))
    .find(folder => existsSync(`${folder}plugin.mjs`));

const module = name => import(pathToFileURL(presetFolder + name).href);

export const { nodeCompat } = await module("plugin.mjs");

/** Names of Node's modules that a bundle uses and that are not there, or throw. @param {any[]} parameters */
export const missingNames = async (...parameters) =>
    (await module("missing.mjs")).missingNames(...parameters);

/** Is a file one of the preset's, or of the packages that it is made of? @param {string} file */
export const isOfPreset = file => (file + sep).startsWith(presetFolder);
