// React's streaming: the page's frame is sent at once, what takes longer follows.
import { Suspense, use } from "react";
import { renderToReadableStream } from "react-dom/server.edge";

const later = (ms, value) => new Promise(resolve => setTimeout(resolve, ms, value));

function Reviews({ promise }) {
    return (
        <ul>
            {use(promise).map(text => (
                <li key={text}>{text}</li>
            ))}
        </ul>
    );
}

function Page({ product, reviews }) {
    return (
        <html lang="en">
            <body>
                <h1>{product}</h1>
                <Suspense fallback={<p>Looking for reviews...</p>}>
                    <Reviews promise={reviews} />
                </Suspense>
            </body>
        </html>
    );
}

export default {
    async fetch(request) {
        const { searchParams } = new URL(request.url);
        const product = searchParams.get("product") ?? "Tea <green>";
        const ms = Math.min(Number(searchParams.get("ms") ?? 2), 5000);
        const reviews = later(ms, [`${product} again!`, "Fine & good"]);
        const html = await renderToReadableStream(<Page product={product} reviews={reviews} />);
        return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
    },
};
