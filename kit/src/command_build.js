// snapcell build: results on standard output, messages on standard error.
import { statuses } from "./failure.js";
import { build } from "./build.js";
import { report, reportNotes, worstStatus } from "./report.js";
import { watchBuild } from "./watch.js";

/** @param {any} options */
export async function buildCommand(options) {
    const show = built => {
        reportNotes(built.notes);
        for (const one of built.functions) report(one, built.root, options);
    };
    if (options.watch) {
        await watchBuild(options, show);
        return statuses.done;
    }
    const built = await build(options);
    show(built);
    return worstStatus(built.functions);
}
