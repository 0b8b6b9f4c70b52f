import { AutoRouter, cors, error, html, text } from "itty-router";

const { preflight, corsify } = cors();
const router = AutoRouter({ before: [preflight], finally: [corsify] });
router
    .get("/", () => html("<h1>Welcome</h1>"))
    .get("/hello/:name", ({ params, query }) => ({ hello: params.name, x: query.x }))
    .post("/form", async request => {
        const form = await request.formData();
        return text(`Hello, ${form.get("name")}`, { status: 201 });
    })
    .get("/teapot", () => error(418, "Short and stout"));

export default router;
