import { component$ } from "@builder.io/qwik";
import { Form, routeAction$, routeLoader$ } from "@builder.io/qwik-city";

export const usePath = routeLoader$(({ url }) => url.pathname);
export const useHello = routeAction$(({ name }, { cookie }) => {
    cookie.set("name", String(name), { path: "/" });
    return { name: String(name) };
});

export default component$(() => {
    const path = usePath();
    const hello = useHello();
    return (
        <>
            <p>{path.value}</p>
            {hello.value && <p>Hello, {hello.value.name}</p>}
            <Form action={hello}>
                <input name="name" />
            </Form>
        </>
    );
});
