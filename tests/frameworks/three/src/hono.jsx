/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { contextStorage, getContext } from "hono/context-storage";
import { getCookie, setCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { jsxRenderer } from "hono/jsx-renderer";

const app = new Hono();
app.use(contextStorage());
app.use(
    jsxRenderer(({ children, title }) => (
        <html>
            <head>
                <title>{title}</title>
            </head>
            <body>{children}</body>
        </html>
    ))
);

const Where = () => <small>{getContext().req.path}</small>;

app.get("/", c =>
    c.render(
        <main>
            <h1>Welcome</h1>
            <form method="post" action="/form">
                <input name="name" />
            </form>
            <Where />
        </main>,
        { title: "Hono" }
    )
);
app.get("/hello/:name", etag(), c => c.json({ hello: c.req.param("name"), x: c.req.query("x") }));
app.post("/form", async c => {
    const { name } = await c.req.parseBody();
    setCookie(c, "name", name, { path: "/", httpOnly: true });
    return c.html(<p>Hello, {name}</p>, 201);
});
app.get("/cookie", c => c.text(getCookie(c, "name") ?? "none"));

export default app;
