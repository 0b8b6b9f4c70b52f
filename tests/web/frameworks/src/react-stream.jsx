import { Suspense, use } from "react";
import { renderToReadableStream } from "react-dom/server.edge";

function Slow({ promise }) {
    return <b>{use(promise)}</b>;
}

export default {
    async fetch(request) {
        const name = new URL(request.url).searchParams.get("name") ?? "<nobody>";
        const promise = new Promise(resolve => setTimeout(resolve, 5, `later: ${name}`));
        const stream = await renderToReadableStream(
            <main>
                <h1>{name}</h1>
                <Suspense fallback={<i>waiting</i>}>
                    <Slow promise={promise} />
                </Suspense>
            </main>
        );
        return new Response(stream, { headers: { "content-type": "text/html" } });
    },
};
