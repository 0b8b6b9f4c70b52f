// What each bundle is asked.
const get = url => ({ request: { url } });
const post = (url, value) => ({
    request: {
        url,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof value === "string" ? value : JSON.stringify(value),
    },
});

export const cases = {
    "itty-router": [
        get("/hello/x%20y?a=1&a=2"),
        post("/echo", { a: [1, "ü"] }),
        get("/fails"),
        get("/none"),
    ],
    "react-stream": [get("/"), get("/?name=%3Cb%3E%20%26%20%C3%BC")],
    preact: [get("/"), get("/?item=b&item=a%3C&item=%F0%9F%8D%90")],
    vue: [get("/"), get("/?start=10")],
    svelte: [get("/"), get("/?row=1&row=%3C2%3E")],
    graphql: [
        post("/", { query: "{ books(min: 100) { title pages } }" }),
        post("/", {
            query: "query Q($m: Int) { books(min: $m) { title } fails }",
            variables: { m: 1 },
        }),
        post("/", { query: "{ nothing }" }),
        post("/", { query: "{ broken" }),
    ],
    ajv: [
        post("/", { name: "Zoë", tags: ["a"] }),
        post("/", { name: "1", tags: ["c", "c"], more: 1 }),
        post("/", []),
    ],
    buffer: [post("/", "text with ü and 🍐"), post("/", "")],
};
