import { Elysia, t } from "elysia";

const app = new Elysia({ aot: false })
    .get("/", ({ set }) => {
        set.headers["content-type"] = "text/html; charset=utf-8";
        return "<h1>Welcome</h1>";
    })
    .get("/hello/:name", ({ params, query }) => ({ hello: params.name, x: query.x }))
    .post("/form", ({ body, set }) => ((set.status = 201), { name: body.name }), {
        body: t.Object({ name: t.String({ minLength: 1 }) }),
    });

export default app;
