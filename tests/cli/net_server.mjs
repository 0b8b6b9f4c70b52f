// A server for tests of fetch(): node net_server.mjs [CERTIFICATE KEY] prints its port, or two: of HTTP, and of HTTPS with
// HTTP/2. It answers by path.
import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

let connections = 0;

function big(url, response) {
    let left = Number(url.searchParams.get("n"));
    const block = Buffer.alloc(65536, "b");
    const write = () => {
        while (left > 0) {
            const piece = block.subarray(0, Math.min(left, block.length));
            left -= piece.length;
            if (!response.write(piece)) return response.once("drain", write);
        }
        return response.end();
    };
    write();
}

const answers = {
    "/echo": (url, request, response) => {
        const { "content-length": length = "none", "transfer-encoding": coding = "none" } =
            request.headers;
        response.writeHead(200, {
            "x-method": request.method,
            "x-length": length,
            "x-coding": coding,
        });
        request.pipe(response);
    },
    "/head": (url, request, response) => response.end(JSON.stringify(request.headers)),
    "/big": (url, request, response) => big(url, response),
    "/gzip": (url, request, response) => {
        response.writeHead(200, { "content-encoding": "gzip", "keep-alive": "timeout=5" });
        response.end(gzipSync("unzipped"));
    },
    "/twice": (url, request, response) => {
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.end("twice");
    },
    "/redirect": (url, request, response) => {
        response.writeHead(302, { location: url.searchParams.get("to") });
        response.end("moved");
    },
    "/loop": (url, request, response) => {
        response.writeHead(302, { location: "/loop" });
        response.end();
    },
    "/silent": () => {},
    "/stall": (url, request, response) => response.write("half"),
    "/reset": (url, request, response) => request.socket.resetAndDestroy(),
    "/cut": (url, request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half", () => request.socket.destroy());
    },
    "/chunks": (url, request) => {
        request.socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n");
    },
    "/split": (url, request) => {
        request.socket.end("HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n");
    },
    "/lengths": (url, request) => {
        const lines = url.searchParams.getAll("n").map(n => `Content-Length: ${n}\r\n`);
        request.socket.end(`HTTP/1.1 200 OK\r\n${lines.join("")}\r\nabcde`);
    },
    "/garbage": (url, request) => request.socket.end("this is not HTTP\r\n\r\n"),
    "/early": (url, request) => {
        request.socket.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
        request.socket.end("HTTP/1.1 200 Late\r\nContent-Length: 4\r\nX-Empty:\r\n\r\nlate");
    },
    "/connections": (url, request, response) => response.end(String(connections)),
    "/version": (url, request, response) => response.end(request.httpVersion),
};

function answer(request, response) {
    const url = new URL(request.url, "http://localhost/");
    const found = answers[url.pathname];
    if (found) return found(url, request, response);
    response.writeHead(404);
    return response.end(`nothing at ${url.pathname}`);
}

const listen = server =>
    new Promise(resolve => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));

const plain = createServer(answer);
plain.on("connection", () => connections++);
const ports = [await listen(plain)];
const [certificate, key] = process.argv.slice(2);
if (certificate) {
    const options = { cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true };
    ports.push(await listen(createSecureServer(options, answer)));
}
console.log(ports.join(" "));
// The test that started it holds its standard input; when that ends, so does this.
process.stdin.on("end", () => process.exit()).resume();
