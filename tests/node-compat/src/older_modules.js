import EventEmitter, { EventEmitterAsyncResource, on, once } from "node:events";
import path from "node:path";
import querystring from "node:querystring";
import { StringDecoder } from "node:string_decoder";
import url from "node:url";
import { AsyncLocalStorage } from "node:async_hooks";
import { behaviours } from "./behaviours.js";

export const handler = () =>
    behaviours({
        "events, order": () => {
            const emitter = new EventEmitter();
            const got = [];
            emitter.on("e", () => got.push("on"));
            emitter.prependListener("e", () => got.push("first"));
            emitter.once("e", () => got.push("once"));
            emitter.emit("e");
            emitter.emit("e");
            return [got, emitter.listenerCount("e"), emitter.eventNames()];
        },
        "events, an error that nobody hears": () =>
            new EventEmitter().emit("error", new RangeError("r")),
        "events, an error that is none": () => new EventEmitter().emit("error", "text"),
        "events, bad listener": () => new EventEmitter().on("e", 5),
        "events, once": async () => {
            const emitter = new EventEmitter();
            setTimeout(() => emitter.emit("e", 1, 2), 1);
            return once(emitter, "e");
        },
        "events, on": async () => {
            const emitter = new EventEmitter();
            setTimeout(() => [1, 2].forEach(value => emitter.emit("e", value)), 1);
            const got = [];
            for await (const [value] of on(emitter, "e")) if (got.push(value) === 2) break;
            return got;
        },
        "events, a resource": () => {
            const storage = new AsyncLocalStorage();
            const emitter = storage.run("made", () => new EventEmitterAsyncResource({ name: "E" }));
            let seen;
            emitter.on("e", () => (seen = storage.getStore()));
            storage.run("emitted", () => emitter.emit("e"));
            return [seen, typeof emitter.asyncId];
        },
        "events, old classes": () => {
            function Old() {
                EventEmitter.call(this);
            }
            Old.prototype = Object.create(EventEmitter.prototype);
            const old = new Old();
            return [old.on("e", () => {}) === old, old.emit("e"), EventEmitter.defaultMaxListeners];
        },
        "path, bad": () => path.join("a", 5),
        "path, bad parts": () => path.format(5),
        "path, bad list": () => path.resolve("a", null),
        "path, parsed": () => path.format(path.parse("/a/b.c.d")),
        "querystring, malformed": () => querystring.parse("a=%zz&b=ü%C3&c=%C3%BC"),
        "querystring, bytes": () => querystring.unescapeBuffer("a%20b").toString(),
        "string_decoder, base64url": () => {
            const decoder = new StringDecoder("base64url");
            return [decoder.write(Buffer.from([255, 254])), decoder.end(Buffer.from([253, 252]))];
        },
        "string_decoder, in parts": () => {
            const decoder = new StringDecoder("utf8");
            return [
                decoder.write(Buffer.from([0xe2, 0x82])),
                decoder.write(Buffer.from([0xac])),
                decoder.end(Buffer.from([0xe2])),
            ];
        },
        "url, parsed": () => JSON.stringify(url.parse("http://u:p@a.b:8/c?d=e#f", true)),
        "url, a file": () => url.fileURLToPath("file:///a%20b"),
        "url, no file": () => url.fileURLToPath("http://a/b"),
        "url, of a host": () => url.fileURLToPath("file://host/b"),
        "url, bad": () => url.fileURLToPath(5),
        "url, encoded": () => url.fileURLToPath("file:///a%2fb"),
        "url, of a path": () => url.pathToFileURL("/a b#c?").href,
        "url, options": () => JSON.stringify(url.urlToHttpOptions(new URL("http://u:p@a:8/b?c#d"))),
        "url, domains": () => [
            url.domainToASCII("español.com"),
            url.domainToUnicode("xn--espaol-zwa.com"),
        ],
        "url, parse bad": () => url.parse(5),
    });
