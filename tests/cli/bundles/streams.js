const encoder = new TextEncoder();

function endless(cancel) {
    let count = 0;
    return new ReadableStream({
        pull(controller) {
            controller.enqueue(encoder.encode(`line ${count++}\n`));
        },
        cancel,
    });
}

export default {
    async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === "/echo") return new Response(request.body, { headers: { a: "b" } });
        if (pathname === "/size") {
            let size = 0;
            for await (const chunk of request.body) size += chunk.length;
            return new Response(`${size}\n`);
        }
        if (pathname === "/endless")
            return new Response(endless((reason) => console.log(`cancelled: ${reason.name}`)));
        let count = 0;
        return new Response(
            new ReadableStream({
                pull(controller) {
                    if (count++ > 0) throw new Error("broke in the middle");
                    controller.enqueue(encoder.encode("the beginning\n"));
                },
            }),
        );
    },
};
