export const loader = ({ request }: { request: Request }) =>
    Response.json({ x: new URL(request.url).searchParams.get("x") });
