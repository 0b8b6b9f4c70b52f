// Responses of node:http that no server made, as packages make them which call a server's function.
import http from "node:http";
import { Writable } from "node:stream";
import { inherits } from "node:util";
import { behaviours } from "./behaviours.js";

const request = { method: "GET", httpVersionMajor: 1, httpVersionMinor: 1, headers: {} };

async function written(work, method = "GET") {
    const chunks = [];
    const socket = new Writable({
        write(chunk, encoding, done) {
            chunks.push(chunk);
            done();
        },
    });
    const response = new http.ServerResponse({ ...request, method });
    response.sendDate = false;
    response.assignSocket(socket);
    const finished = new Promise(resolve => response.on("finish", resolve));
    await work(response);
    await finished;
    return Buffer.concat(chunks).toString("latin1");
}

export const handler = () =>
    behaviours({
        "before classes": () => {
            function Own(given) {
                http.ServerResponse.call(this, given);
            }
            inherits(Own, http.ServerResponse);
            const own = new Own(request);
            own.setHeader("X-A", "1");
            return [
                own instanceof http.ServerResponse,
                own instanceof http.OutgoingMessage,
                own.getHeaders(),
                own.headersSent,
                own.req === request,
            ];
        },
        "writeHead sends headers": () => {
            const response = new http.ServerResponse(request);
            response.writeHead(201, { "x-a": "1" });
            const tries = [
                () => response.setHeader("b", "2"),
                () => response.removeHeader("x-a"),
                () => response.writeHead(200),
            ];
            const codes = tries.map(attempt => {
                try {
                    return attempt();
                } catch (error) {
                    return error.code;
                }
            });
            return [response.headersSent, response.statusMessage, codes];
        },
        "writeHead is called": () => {
            const response = new http.ServerResponse(request);
            const before = response.writeHead;
            const calls = [];
            response.writeHead = function (...args) {
                calls.push(args);
                this.setHeader("late", "1");
                return before.apply(this, args);
            };
            response.statusCode = 404;
            response.write("a");
            response.end("b");
            return [calls, response.getHeader("late"), response.statusMessage];
        },
        "to a socket, whole": () => written(response => response.end("body")),
        "to a socket, in pieces": () =>
            written(response => {
                response.setHeader("Set-Cookie", ["a=1", "b=2"]);
                response.write("one");
                response.write(Buffer.from("two"));
                response.end();
            }),
        "to a socket, its length known": () =>
            written(response => {
                response.writeHead(200, "Fine", { "Content-Length": 3 });
                response.write("a");
                response.end("bc");
            }),
        "to a socket, nothing": () =>
            written(response => {
                response.statusCode = 204;
                response.end();
            }),
        "to a socket, of HEAD": () => written(response => response.end("body"), "HEAD"),
        "to a socket, not chunked": () =>
            written(response => {
                response.useChunkedEncodingByDefault = false;
                response.setHeader("Connection", "close");
                response.write("a");
                response.end("b");
            }),
        "the socket": () => {
            const response = new http.ServerResponse(request);
            const socket = new Writable();
            const got = [];
            response.on("socket", value => got.push(value === socket));
            response.assignSocket(socket);
            got.push(response.socket === socket, response.connection === socket);
            response.detachSocket(socket);
            return [...got, response.socket];
        },
    });
