const cache = { formats: [] };
globalThis.app = { cache };
cache.formats.push(new globalThis[["In", "tl"].join("")].DateTimeFormat("en"));
const id = crypto.randomUUID();
setInterval(() => {}, 60000);
export default {
    fetch() {
        return new Response(id);
    },
};
