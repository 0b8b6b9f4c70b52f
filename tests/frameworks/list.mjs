// The frameworks: how each is made, built, and asked. Small ones are whole functions in small/src; the others come from
// their own starter, changed by what their guide says for the adapter, in starters/NAME.
//   requests, warm       paths, or { path, method, headers, body }
//   source               a file of small/src
//   create, install      commands; packages that the adapter needs
//   build                a command
//   entry, assets        what the build made
//   peer                 "listen": the same source listens in Node; "fetch": Node serves its handler;
//                        or a command, with PORT in the environment, that serves the same build
//   same                 makes answers comparable: what is random, or dated
const form = (path, text) => ({
    path,
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: text,
});
const json = (path, value) => ({
    path,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
});

const usual = ["/", "/hello/x%20y?x=1", form("/form", "name=Zo%C3%AB&x=1"), "/missing"];
const graphql = (path, query) => json(path, { query });
const small = (source, peer, requests = usual, more = {}) => ({
    source,
    peer,
    requests,
    warm: [requests[0]],
    ...more,
});

export const frameworks = {
    hono: {
        title: "Hono with JSX",
        packages: ["hono"],
        ...small("hono.jsx", "fetch", [
            ...usual,
            { path: "/cookie", headers: { cookie: "name=a" } },
        ]),
    },
    h3: { packages: ["h3"], ...small("h3.js", "fetch", [...usual, "/teapot"]) },
    elysia: {
        title: "Elysia",
        packages: ["elysia"],
        ...small("elysia.js", "fetch", [...usual, form("/form", "name=")]),
    },
    "itty-router": {
        packages: ["itty-router"],
        ...small("itty-router.js", "fetch", [...usual, "/teapot"]),
    },
    express: {
        packages: ["express"],
        ...small("express.js", "listen", [
            ...usual,
            json("/json", { a: [1, "ü"] }),
            json("/json", "{"),
            "/away",
            "/fails",
        ]),
    },
    koa: { title: "Koa", packages: ["koa"], ...small("koa.js", "listen") },
    fastify: {
        title: "Fastify",
        packages: ["fastify", "@fastify/formbody"],
        ...small("fastify.js", "listen", [...usual, "/hello/x?x=one"]),
    },
    nest: {
        title: "NestJS",
        packages: ["@nestjs/core", "@nestjs/platform-express"],
        ...small("nest.ts", "listen", [...usual, "/teapot"]),
    },
    trpc: {
        title: "tRPC",
        packages: ["@trpc/server"],
        ...small("trpc.ts", "fetch", [
            '/trpc/hello?input={"name":"x","x":1}',
            '/trpc/hello?input={"name":""}',
            json("/trpc/add", "second"),
            '/trpc/hello,hello?batch=1&input={"0":{"name":"a"},"1":{"name":"b"}}',
            "/trpc/ticks",
            "/trpc/none",
        ]),
        same: text => text.replace(/"stack":"[^"]*"/g, ""),
    },
    "graphql-yoga": {
        title: "GraphQL Yoga",
        packages: ["graphql-yoga", "graphql"],
        ...small("graphql-yoga.ts", "fetch", [
            '/graphql?query={hello(name:"x")}',
            graphql("/graphql", '{ hello(name: "Zoë") books { title pages } }'),
            graphql("/graphql", 'mutation { add(title: "B") { title } }'),
            graphql("/graphql", "{ none }"),
            form("/graphql", "query={books{title}}"), // and no other path: in Node it answers with a Response of its own
        ]),
    },
    apollo: {
        title: "Apollo Server on Express",
        packages: ["@apollo/server", "@as-integrations/express5"],
        ...small("apollo.js", "listen", [
            graphql("/graphql", '{ hello(name: "Zoë") }'),
            graphql("/graphql", 'mutation { add(title: "B") }'),
            graphql("/graphql", "{ fails }"),
            graphql("/graphql", "{ none }"),
            "/graphql",
            "/none",
        ]),
    },
};
