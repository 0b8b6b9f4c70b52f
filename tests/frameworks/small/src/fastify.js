import formbody from "@fastify/formbody";
import Fastify from "fastify";

const app = Fastify();
app.register(formbody);
app.get("/", async (request, reply) => reply.type("text/html").send("<h1>Welcome</h1>"));
app.get(
    "/hello/:name",
    {
        schema: {
            querystring: { type: "object", properties: { x: { type: "integer" } } },
            response: {
                200: {
                    type: "object",
                    properties: { hello: { type: "string" }, x: { type: "integer" } },
                },
            },
        },
    },
    async request => ({ hello: request.params.name, x: request.query.x, left: "out" })
);
app.post("/form", async (request, reply) => {
    reply.code(201);
    return { name: request.body.name };
});
app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
