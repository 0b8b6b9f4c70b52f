// A page that shows what functions are made of, without any other file.
import { readFileSync } from "node:fs";

const part = name => readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");

// JSON inside of a script element.
const embedded = value => JSON.stringify(value).replaceAll("<", "\\u003c");

/** The parts of a function that have a size, as the page takes them. */
const dataOf = ({ name, kind, modules, engine_bytes, v8_bytes, ...facts }) => ({
    name,
    kind,
    bundle_bytes: facts.bundle_bytes,
    snapshot_bytes: facts.snapshot_bytes,
    artifact_bytes: facts.artifact_bytes,
    top_level_ms: facts.top_level_ms,
    items: [
        ...modules.map(({ path, package: group, ...sizes }) => ({ path, group, ...sizes })),
        ...Object.entries(engine_bytes).map(([path, bytes]) => ({
            path,
            group: "(web APIs)",
            snapshot_bytes: bytes,
        })),
        { path: "V8, and what several share", group: "(V8)", snapshot_bytes: v8_bytes },
    ],
});

/** @param {any[]} functions results of check() */
export const treemapPage = functions =>
    part("treemap.html")
        .replace("/*style*/", () => part("treemap.css"))
        .replace("/*data*/", () => `const functions = ${embedded(functions.map(dataOf))};`)
        .replace("/*script*/", () => part("treemap.js"));
