// A plugin for Vite: its development server answers through `snapcell serve`, and a build ends in the store.
import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import { Readable } from "node:stream";
import { build } from "./build.js";
import { isBundling, viteBundler } from "./bundler_vite.js";
import { LiveProject } from "./live.js";
import { failureText, messageOf } from "./report.js";
import { workFolder } from "./state.js";

function requestOf({ method, url, originalUrl, headers, ...request }, stream) {
    const list = Object.entries(headers).flatMap(([name, value]) =>
        name.startsWith(":") ? [] : [value].flat().map(one => [name, one])
    );
    const hasBody = method !== "GET" && method !== "HEAD";
    return new Request(`http://${headers.host ?? "localhost"}${originalUrl ?? url}`, {
        method,
        headers: list,
        ...(hasBody ? { body: Readable.toWeb(stream), duplex: "half" } : {}),
    });
}

async function send(answer, response) {
    response.statusCode = answer.status;
    for (const [name, value] of answer.headers)
        if (name !== "set-cookie") response.setHeader(name, value);
    const cookies = answer.headers.getSetCookie();
    if (cookies.length > 0) response.setHeader("set-cookie", cookies);
    if (!answer.body) return response.end();
    for await (const part of answer.body) if (!response.write(part)) await drained(response);
    return response.end();
}

const drained = stream => new Promise(done => stream.once("drain", done).once("close", done));

// In Vite's terminal: failures, and what the function writes.
const tells = logger => event => {
    const text = messageOf(event);
    if (text) logger[event.event === "console" ? "info" : "error"](text, { timestamp: true });
};

// A build of Vite's is of a page, unless something says otherwise: without any page there is the function alone.
function hasNoPage({ root = ".", build = {}, builder, environments = {} }) {
    const { lib, ssr, rollupOptions, rolldownOptions } = build;
    const others = Object.values(environments).map(({ build: one }) => one?.rollupOptions?.input);
    const inputs = [rollupOptions?.input, rolldownOptions?.input, lib, ssr, builder, ...others];
    return inputs.every(one => !one) && !existsSync(join(root, "index.html"));
}

/** @param {import("./vite.js").VitePluginOptions} [options] */
export function snapcell({ environment = "snapcell", ...options } = {}) {
    let config;
    let live;
    const inline = () => ({ configFile: config.configFile ?? false });
    const settings = () => ({ bundler: viteBundler(inline()), cwd: config.root, ...options });
    async function buildFunctions() {
        const { functions, root } = await build(settings());
        for (const { name, key, error } of functions) {
            if (error) throw new Error(failureText(name, error, root));
            config.logger.info(`snapcell: ${name} ${key}`);
        }
    }
    const buildApp = async builder => {
        await buildFunctions();
        builder.environments[environment].isBuilt = true; // which nothing but this plugin could
    };
    return {
        name: "snapcell",
        apply: () => !isBundling(),
        async config(given, { command }) {
            const { createFetchableDevEnvironment } = await import("vite");
            const createEnvironment = (name, resolved) => {
                const bundler = viteBundler({ configFile: resolved.configFile ?? false });
                const all = { bundler, cwd: resolved.root, ...options };
                live ??= new LiveProject(all, tells(resolved.logger));
                const handleRequest = request => live.fetch(request);
                return createFetchableDevEnvironment(name, resolved, { hot: false, handleRequest });
            };
            const dev = { createEnvironment };
            return {
                appType: "custom",
                environments: { [environment]: { consumer: "server", dev } },
                ...(command === "build" && hasNoPage(given) ? { builder: { buildApp } } : {}),
            };
        },
        configResolved(resolved) {
            config = resolved;
        },
        configureServer(server) {
            const own = workFolder(config.root) + sep; // where builds write
            server.watcher.on(
                "all",
                (event, file) => (file + sep).startsWith(own) || live.change()
            );
            server.httpServer?.on("close", () => void live.close());
            return () =>
                server.middlewares.use((request, response, next) => {
                    const asked = requestOf(request, request);
                    server.environments[environment]
                        .dispatchFetch(asked)
                        .then(answer => send(answer, response))
                        .catch(next);
                });
        },
        async closeBundle() {
            if (config.command !== "build" || this.environment?.name === environment) return;
            await buildFunctions();
        },
    };
}

export { viteBundler };
export default snapcell;
