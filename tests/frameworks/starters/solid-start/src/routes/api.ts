import type { APIEvent } from "@solidjs/start/server";

export const GET = ({ request }: APIEvent) =>
    Response.json({ x: new URL(request.url).searchParams.get("x") });

export const POST = async ({ request }: APIEvent) => {
    const form = await request.formData();
    return Response.json({ name: form.get("name") }, { status: 201 });
};
