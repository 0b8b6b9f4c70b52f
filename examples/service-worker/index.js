// The older shape: a script that listens for fetch events, as service workers do.
const started = new Map([
    ["/", "index"],
    ["/about", "about"],
]);

addEventListener("fetch", event => {
    event.respondWith(respond(event.request));
});

async function respond(request) {
    const { pathname } = new URL(request.url);
    const page = started.get(pathname);
    if (!page) return new Response(`no page at ${pathname}\n`, { status: 404 });
    return new Response(`page ${page}, asked with ${request.method}\n`, {
        headers: { "x-page": page, "cache-control": "max-age=60" },
    });
}
