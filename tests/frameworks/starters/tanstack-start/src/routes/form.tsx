import { createFileRoute } from "@tanstack/react-router";

export const Route = createFileRoute("/form")({
    server: {
        handlers: {
            POST: async ({ request }) => {
                const form = await request.formData();
                return new Response(`Hello, ${form.get("name")}`, { status: 201, headers: { "x-path": new URL(request.url).pathname } });
            },
        },
    },
});
