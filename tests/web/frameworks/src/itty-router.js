import { AutoRouter, error, json } from "itty-router";

const router = AutoRouter();
router
    .get("/hello/:name", ({ name, query }) => json({ name, query }))
    .post("/echo", async request => json(await request.json()))
    .get("/fails", () => error(418, "a teapot"));

export default { ...router, fetch: request => router.fetch(request) };
