const started = new Date();
const draws = [Math.random(), Math.random()];
let last;
export default {
    fetch(request) {
        const id = crypto.randomUUID();
        if (request.url.endsWith("/keep")) last = id;
        return new Response(`${started.getFullYear()} ${draws.length} ${last}`);
    },
};
