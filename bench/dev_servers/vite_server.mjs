// A development server as Vite's guide for servers has it: the function's module is loaded for each request, and
// evaluated again if it changed.
import { createServer as createHttp } from "node:http";
import { Readable } from "node:stream";
import { createServer } from "vite";

const vite = await createServer({
    server: { middlewareMode: true },
    appType: "custom",
    logLevel: "silent",
});

async function answer(request) {
    const { default: app } = await vite.ssrLoadModule("/src/index.js");
    return app.fetch(request, {}, { waitUntil() {} });
}

const server = createHttp((request, response) => {
    answer(new Request(`http://${request.headers.host}${request.url}`))
        .then(({ status, headers, body }) => {
            response.writeHead(status, Object.fromEntries(headers));
            Readable.fromWeb(body).pipe(response);
        })
        .catch(error => response.writeHead(500).end(String(error)));
});
server.listen(0, "127.0.0.1", () =>
    console.log(`listening on http://127.0.0.1:${server.address().port}`)
);
