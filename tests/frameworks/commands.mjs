// Commands that make and build projects, with their output in a log.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

export function run(command, args, { cwd, log, env = {} }) {
    mkdirSync(dirname(log), { recursive: true });
    const { status, stdout, stderr, error } = spawnSync(command, args, {
        cwd,
        encoding: "utf8",
        env: { ...process.env, CI: "1", NO_COLOR: "1", ...env },
        stdio: ["ignore", "pipe", "pipe"],
        maxBuffer: 1 << 28,
    });
    appendFileSync(log, `$ ${command} ${args.join(" ")}\n${stdout}${stderr}\n`);
    if (error) throw error;
    if (status === 0) return stdout;
    const lines = stderr.trim().split("\n").slice(-3).join("\n");
    throw new Error(
        `${command} ${args.slice(0, 3).join(" ")}: status ${status}, see ${log}\n${lines}`
    );
}
