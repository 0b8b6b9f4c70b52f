import { h } from "preact";
import { useMemo } from "preact/hooks";
import { render } from "preact-render-to-string";

function List({ items }) {
    const sorted = useMemo(() => [...items].sort(), [items]);
    return h(
        "ul",
        { class: "list" },
        sorted.map(item => h("li", { key: item }, item))
    );
}

export default {
    fetch(request) {
        const items = new URL(request.url).searchParams.getAll("item");
        return new Response(render(h(List, { items })), {
            headers: { "content-type": "text/html" },
        });
    },
};
