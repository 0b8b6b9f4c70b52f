addEventListener("fetch", (event) => event.respondWith(new Response("worker\n")));
