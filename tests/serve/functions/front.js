// Answers by its path: what the tests of the server need of a function.
let count = 0;

const encoder = new TextEncoder();
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

function pieces(number, gap) {
    return new ReadableStream({
        async start(controller) {
            for (let i = 0; i < number; i++) {
                controller.enqueue(encoder.encode(`piece ${i}\n`));
                await pause(gap);
            }
            controller.close();
        },
    });
}

// Ends by its request's signal, as what is fetched with it does.
const tied = signal =>
    new ReadableStream({
        start: controller =>
            signal.addEventListener("abort", () => controller.error(signal.reason)),
        async pull(controller) {
            await pause(20);
            controller.enqueue(encoder.encode("piece\n"));
        },
    });

const endless = () =>
    new ReadableStream({
        pull(controller) {
            controller.enqueue(new Uint8Array(65536));
        },
    });

function cookies() {
    const headers = new Headers({ connection: "close", "keep-alive": "timeout=5" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response("cookies", { headers });
}

const answers = {
    "/echo": request => new Response(request.body, { headers: { "x-method": request.method } }),
    "/late-echo": async request => {
        await pause(100);
        return new Response(await request.arrayBuffer());
    },
    "/seen": request =>
        Response.json({
            url: request.url,
            method: request.method,
            headers: Object.fromEntries(request.headers),
        }),
    "/mark": request => new Response(request.headers.get("x-mark")),
    "/count": () => new Response(String(++count)),
    "/cookies": cookies,
    "/wrapped": () =>
        new Response(new Response("wrapped").body, { headers: { "x-wrapped": "yes" } }),
    "/wrapped-bytes": () => new Response(new Response(new Uint8Array([65, 66])).body),
    "/wrapped-nothing": () => new Response(new Response("").body),
    "/looked-at": () => {
        const answer = new Response("looked at");
        if (!answer.body.locked) return answer;
    },
    "/branch": () => new Response(new Response("branch").body.tee()[0]),
    "/locked": () => {
        const answer = new Response(new Response("locked").body);
        answer.body.getReader();
        return answer;
    },
    "/empty": () => new Response(null, { status: 204 }),
    "/large": () => new Response("x".repeat(5_000_000)),
    "/pieces": () => new Response(pieces(4, 20)),
    "/tied": (request, env, context) => {
        context.waitUntil(
            new Promise((resolve, reject) => {
                request.signal.addEventListener("abort", () => reject(request.signal.reason));
            })
        );
        return new Response(tied(request.signal));
    },
    "/endless": () => new Response(endless()),
    "/throw": () => {
        throw new TypeError("a deliberate failure");
    },
    "/break": () =>
        new Response(
            new ReadableStream({
                async pull(controller) {
                    controller.enqueue(encoder.encode("begun"));
                    await pause(50);
                    controller.error(new Error("broken off"));
                },
            })
        ),
    "/loop": () => {
        for (;;);
    },
    "/hog": () => {
        const all = [];
        for (;;) all.push(new Array(1e5).fill(all.length));
    },
    "/slow": async () => {
        await pause(400);
        return new Response("slow");
    },
    "/doze": async () => {
        await pause(2900);
        return new Response("awake");
    },
    "/never": () => new Promise(() => setTimeout(() => {}, 1e6)),
    "/long": () => new Response("said", { headers: { "content-length": "3" } }),
    "/after": (request, env, context) => {
        context.waitUntil(pause(200).then(() => console.log("after the response")));
        return new Response("before");
    },
    "/fetch": async request => {
        const answer = await fetch(request.headers.get("x-target"));
        return new Response(`fetched ${await answer.text()}`);
    },
    "/env": (request, env) => Response.json(env),
    "/log": () => {
        console.warn('a "warning"\n of two lines');
        return new Response("logged");
    },
};

export default {
    fetch(request, env, context) {
        const answer = answers[new URL(request.url).pathname];
        return answer ? answer(request, env, context) : new Response("front");
    },
};
