const id = crypto.randomUUID();
export default { fetch: () => new Response(id.length + "\n") };
