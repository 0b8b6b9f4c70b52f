import { TRPCError, initTRPC } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { z } from "zod";

const t = initTRPC.create();
const names: string[] = ["first"];
const router = t.router({
    hello: t.procedure
        .input(z.object({ name: z.string().min(1), x: z.number().optional() }))
        .query(({ input }) => ({ hello: input.name, x: input.x })),
    add: t.procedure.input(z.string()).mutation(({ input }) => [...names, input]),
    ticks: t.procedure.query(async function* () {
        for (let i = 0; i < 3; i++) yield i;
    }),
    teapot: t.procedure.query(() => {
        throw new TRPCError({ code: "BAD_REQUEST", message: "Short and stout" });
    }),
});

export default {
    fetch: (req: Request) =>
        fetchRequestHandler({ endpoint: "/trpc", req, router, createContext: () => ({}) }),
};
