// snapcell build --watch.
import { failureText, say } from "./report.js";
import { Session } from "./session.js";

/**
 * Builds until the process is told to end.
 * @param {any} options
 * @param {(built: any) => void} show
 */
export async function watchBuild(options, show) {
    const session = new Session(options, {
        built(built) {
            const { error } = built;
            if (error && options.json) process.stdout.write(`${JSON.stringify({ error })}\n`);
            if (error) say(failureText("build", error, built.root));
            else show(built);
            say("snapcell: watching for changes");
        },
    });
    const ended = new Promise(done => {
        for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, done);
    });
    await session.start();
    await ended;
    await session.close();
}
