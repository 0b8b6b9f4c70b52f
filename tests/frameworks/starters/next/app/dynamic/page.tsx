import { headers } from "next/headers";

export default async function Page() {
    return <h1>Welcome to {(await headers()).get("host")}</h1>;
}
