// What each example is asked: a request, {url, method?, headers?, body?}, or an event.
const json = { "content-type": "application/json" };
const post = (url, value) => ({
    request: { url, method: "POST", headers: json, body: JSON.stringify(value) },
});
const get = (url, headers = {}) => ({ request: { url, headers } });

// What GitHub's documentation of webhooks signs, and with which result.
const hello = (signature, body = "Hello, World!") => ({
    request: { url: "/", method: "POST", headers: { "x-hub-signature-256": signature }, body },
});
const signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
// Signed with the key of the example: until 2100, and until 2001.
const token =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEiLCJpc3MiOiJzbmFwY2VsbCIsImV4cCI6NDEwMjQ0NDg" +
    "wMH0.t--QCUe_UPQdiveg97lIoSYCrzp2cv6AA9fOpk1kR_8";
const old =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEiLCJpc3MiOiJzbmFwY2VsbCIsImV4cCI6MTAwMDAwMDA" +
    "wMH0.894mGTqSpJ9wUDa7Wn6MPpvlnH6eA6Q1JeOdX7p4kFU";

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
    "react-stream": [get("/"), get("/?product=%3Cb%3E%C3%BC")],
    graphql: [
        get("/"),
        get("/?query={author(name:%22Jane+Austen%22){books{title+year+author{name}}}}"),
        post("/", {
            query: "query Q($y: Int) { books(since: $y) { year } }",
            variables: { y: 1850 },
        }),
        post("/", { query: '{ author(name: "Nobody") { name } }' }),
        post("/", { query: "{ books { nothing } }" }),
        post("/", { query: "{ books {" }),
    ],
    jwt: [
        get("/me", { authorization: `Bearer ${token}` }),
        get("/me", { authorization: `Bearer ${token.slice(0, -2)}xx` }),
        get("/me", { authorization: `Bearer ${old}` }),
        get("/me"),
        post("/sign-in", { user: "", minutes: 90 }),
        { request: { url: "/sign-in", method: "POST", headers: json, body: "{" } },
        get("/else"),
    ],
    webhook: [
        hello(`sha256=${signature}`),
        hello(`sha256=${signature}`, "Hello, World?"),
        hello("sha256=00"),
        get("/"),
    ],
    typescript: [get("/"), get("/?t=451F"), get("/?t=-40C")],
};
