// The frameworks: how each is made, built, and asked. Small ones are whole functions; the others come from
// their own starter, changed by what their guide says for the adapter, in starters/NAME.
//   requests, warm       paths, or { path, method, headers, body }, or { found, of }: the first path in the page `of` (the
//                        first one) that a pattern finds
//   source               a file of small/src or three/src
//   create, install      commands; packages that the adapter needs
//   build                a command
//   kit                  what `npx snapcell build` is told besides
//   peer                 "listen": the same source listens in Node; "fetch": Node serves its handler;
//                        or a command, with PORT in the environment, that serves the same build
//   same                 makes answers comparable: what is random, or dated
const form = (path, text) => ({
    path,
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: text,
});
const json = (path, value) => ({
    path,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
});

const usual = ["/", "/hello/x%20y?x=1", form("/form", "name=Zo%C3%AB&x=1"), "/missing"];
const graphql = (path, query) => json(path, { query });
const three = ["hono.jsx", "h3.js", "express.js"]; // of each run of the tests
const small = (source, peer, requests = usual, more = {}) => ({
    source: `${three.includes(source) ? "three" : "small"}/src/${source}`,
    peer,
    requests,
    warm: [requests[0]],
    ...more,
});

// workerd, with the configuration that is in the project.
const workerd = [
    "wrangler",
    "dev",
    "--ip",
    "127.0.0.1",
    "--port",
    "PORT",
    "--inspector-port",
    "0",
    "--log-level",
    "error",
];
const workerdOf = file => [...workerd, "--config", file];
const pages = folder => [
    "wrangler",
    "pages",
    "dev",
    folder,
    ...workerd.slice(2),
    "--compatibility-flags=nodejs_als",
];
// Frameworks take forms of their own pages alone.
const ownForm = (path, text) => {
    const request = form(path, text);
    return { ...request, headers: { ...request.headers, origin: "http://localhost" } };
};

export const frameworks = {
    hono: {
        title: "Hono with JSX",
        packages: ["hono"],
        ...small("hono.jsx", "fetch", [
            ...usual,
            { path: "/cookie", headers: { cookie: "name=a" } },
        ]),
    },
    h3: { packages: ["h3"], ...small("h3.js", "fetch", [...usual, "/teapot"]) },
    elysia: {
        title: "Elysia",
        packages: ["elysia"],
        ...small("elysia.js", "fetch", [...usual, form("/form", "name=")]),
    },
    "itty-router": {
        packages: ["itty-router"],
        ...small("itty-router.js", "fetch", [...usual, "/teapot"]),
    },
    express: {
        packages: ["express"],
        ...small("express.js", "listen", [
            ...usual,
            json("/json", { a: [1, "ü"] }),
            json("/json", "{"),
            "/away",
            "/fails",
        ]),
    },
    koa: { title: "Koa", packages: ["koa"], ...small("koa.js", "listen") },
    fastify: {
        title: "Fastify",
        packages: ["fastify", "@fastify/formbody"],
        ...small("fastify.js", "listen", [...usual, "/hello/x?x=one"]),
    },
    nest: {
        title: "NestJS",
        packages: ["@nestjs/core", "@nestjs/platform-express"],
        ...small("nest.ts", "listen", [...usual, "/teapot"]),
    },
    trpc: {
        title: "tRPC",
        packages: ["@trpc/server"],
        ...small("trpc.ts", "fetch", [
            '/trpc/hello?input={"name":"x","x":1}',
            '/trpc/hello?input={"name":""}',
            json("/trpc/add", "second"),
            '/trpc/hello,hello?batch=1&input={"0":{"name":"a"},"1":{"name":"b"}}',
            "/trpc/ticks",
            "/trpc/none",
        ]),
        same: text => text.replace(/"stack":"[^"]*"/g, ""),
    },
    "graphql-yoga": {
        title: "GraphQL Yoga",
        packages: ["graphql-yoga", "graphql"],
        ...small("graphql-yoga.ts", "fetch", [
            '/graphql?query={hello(name:"x")}',
            graphql("/graphql", '{ hello(name: "Zoë") books { title pages } }'),
            graphql("/graphql", 'mutation { add(title: "B") { title } }'),
            graphql("/graphql", "{ none }"),
            form("/graphql", "query={books{title}}"), // and no other path: in Node it answers with a Response of its own
        ]),
    },
    apollo: {
        title: "Apollo Server on Express",
        packages: ["@apollo/server", "@as-integrations/express5"],
        ...small("apollo.js", "listen", [
            graphql("/graphql", '{ hello(name: "Zoë") }'),
            graphql("/graphql", 'mutation { add(title: "B") }'),
            graphql("/graphql", "{ fails }"),
            graphql("/graphql", "{ none }"),
            "/graphql",
            "/none",
        ]),
    },

    sveltekit: {
        title: "SvelteKit",
        packages: ["@sveltejs/kit", "svelte", "@sveltejs/adapter-cloudflare"],
        create: [
            "npx",
            "-y",
            "sv@0.17.1",
            "create",
            "project",
            "--template",
            "minimal",
            "--types",
            "ts",
        ].concat(["--no-add-ons", "--no-install"]),
        install: ["-D", "@sveltejs/adapter-cloudflare@7.2.9"],
        build: [["npx", "vite", "build"]],
        kit: ["--build-env", "{}"],
        peer: workerd,
        warm: ["/"],
        requests: [
            "/",
            "/form",
            ownForm("/form", "name=Zo%C3%AB"),
            "/api?x=1",
            "/robots.txt",
        ].concat({ found: /\/_app\/immutable\/entry\/start[^"]+\.js/ }, "/missing"),
    },

    qwik: {
        title: "Qwik City",
        packages: ["@builder.io/qwik", "@builder.io/qwik-city"],
        create: ["npm", "create", "-y", "qwik@1.20.1", "empty", "project"],
        prepare: [["npx", "qwik", "add", "cloudflare-pages", "--skipConfirmation=true"]],
        build: [
            ["npm", "run", "build.client"],
            ["npm", "run", "build.server"],
        ],
        kit: ["--assets", "dist"],
        peer: pages("dist"),
        warm: ["/"],
        requests: [
            "/",
            "/api/?x=1",
            "/robots.txt",
            { found: /\/build\/q-[^"]+\.js/ },
            "/form/",
            "/missing/",
        ].concat({
            ...ownForm("", "name=Zoe"),
            of: "/form/",
            found: /(?<=action=")\?qaction=[^"]+/,
        }),
        same: text => text.replace(/q:instance="[^"]*"|qFuncs_\w+/g, ""),
    },
    "tanstack-start": {
        title: "TanStack Start",
        packages: ["@tanstack/react-start", "react", "@cloudflare/vite-plugin"],
        create: [
            "npx",
            "-y",
            "@tanstack/cli@0.71.0",
            "create",
            "project",
            "--no-install",
            "--no-git",
            "-y",
        ],
        install: ["-D", "@cloudflare/vite-plugin@1.64.0", "wrangler@4.164.0"],
        build: [["npx", "vite", "build"]],
        peer: workerdOf("dist/server/wrangler.json"),
        warm: ["/"],
        requests: [
            "/",
            "/about",
            "/robots.txt",
            { found: /\/assets\/[^"]+\.css/ },
            "/missing",
        ].concat(ownForm("/form", "name=Zo%C3%AB")),
        same: text => text.replace(/u:\d+/g, "u:0"),
    },
    astro: {
        title: "Astro",
        packages: ["astro", "@astrojs/cloudflare"],
        install: ["astro@7.3.5", "@astrojs/cloudflare@14.3.3", "wrangler@4.164.0"],
        build: [["npx", "astro", "build"]],
        peer: workerdOf("dist/server/wrangler.json"),
        warm: ["/"],
        requests: [
            "/",
            "/about",
            "/form",
            ownForm("/form", "name=Zo%C3%AB"),
            "/api?x=1",
            "/robots.txt",
            "/missing",
        ],
    },
    "react-router": {
        title: "React Router",
        packages: ["react-router", "react", "@cloudflare/vite-plugin"],
        install: [
            "react-router@8.5.3",
            "@react-router/dev@8.4.0",
            "@cloudflare/vite-plugin@1.64.0",
            "wrangler@4.164.0",
            ...["react@19", "react-dom@19", "isbot@5", "vite@8", "typescript@6"],
        ],
        build: [["npx", "react-router", "build"]],
        peer: workerdOf("build/server/wrangler.json"),
        warm: ["/"],
        requests: [
            "/",
            "/form",
            ownForm("/form", "name=Zo%C3%AB"),
            "/api?x=1",
            "/robots.txt",
        ].concat({ found: /\/assets\/entry[^"]+\.js/ }),
        // The text of one of its functions, in which bundlers may name variables as they like.
        same: text => text.replace(/<script>\(\(storageKey[^]*?<\/script>/, ""),
    },
    nuxt: {
        title: "Nuxt",
        packages: ["nuxt", "vue"],
        install: ["nuxt@4.5.2", "wrangler@4.164.0"],
        build: [["npx", "nuxt", "build"]],
        kit: ["--build-env", "{}"],
        peer: workerdOf(".output/server/wrangler.json"),
        warm: ["/"],
        requests: ["/", "/api/hello?x=1", form("/api/form", "name=Zo%C3%AB"), "/robots.txt"].concat(
            { found: /\/_nuxt\/[^"]+\.js/ },
            "/missing"
        ),
    },

    "solid-start": {
        title: "SolidStart",
        packages: ["@solidjs/start", "solid-js", "nitro"],
        install: [
            "@solidjs/start@2.0.5",
            "@solidjs/router@1.0.0",
            "solid-js@1",
            "nitro@3.0.260903-beta",
            "vite@8",
            "wrangler@4.164.0",
        ],
        build: [["npx", "vite", "build"]],
        peer: workerdOf(".output/server/wrangler.json"),
        warm: ["/"],
        requests: ["/", "/api?x=1", form("/api", "name=Zo%C3%AB"), "/robots.txt", "/missing"],
        // The text of two of its functions, in which bundlers may indent lines as they like.
        same: text => text.replace(/\s+/g, " "),
    },
    angular: {
        title: "Angular",
        packages: ["@angular/core", "@angular/ssr"],
        create: [
            "npx",
            "-y",
            "@angular/cli@22.2.7",
            "new",
            "project",
            "--ssr",
            "--defaults",
            "--skip-git",
            "--skip-install",
        ],
        install: ["--legacy-peer-deps", "@angular/ssr@22.2.0"],
        prepare: [["node", "neutral.mjs"]],
        build: [["npx", "ng", "build"]],
        peer: workerd,
        warm: ["/"],
        requests: [
            "/",
            form("/api/form", "name=Zo%C3%AB"),
            "/favicon.ico",
            { found: /(?<=src=")main-[^"]+\.js/ },
            "/missing",
        ],
    },
    next: {
        title: "Next by OpenNext",
        packages: ["next", "@opennextjs/cloudflare"],
        create: "npx -y create-next-app@16.4.3 project --ts --no-eslint --no-tailwind --app --no-src-dir --use-npm --skip-install --yes".split(
            " "
        ),
        install: ["--legacy-peer-deps", "@opennextjs/cloudflare@1.20.17", "wrangler@4.164.0"],
        build: [["npx", "opennextjs-cloudflare", "build"]],
        peer: workerd,
        warm: ["/"],
        requests: [
            "/",
            "/dynamic",
            "/api?x=1",
            form("/api", "name=Zo%C3%AB"),
            "/next.svg",
            "/missing",
        ],
    },
};
