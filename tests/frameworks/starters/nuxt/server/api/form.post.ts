export default defineEventHandler(async event => {
    const { name } = await readBody(event);
    setCookie(event, "name", name);
    setResponseStatus(event, 201);
    return { name };
});
