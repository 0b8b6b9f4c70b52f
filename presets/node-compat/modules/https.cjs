"use strict";
// node:https, as node:http: TLS is up to the function's caller.
let client;
const clientOf = () => (client ??= require("./http_client.cjs").client("https:"));

for (const name of ["Agent", "get", "globalAgent", "request"])
    Object.defineProperty(exports, name, { enumerable: true, get: () => clientOf()[name] });
for (const name of ["Server", "createServer"])
    Object.defineProperty(exports, name, {
        enumerable: true,
        get: () => require("./http_server.cjs")[name],
    });
