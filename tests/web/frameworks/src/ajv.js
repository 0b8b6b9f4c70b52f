import Ajv from "ajv";

const ajv = new Ajv({ allErrors: true });
const validate = ajv.compile({
    type: "object",
    properties: {
        name: { type: "string", minLength: 2, pattern: "^\\p{L}+$" },
        tags: { type: "array", items: { enum: ["a", "b"] }, uniqueItems: true },
    },
    required: ["name"],
    additionalProperties: false,
});

export default {
    async fetch(request) {
        const valid = validate(await request.json());
        return Response.json({ valid, errors: validate.errors });
    },
};
