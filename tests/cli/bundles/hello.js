let calls = 0;
export default {
    async fetch(request, env) {
        const url = new URL(request.url);
        calls++;
        if (url.pathname === "/echo")
            return new Response(request.body, {
                status: 201,
                headers: {
                    "x-method": request.method,
                    "x-given": request.headers.get("x-given") ?? "",
                    "x-type": request.headers.get("content-type") ?? "none",
                },
            });
        if (url.pathname === "/env") return new Response(env.MODE);
        if (url.pathname === "/calls") return new Response(String(calls));
        if (url.pathname === "/binary")
            return new Response(new Uint8Array([0, 255, 10, 0, 13, 128]));
        if (url.pathname === "/missing") return new Response("nothing here\n", { status: 404 });
        if (url.pathname === "/large") return new Response("x".repeat(1 << 20));
        if (url.pathname === "/throw") throw new TypeError("thrown on purpose");
        if (url.pathname === "/spin") for (;;);
        if (url.pathname === "/sleep") await new Promise(resolve => setTimeout(resolve, 60000));
        if (url.pathname === "/log-and-sleep") {
            console.log("begun");
            await new Promise(resolve => setTimeout(resolve, 60000));
        }
        if (url.pathname === "/hog")
            for (const hoard = []; ;) hoard.push(new Array(10000).fill(hoard.length));
        if (url.pathname === "/log") console.log("from the console");
        return new Response("hello " + url.pathname + "\n");
    },
};
