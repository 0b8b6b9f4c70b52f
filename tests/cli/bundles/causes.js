const cache = { formats: [] };
globalThis.app = { cache };
cache.formats.push(new globalThis[["In", "tl"].join("")].DateTimeFormat("en"));
const id = crypto.randomUUID();
globalThis.memory = new WebAssembly.Memory({ initial: 1 });
export default {
    fetch() {
        return new Response(id);
    },
};
