import { getRequestEvent } from "$app/server";

export const load = () => ({ path: getRequestEvent().url.pathname });

export const actions = {
    default: async ({ request, cookies }) => {
        const form = await request.formData();
        cookies.set("name", String(form.get("name")), { path: "/" });
        return { name: String(form.get("name")) };
    },
};
