import { createAsync, query } from "@solidjs/router";

const hello = query(async () => {
    "use server";
    return { name: "server" };
}, "hello");

export default function Home() {
    const data = createAsync(() => hello());
    return <h1>Welcome from the {data()?.name}</h1>;
}
