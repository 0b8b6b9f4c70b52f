const cache = { formats: [] };
globalThis.app = { cache };
cache.formats.push(new globalThis[["In", "tl"].join("")].DateTimeFormat("en"));
const id = crypto.randomUUID();
WebAssembly.validate(new Uint8Array());
export default {
    fetch() {
        return new Response(id);
    },
};
