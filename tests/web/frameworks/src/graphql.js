import { buildSchema, graphql } from "graphql";

const schema = buildSchema(`
    type Book { title: String!, pages: Int }
    type Query { books(min: Int = 0): [Book!]!, fails: String }
`);
const books = [
    { title: "one", pages: 10 },
    { title: "two", pages: 200 },
];
const rootValue = {
    books: ({ min }) => books.filter(book => book.pages >= min),
    fails() {
        throw new Error("resolver");
    },
};

export default {
    async fetch(request) {
        const { query: source, variables: variableValues } = await request.json();
        return Response.json(await graphql({ schema, source, rootValue, variableValues }));
    },
};
