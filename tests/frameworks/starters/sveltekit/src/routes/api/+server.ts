import { json } from "@sveltejs/kit";

export const GET = ({ url }) => json({ x: url.searchParams.get("x") });
