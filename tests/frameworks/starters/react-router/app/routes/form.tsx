import { Form } from "react-router";

export async function action({ request }: { request: Request }) {
    const form = await request.formData();
    return { name: String(form.get("name")) };
}

export default function Page({ actionData }: { actionData?: { name: string } }) {
    return (
        <>
            {actionData && <p>Hello, {actionData.name}</p>}
            <Form method="post">
                <input name="name" />
            </Form>
        </>
    );
}
