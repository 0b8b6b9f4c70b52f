import type { APIRoute } from "astro";

export const GET: APIRoute = ({ url }) => Response.json({ x: url.searchParams.get("x") });
