import { AngularAppEngine, createRequestHandler } from "@angular/ssr";

const angular = new AngularAppEngine({ allowedHosts: ["localhost"] });

export const reqHandler = createRequestHandler(async request => {
    const url = new URL(request.url);
    if (url.pathname === "/api/form" && request.method === "POST") {
        const form = await request.formData();
        return Response.json({ name: form.get("name") }, { status: 201 });
    }
    return (await angular.handle(request)) ?? new Response("Page not found", { status: 404 });
});

export default { fetch: reqHandler };
