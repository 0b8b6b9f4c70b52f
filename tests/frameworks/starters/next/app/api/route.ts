export const dynamic = "force-dynamic";

export const GET = (request: Request) =>
    Response.json({ x: new URL(request.url).searchParams.get("x") });

export async function POST(request: Request) {
    const form = await request.formData();
    return Response.json({ name: form.get("name") }, { status: 201 });
}
