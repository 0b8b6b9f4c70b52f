module.exports = { fetch: () => new Response("commonjs\n") };
