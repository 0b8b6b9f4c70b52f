export default {
    fetch: () => new Response("VERSION"),
};
