// GraphQL: the schema is built and checked at top level, so that it is in the snapshot, ready.
import { GraphQLError, buildSchema, graphql, validateSchema } from "graphql";

const schema = buildSchema(`
    type Author { name: String!, books: [Book!]! }
    type Book { title: String!, year: Int!, author: Author! }
    type Query { books(since: Int = 0): [Book!]!, author(name: String!): Author }
`);
validateSchema(schema); // it is kept with the schema

const data = [
    { title: "Middlemarch", year: 1871, by: "George Eliot" },
    { title: "Silas Marner", year: 1861, by: "George Eliot" },
    { title: "Emma", year: 1815, by: "Jane Austen" },
];
const author = name => ({ name, books: () => data.filter(({ by }) => by === name).map(book) });
const book = ({ by, ...rest }) => ({ ...rest, author: () => author(by) });

const rootValue = {
    books: ({ since }) => data.filter(({ year }) => year >= since).map(book),
    author({ name }) {
        if (data.some(({ by }) => by === name)) return author(name);
        throw new GraphQLError(`no author ${name}`, { extensions: { code: "NOT_FOUND" } });
    },
};

export default {
    async fetch(request) {
        const { searchParams } = new URL(request.url);
        const { query, variables } =
            request.method === "POST" ? await request.json() : Object.fromEntries(searchParams);
        const source = query ?? "{ books { title } }";
        return Response.json(
            await graphql({ schema, source, rootValue, variableValues: variables })
        );
    },
};
