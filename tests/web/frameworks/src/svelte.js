import { render } from "svelte/server";
import Page from "./Page.svelte";

export default {
    async fetch(request) {
        const rows = new URL(request.url).searchParams.getAll("row");
        const { head, body } = await render(Page, { props: { title: "A & B", rows } });
        return new Response(head + body, { headers: { "content-type": "text/html" } });
    },
};
