import Koa from "koa";

const app = new Koa();
app.use(async (ctx, next) => {
    await next();
    ctx.set("x-app", "koa");
});
app.use(async ctx => {
    if (ctx.path === "/") return void (ctx.body = "<h1>Welcome</h1>");
    if (ctx.path.startsWith("/hello/"))
        return void (ctx.body = { hello: decodeURIComponent(ctx.path.slice(7)), x: ctx.query.x });
    if (ctx.path === "/form" && ctx.method === "POST") {
        let text = "";
        for await (const chunk of ctx.req) text += chunk;
        ctx.cookies.set("name", "z", { httpOnly: true });
        ctx.status = 201;
        ctx.body = `Hello, ${new URLSearchParams(text).get("name")}`;
    }
});
app.listen(process.env.PORT ?? 3000);
