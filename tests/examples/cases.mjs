// What each example is asked: a request, {url, method?, headers?, body?}, or an event.
const json = { "content-type": "application/json" };
const post = (url, value) => ({
    request: { url, method: "POST", headers: json, body: JSON.stringify(value) },
});
const get = (url, headers = {}) => ({ request: { url, headers } });

export const cases = {
    hello: [get("/"), get("/?name=snapshot"), get("/?name=na%C3%AFve%20%F0%9F%8D%90")],
    "react-ssr": [get("/"), get("/a/b?c=d"), get("/%3Cscript%3E")],
    "hono-api": [
        get("/"),
        get("/notes/1"),
        get("/notes/404"),
        get("/no/such/route"),
        post("/notes", { text: "a note", tags: ["x", "y"] }),
        post("/notes", { text: "" }),
        { request: { url: "/notes", method: "POST", headers: json, body: "{not json" } },
        { request: { url: "/notes/1", method: "DELETE" } },
        { request: { url: "/", method: "HEAD" } },
    ],
    mix: [
        get("/"),
        post("/", { title: "T <b>", lines: [{ item: "a*b*", group: "g", count: "2" }] }),
        post("/", { title: "", lines: [{ item: 1, group: "g", count: -2 }] }),
    ],
    "json-handler": [
        { event: {} },
        {
            event: {
                readings: [
                    { zone: "home", celsius: 3 },
                    { zone: "attic", celsius: 40 },
                ],
            },
        },
        { event: { readings: [] } },
    ],
    "service-worker": [
        get("/"),
        get("/about"),
        get("/none"),
        { request: { url: "/", method: "PUT", body: "x" } },
    ],
    commonjs: [
        get("/"),
        { request: { url: "/", method: "POST", body: "some text" } },
        { request: { url: "/", method: "POST", body: "zwölf Boxkämpfer 🥊" } },
    ],
    typescript: [get("/"), get("/?t=451F"), get("/?t=-40C")],
};
