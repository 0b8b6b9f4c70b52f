// A project's functions, built when a request comes and served by `snapcell serve`: what a development server of
// another tool forwards requests to.
import { request as connect } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buildProject, prepare, watchedFiles } from "./build.js";
import { errorPage, errorText, failureOf } from "./dev_page.js";
import { serveConfig } from "./dev.js";
import { readEnvFiles } from "./env_files.js";
import { Failure } from "./failure.js";
import { ServeProcess } from "./serve_process.js";
import { Sources } from "./sources.js";
import { makeWorkFolder } from "./state.js";

const hopByHop = ["connection", "keep-alive", "transfer-encoding", "host"];

export class LiveProject {
    #stale = true;
    #building;
    #failure;
    #sources = new Sources();

    /** @param {any} options as of build() @param {(event: any) => void} [told] */
    constructor(options, told = () => {}) {
        this.options = { mode: "development", level: 1, ...options, sign: undefined };
        this.told = told;
    }

    /** The next request builds again. */
    change() {
        this.#stale = true;
    }

    async #ready() {
        while (this.#stale || this.#building) {
            this.#stale = false;
            this.#building ??= this.#build().finally(() => (this.#building = undefined));
            await this.#building;
        }
    }

    async #build() {
        try {
            await this.#sources.begin();
            const project = await prepare(this.options);
            this.root = project.root;
            const store = join(makeWorkFolder(project.root), "live-store");
            const functions = project.functions.map(one => ({ ...one, store, quick: true }));
            const built = await buildProject({ ...project, functions });
            this.#failure = built.functions.find(({ error }) => error)?.error;
            this.#sources.use(
                functions.flatMap(({ name, entry }) => [entry, ...watchedFiles(this.root, name)])
            );
            this.told({ event: this.#failure ? "failed" : "built", ...built });
            if (!this.#failure) await this.#update(project, store);
        } catch (error) {
            if (!(error instanceof Failure)) throw error;
            this.#failure = error;
            this.told({ event: "failed", error, root: this.root });
        }
    }

    async #update({ program, functions, root }, store) {
        this.serve ??= new ServeProcess({
            program,
            store,
            event: line => this.told({ ...line, root }),
            ended: text =>
                this.told({ event: "failed", error: new Failure(`snapcell serve ended: ${text}`) }),
        });
        await this.serve.update(serveConfig(functions, readEnvFiles(root).env));
    }

    /** @param {Request} request @returns {Promise<Response>} */
    async fetch(request) {
        await this.#ready();
        if (this.#failure) return this.#failed(request, this.#failure, 500);
        const response = await this.#forward(request);
        const id = response.headers.get("x-request-id");
        if (response.status < 500 || !id) return response;
        const failure = failureOf(await response.clone().text(), id);
        return failure ? this.#failed(request, failure, response.status) : response;
    }

    #failed(request, failure, status) {
        const wantsPage = /\btext\/html\b/.test(request.headers.get("accept") ?? "");
        const text = wantsPage
            ? errorPage(failure, this.root ?? ".")
            : errorText(failure, this.root ?? ".");
        const type = wantsPage ? "text/html" : "text/plain";
        return new Response(text, {
            status,
            headers: { "content-type": `${type}; charset=utf-8` },
        });
    }

    #forward({ url, method, headers, body, signal }) {
        const { host, pathname, search } = new URL(url);
        const sent = { ...Object.fromEntries(headers), host };
        const options = {
            socketPath: this.serve.socket,
            path: pathname + search,
            method,
            headers: sent,
            agent: false,
            signal,
        };
        return new Promise((done, failed) => {
            const upstream = connect(options, answer => done(responseOf(answer)));
            upstream.on("error", failed);
            if (body) Readable.fromWeb(body).pipe(upstream);
            else upstream.end();
        });
    }

    async close() {
        await this.#building;
        await this.serve?.stop();
    }
}

function responseOf(answer) {
    const { statusCode: status, statusMessage: statusText, rawHeaders } = answer;
    const headers = new Headers();
    for (let i = 0; i < rawHeaders.length; i += 2)
        if (!hopByHop.includes(rawHeaders[i].toLowerCase()))
            headers.append(rawHeaders[i], rawHeaders[i + 1]);
    const isEmpty = [204, 205, 304].includes(status);
    if (isEmpty) answer.resume();
    return new Response(isEmpty ? null : Readable.toWeb(answer), { status, statusText, headers });
}
