import type { RequestHandler } from "@builder.io/qwik-city";

export const onGet: RequestHandler = ({ json, url }) => json(200, { x: url.searchParams.get("x") });
