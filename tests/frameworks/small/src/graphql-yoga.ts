import { createSchema, createYoga } from "graphql-yoga";

const yoga = createYoga({
    schema: createSchema({
        typeDefs: `type Query { hello(name: String!): String, books: [Book!]! }
            type Book { title: String!, pages: Int }
            type Mutation { add(title: String!): Book! }`,
        resolvers: {
            Query: {
                hello: (_: unknown, { name }: { name: string }) => `Hello, ${name}`,
                books: async () => [{ title: "A", pages: 100 }, { title: "B" }],
            },
            Mutation: { add: (_: unknown, book: { title: string }) => book },
        },
    }),
    logging: false,
    graphiql: false,
    landingPage: false,
});

export default {
    fetch: (request: Request, env: object, context: object) => yoga.fetch(request, env, context),
};
