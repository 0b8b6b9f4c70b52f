// An API on Hono: routes, middleware, validated input, JSON errors.
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { zValidator } from "@hono/zod-validator";
import * as z from "zod";

const notes = new Map([["1", { id: "1", text: "Kept in the snapshot", tags: ["first"] }]]);
const Note = z.object({ text: z.string().min(1).max(200), tags: z.array(z.string()).default([]) });

const app = new Hono();

app.use("*", async (c, next) => {
    await next();
    c.header("x-served-by", "snapcell");
});
app.get("/", c => c.json({ notes: [...notes.values()] }));
app.get("/notes/:id", c => {
    const note = notes.get(c.req.param("id"));
    if (!note) throw new HTTPException(404, { message: `no note ${c.req.param("id")}` });
    return c.json(note);
});
app.post("/notes", zValidator("json", Note), c => {
    const note = { id: String(notes.size + 1), ...c.req.valid("json") };
    notes.set(note.id, note);
    return c.json(note, 201);
});
app.onError((error, c) => c.json({ error: error.message }, error.status ?? 500));

export default app;
