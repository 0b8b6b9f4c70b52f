export default { fetch: () => new Response("größer 日本語\n") };
