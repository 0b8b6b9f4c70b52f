// Shared memory is there at run time alone, as WebAssembly's.
const newWords = () =>
    new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);

const answers = {
    // Nothing else is there to wait for.
    alone: () => Atomics.waitAsync(newWords(), 0, 0, 20).value,
    forever: () => Atomics.waitAsync(newWords(), 0, 0).value,
    different: () => Atomics.waitAsync(newWords(), 0, 1, 20).value,
    async notified() {
        const words = newWords();
        const { value } = Atomics.waitAsync(words, 0, 0, 60_000);
        setTimeout(() => Atomics.notify(words, 0), 5);
        return value;
    },
    async order() {
        const order = [];
        const later = setTimeout(() => order.push("timer too late"), 60_000);
        setTimeout(() => order.push("timer"), 10);
        const waits = [30, 20].map(async ms => {
            const how = await Atomics.waitAsync(newWords(), 0, 0, ms).value;
            order.push(`${ms} ${how}`);
        });
        await Promise.all(waits);
        clearTimeout(later);
        return order.join();
    },
};

export default {
    fetch: async request => new Response(await answers[new URL(request.url).pathname.slice(1)]()),
};
