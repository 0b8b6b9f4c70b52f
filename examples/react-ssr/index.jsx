// Server-side rendering: React's code is evaluated at build time and stands ready in the snapshot.
import { useMemo, useState } from "react";
import { renderToString } from "react-dom/server";

function Prices({ items }) {
    const total = useMemo(() => items.reduce((sum, item) => sum + item.price, 0), [items]);
    const [currency] = useState("EUR");
    return (
        <table>
            <caption>{`${items.length} items, ${total.toFixed(2)} ${currency}`}</caption>
            <tbody>
                {items.map(({ name, price }) => (
                    <tr key={name}>
                        <td>{name}</td>
                        <td>{price.toFixed(2)}</td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

function Page({ path }) {
    const items = ["apple", "pear", "quince & co"].map((name, i) => ({
        name,
        price: 1.25 * (i + 1),
    }));
    return (
        <html lang="en">
            <head>
                <title>{`Prices at ${path}`}</title>
            </head>
            <body>
                <Prices items={items} />
            </body>
        </html>
    );
}

export default {
    fetch(request) {
        const html = renderToString(<Page path={new URL(request.url).pathname} />);
        return new Response(`<!doctype html>${html}`, {
            headers: { "content-type": "text/html; charset=utf-8" },
        });
    },
};
