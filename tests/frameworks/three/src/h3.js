import { H3, HTTPError, getQuery, html, readBody, setCookie } from "h3";

const app = new H3();
app.get("/", event => {
    event.res.headers.set("x-powered-by", "h3");
    return html`<h1>Welcome</h1>`;
});
app.get("/hello/:name", event => ({ hello: event.context.params.name, ...getQuery(event) }));
app.post("/form", async event => {
    const body = await readBody(event);
    setCookie(event, "name", body.name);
    event.res.status = 201;
    return { body };
});
app.get("/teapot", () => {
    throw new HTTPError({ status: 418, statusText: "Short and stout" });
});

export default { fetch: request => app.fetch(request) };
