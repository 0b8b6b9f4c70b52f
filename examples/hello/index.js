// The smallest function: an ES module with a fetch handler.
export default {
    fetch(request) {
        const name = new URL(request.url).searchParams.get("name") ?? "world";
        return new Response(`Hello, ${name}!\n`, {
            headers: { "content-type": "text/plain; charset=utf-8" },
        });
    },
};
