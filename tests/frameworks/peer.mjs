// Serves a bundle whose default export answers requests, over HTTP by Node itself:
//   PORT=N node peer.mjs BUNDLE
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const { default: worker } = await import(pathToFileURL(resolve(process.argv[2])).href);
const context = { waitUntil() {}, passThroughOnException() {} };

function requestOf({ method, url, headers, rawHeaders }, body) {
    const pairs = [];
    for (let i = 0; i < rawHeaders.length; i += 2) pairs.push([rawHeaders[i], rawHeaders[i + 1]]);
    const init = { method, headers: pairs };
    if (method !== "GET" && method !== "HEAD") Object.assign(init, { body, duplex: "half" });
    return new Request(new URL(url, `http://${headers.host}`), init);
}

createServer(async (incoming, outgoing) => {
    const request = requestOf(incoming, Readable.toWeb(incoming));
    const response = await worker.fetch(request, {}, context);
    const headers = {};
    for (const [name, value] of response.headers)
        if (name === "set-cookie") (headers[name] ??= []).push(value);
        else headers[name] = value;
    outgoing.writeHead(response.status, headers);
    if (!response.body) return void outgoing.end();
    for await (const chunk of response.body) outgoing.write(chunk);
    outgoing.end();
}).listen(Number(process.env.PORT), "127.0.0.1");
