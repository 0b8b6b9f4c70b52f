import { ApolloServer } from "@apollo/server";
import { expressMiddleware } from "@as-integrations/express5";
import express from "express";

const server = new ApolloServer({
    typeDefs: `type Query { hello(name: String!): String, fails: Int }
        type Mutation { add(title: String!): String! }`,
    resolvers: {
        Query: {
            hello: (_, { name }) => `Hello, ${name}`,
            fails() {
                throw new Error("on purpose");
            },
        },
        Mutation: { add: (_, { title }) => title },
    },
    includeStacktraceInErrorResponses: false,
});
await server.start();
const app = express();
app.use("/graphql", express.json(), expressMiddleware(server));
app.listen(process.env.PORT ?? 3000);
