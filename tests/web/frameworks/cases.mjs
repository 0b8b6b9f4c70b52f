import { readFileSync } from "node:fs";

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

const jose = JSON.parse(readFileSync(new URL("jose-keys.json", import.meta.url), "utf8"));
const user = {
    id: "7b2c9f6e-3a51-4d8e-9c0f-1a2b3c4d5e6f",
    email: "a@example.com",
    born: "2000-02-29",
    tags: [" A", "ü"],
    contact: { kind: "mail", at: "https://example.com" },
};

export const cases = {
    "itty-router": [
        get("/hello/x%20y?a=1&a=2"),
        post("/echo", { a: [1, "ü"] }),
        get("/fails"),
        get("/none"),
    ],
    "core-js": [get("/?word=a.b&word=c%2Bd"), get("/?word=")],
    ses: [
        get("/?source=double(21)"),
        get("/?source=Math.random()"),
        get("/?source=Object.prototype.x%20%3D%201"),
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
    jose: [post("/", jose)],
    zod: [
        post("/", { user, tree: { name: "a", children: [{ name: "b", children: [] }] } }),
        post("/", {
            user: {
                ...user,
                id: "1",
                age: "17",
                born: "2001-02-29",
                more: 1,
                contact: { kind: "x" },
            },
            tree: { name: "a", children: [{ name: 1 }] },
        }),
        post("/", { user: { ...user, role: "admin", age: "20" }, tree: null }),
    ],
};
