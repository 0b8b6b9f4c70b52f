import { env } from "cloudflare:workers";

export const meta = () => [{ title: "React Router" }];

export const loader = () => ({ message: (env as { GREETING: string }).GREETING });

export default function Home({ loaderData }: { loaderData: { message: string } }) {
    return <h1>{loaderData.message}</h1>;
}
