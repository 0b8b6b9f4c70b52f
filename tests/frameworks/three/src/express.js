import express from "express";

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(express.json());
app.get("/", (req, res) => {
    res.cookie("seen", "yes").send(`<h1>Welcome</h1><p>${req.hostname}</p>`);
});
app.get("/hello/:name", (req, res) => {
    res.json({ hello: req.params.name, x: req.query.x, xhr: req.xhr, types: req.accepts("html") });
});
app.post("/form", (req, res) => {
    res.status(201).location("/done").send(`Hello, ${req.body.name}`);
});
app.post("/json", (req, res) => {
    res.json({ got: req.body });
});
app.get("/away", (req, res) => res.redirect("/hello/there"));
app.get("/fails", () => {
    throw Object.assign(new Error("on purpose"), { status: 503, expose: true });
});
app.use((error, req, res, next) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).json({ error: error.message });
});
app.listen(process.env.PORT ?? 3000);
