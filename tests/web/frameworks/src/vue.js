import { createSSRApp, h, ref } from "vue/dist/vue.runtime.esm-bundler.js";
import { renderToString } from "@vue/server-renderer";

const Counter = {
    props: ["start"],
    setup(props) {
        const count = ref(Number(props.start));
        return () =>
            h("button", { class: ["counter", { big: count.value > 9 }] }, `${count.value} <`);
    },
};

export default {
    async fetch(request) {
        const start = new URL(request.url).searchParams.get("start") ?? "0";
        const html = await renderToString(createSSRApp(Counter, { start }));
        return new Response(html, { headers: { "content-type": "text/html" } });
    },
};
