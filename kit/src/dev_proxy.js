// What `snapcell dev` listens with: requests wait for a build that is under way, errors become pages with code, and
// each request is told.
import { createServer, request as connect } from "node:http";
import { performance } from "node:perf_hooks";
import { fileFailure } from "./failure.js";
import { errorPage, errorText, failureOf } from "./dev_page.js";

const eventsPath = "/__snapcell/events";
const errorSizeMax = 1 << 17;

export class DevProxy {
    #pages = new Set(); // browsers that show an error and wait for the next build
    #server = createServer((request, response) => void this.#answer(request, response));

    /**
     * @param {{ socket: () => string, ready: () => Promise<any>, root: () => string, overlay?: boolean,
     *     told: (line: any) => void }} options `ready` gives the failure of the last build, if it failed
     */
    constructor(options) {
        this.options = options;
        this.#server.on("upgrade", (request, socket) =>
            socket.end("HTTP/1.1 501 Not Implemented\r\nconnection: close\r\n\r\n")
        );
    }

    /** Listens, at one of the next ports if the port need not be the one. @returns {Promise<string>} the URL */
    async listen(host, port, isFixed) {
        for (let next = port; ; next++) {
            try {
                await this.#listenAt(host, next);
                const { port: found } = this.#server.address();
                return `http://${host.includes(":") ? `[${host}]` : host}:${found}`;
            } catch (error) {
                if (error.code === "EADDRINUSE" && !isFixed && next < port + 20) continue;
                throw fileFailure(`cannot listen on ${host}:${next}: ${error.message}`);
            }
        }
    }

    #listenAt(host, port) {
        return new Promise((done, failed) => {
            this.#server.once("error", failed);
            this.#server.listen(port, host, () => {
                this.#server.off("error", failed);
                done();
            });
        });
    }

    /** Pages that show an error load again. */
    reloadPages() {
        for (const page of this.#pages) page.write("data: reload\n\n");
    }

    async #answer(request, response) {
        if (request.url === eventsPath) return this.#follow(request, response);
        const started = performance.now();
        response.on("close", () => {
            const { method, url, headers } = request;
            const ms = performance.now() - started;
            this.options.told({ method, url, host: headers.host, status: response.statusCode, ms });
        });
        const failure = await this.options.ready();
        if (failure) this.#fail(request, response, 500, failure);
        else this.#forward(request, response);
    }

    #follow(request, response) {
        response.writeHead(200, {
            "content-type": "text/event-stream",
            "cache-control": "no-store",
        });
        response.write(": waiting\n\n");
        this.#pages.add(response);
        request.on("close", () => this.#pages.delete(response));
    }

    #forward(request, response) {
        const { method, url, headers, socket } = request;
        const forwarded = {
            ...headers,
            "x-forwarded-for": headers["x-forwarded-for"] ?? socket.remoteAddress,
            "x-forwarded-proto": "http",
        };
        const upstream = connect(
            {
                socketPath: this.options.socket(),
                method,
                path: url,
                headers: forwarded,
                agent: false,
            },
            answer => this.#pass(answer, request, response)
        );
        upstream.on("error", error => {
            if (response.headersSent) response.destroy();
            else
                this.#fail(request, response, 502, { message: `snapcell serve: ${error.message}` });
        });
        response.on("close", () => upstream.destroy());
        request.pipe(upstream);
    }

    // An error that the server tells is read whole; everything else goes through as it comes.
    #pass(answer, request, response) {
        const { statusCode, headers } = answer;
        const size = Number(headers["content-length"] ?? Infinity);
        const mayBeError =
            statusCode >= 500 &&
            headers["x-request-id"] &&
            size < errorSizeMax &&
            request.method !== "HEAD";
        if (!mayBeError) {
            response.writeHead(statusCode, answer.statusMessage, answer.rawHeaders);
            answer.pipe(response);
            return;
        }
        const parts = [];
        answer.on("data", part => parts.push(part));
        answer.on("end", () => {
            const body = Buffer.concat(parts);
            const failure = failureOf(body.toString(), headers["x-request-id"]);
            if (failure) return this.#fail(request, response, statusCode, failure);
            response.writeHead(statusCode, answer.statusMessage, answer.rawHeaders);
            response.end(body);
        });
    }

    #fail(request, response, status, failure) {
        const root = this.options.root();
        const wantsPage =
            this.options.overlay !== false && /\btext\/html\b/.test(request.headers.accept ?? "");
        const type = wantsPage ? "text/html" : "text/plain";
        response.writeHead(status, {
            "content-type": `${type}; charset=utf-8`,
            "cache-control": "no-store",
        });
        response.end(wantsPage ? errorPage(failure, root, eventsPath) : errorText(failure, root));
    }

    async close() {
        for (const page of this.#pages) page.end();
        const closed = new Promise(done => this.#server.close(done));
        this.#server.closeAllConnections?.();
        await closed;
    }
}
