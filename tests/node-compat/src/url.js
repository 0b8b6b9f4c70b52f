import url, { fileURLToPath, pathToFileURL, URL as Named } from "node:url";
import { outcomes } from "./outcome.js";

const texts = [
    "http://user:p%40ss@Host.com:8080/p/a/t/h?query=string&a=1#hash",
    "/relative?x=1#y",
    "mailto:someone@example.com",
    "//host/path",
    "https://example.com",
    "HTTP://example.com/a b?c d",
];
const plain = parsed => Object.fromEntries(Object.keys(parsed).map(key => [key, parsed[key]]));

export const handler = () => ({
    parsed: texts.map(text => plain(url.parse(text))),
    withQuery: { ...url.parse(texts[0], true).query },
    denotesHost: url.parse("//host/path", false, true).host,
    ...outcomes({
        format: () => [
            url.format({
                protocol: "https",
                hostname: "x.com",
                pathname: "/a",
                query: { b: [1, 2] },
            }),
            url.format(new URL("https://ü.com/?a#b"), { fragment: false }),
            url.format(url.parse(texts[0])),
        ],
        resolve: () => [
            url.resolve("/one/two/three", "four"),
            url.resolve("http://example.com/one", "../two?x"),
            url.resolve("http://example.com/a", "//other/b"),
        ],
        files: () => [fileURLToPath("file:///a/b%20c"), pathToFileURL("/a b/ü#?").href],
        notAFile: () => fileURLToPath("http://x/"),
        same: () => Named === globalThis.URL,
        options: () => {
            const { hostname, path, protocol } = url.urlToHttpOptions(new URL("https://a.b/c?d"));
            return [hostname, path, protocol];
        },
        notText: () => url.parse(1),
    }),
});
