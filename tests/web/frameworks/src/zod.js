import * as z from "zod";

const User = z
    .object({
        id: z.uuid(),
        email: z.email(),
        age: z.coerce.number().int().min(18).optional(),
        born: z.iso.date().transform(text => new Date(text)),
        role: z.enum(["admin", "user"]).default("user"),
        tags: z.array(z.string().trim().toLowerCase()).max(3),
        contact: z.discriminatedUnion("kind", [
            z.object({ kind: z.literal("mail"), at: z.url() }),
            z.object({ kind: z.literal("phone"), number: z.string().regex(/^\+\d+$/) }),
        ]),
    })
    .strict()
    .refine(user => user.role !== "admin" || user.age > 30, {
        message: "too young",
        path: ["age"],
    });
const Tree = z.object({
    name: z.string(),
    get children() {
        return z.array(Tree);
    },
});

export default {
    async fetch(request) {
        const { user, tree } = await request.json();
        const result = await User.safeParseAsync(user);
        const trees = Tree.safeParse(tree);
        return Response.json({
            data: result.data ?? null,
            issues: result.error?.issues ?? [],
            flat: result.error ? z.flattenError(result.error) : null,
            pretty: result.error ? z.prettifyError(result.error) : null,
            tree: trees.success || z.treeifyError(trees.error),
            schema: z.toJSONSchema(Tree),
        });
    },
};
