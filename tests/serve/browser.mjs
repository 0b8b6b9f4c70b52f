// Drives Debian's chromium over a pipe, by the DevTools protocol: messages of JSON that end with a zero byte.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasBrowser = () => spawnSync("chromium", ["--version"]).status === 0;

export class Browser {
    constructor() {
        this.profile = mkdtempSync(join(tmpdir(), "snapcell-browser-"));
        const sandbox = process.getuid() === 0 ? ["--no-sandbox"] : [];
        this.child = spawn(
            "chromium",
            [
                ...["--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run"],
                ...["--disable-dev-shm-usage", `--user-data-dir=${this.profile}`, ...sandbox],
                "about:blank",
            ],
            { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] }
        );
        this.ended = new Promise(resolve => this.child.on("exit", resolve));
        this.waiting = new Map();
        this.last = 0;
        let rest = "";
        this.child.stdio[4].on("data", data => {
            const messages = (rest + data).split("\0");
            rest = messages.pop();
            for (const text of messages) this.take(JSON.parse(text));
        });
        this.child.stdio[3].on("error", () => {}); // it has ended, and says so
    }

    take({ id, result, error }) {
        const wanted = this.waiting.get(id);
        if (!wanted) return;
        this.waiting.delete(id);
        if (error) wanted.reject(new Error(error.message));
        else wanted.resolve(result);
    }

    send(method, params = {}, sessionId = undefined) {
        const id = ++this.last;
        this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    }

    // A page of its own; `script` runs in it before the document's.
    async open(url, script) {
        const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
        const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
        await this.send("Page.enable", {}, sessionId);
        await this.send("Page.addScriptToEvaluateOnNewDocument", { source: script }, sessionId);
        this.send("Page.navigate", { url }, sessionId).catch(() => {}); // ends with the response's head
        return {
            evaluate: async expression => {
                const given = { expression, returnByValue: true };
                const { result } = await this.send("Runtime.evaluate", given, sessionId);
                return result.value;
            },
            close: () => this.send("Target.closeTarget", { targetId }),
        };
    }

    async close() {
        this.child.kill("SIGKILL");
        await this.ended;
        rmSync(this.profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    }
}
