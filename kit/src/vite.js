// A plugin for Vite: its development server answers through `snapcell serve`, and a build ends in the store.
import { Readable } from "node:stream";
import { build } from "./build.js";
import { isBundling, viteBundler } from "./bundler_vite.js";
import { LiveProject } from "./live.js";
import { failureText } from "./report.js";

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

/** @param {import("./vite.js").VitePluginOptions} [options] */
export function snapcell({ environment = "snapcell", ...options } = {}) {
    let config;
    let live;
    const inline = () => ({ configFile: config.configFile ?? false });
    const settings = () => ({ bundler: viteBundler(inline()), cwd: config.root, ...options });
    return {
        name: "snapcell",
        apply: () => !isBundling(),
        async config() {
            const { createFetchableDevEnvironment } = await import("vite");
            const createEnvironment = (name, resolved) => {
                live ??= new LiveProject({
                    bundler: viteBundler({ configFile: resolved.configFile ?? false }),
                    cwd: resolved.root,
                    ...options,
                });
                const handleRequest = request => live.fetch(request);
                return createFetchableDevEnvironment(name, resolved, { hot: false, handleRequest });
            };
            const dev = { createEnvironment };
            return {
                appType: "custom",
                environments: { [environment]: { consumer: "server", dev } },
            };
        },
        configResolved(resolved) {
            config = resolved;
        },
        configureServer(server) {
            server.watcher.on("all", () => live.change());
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
            const { functions, root } = await build(settings());
            for (const { name, key, error } of functions) {
                if (error) throw new Error(failureText(name, error, root));
                config.logger.info(`snapcell: ${name} ${key}`);
            }
        },
    };
}

export { viteBundler };
export default snapcell;
