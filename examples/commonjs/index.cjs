// CommonJS, as older code and many bundles have it.
const { createHash32 } = require("./hash.cjs");

module.exports = {
    async fetch(request) {
        const text = await request.text();
        const headers = new Headers({ "x-length": String(text.length) });
        return new Response(`${createHash32(text || request.url).toString(16)}\n`, { headers });
    },
};
