// Answers HTTP by a handler written for AWS Lambda: a request becomes the event of API Gateway (format 1.0
// or 2.0) or of an Application Load Balancer, and the handler's result becomes the response.

const textTypes = /^text\/|[/+](json|xml|javascript)\b/;

const isText = (headers, format) =>
    format === "v1" ||
    (!headers.has("content-encoding") &&
        textTypes.test(headers.get("content-type") ?? "text/plain"));

async function bodyOf(request, format) {
    if (request.body === null)
        return { body: format === "alb" ? "" : null, isBase64Encoded: false };
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (isText(request.headers, format))
        return { body: new TextDecoder().decode(bytes), isBase64Encoded: false };
    return { body: bytes.toBase64(), isBase64Encoded: true };
}

// The last value of each name, all of them, and all of them as one string.
function valuesOf(pairs) {
    const last = {};
    const all = {};
    for (const [name, value] of pairs) {
        last[name] = value;
        (all[name] ??= []).push(value);
    }
    const joined = Object.fromEntries(
        Object.entries(all).map(([name, list]) => [name, list.join()])
    );
    return { last, all, joined, some: Object.keys(all).length > 0 };
}

function facts(request) {
    const url = new URL(request.url);
    const now = new Date();
    const { headers } = request;
    const [sourceIp = "127.0.0.1"] =
        (headers.get("x-forwarded-for") ?? undefined)?.split(/,\s*/) ?? [];
    return {
        url,
        now,
        method: request.method,
        id: crypto.randomUUID(),
        sourceIp,
        userAgent: headers.get("user-agent") ?? "",
        headers: valuesOf(headers),
    };
}

const two = number => String(number).padStart(2, "0");
function logTime(date) {
    const month = date.toLocaleString("en-US", { month: "short", timeZone: "UTC" });
    const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
        .map(two)
        .join(":");
    return `${two(date.getUTCDate())}/${month}/${date.getUTCFullYear()}:${clock} +0000`;
}

const shared = ({ url, id }) => ({
    accountId: "000000000000",
    apiId: "snapcell",
    domainName: url.host,
    domainPrefix: url.hostname.split(".")[0],
    requestId: id,
});

const events = {
    v2(known, body) {
        const { url, now, method, sourceIp, userAgent, headers } = known;
        const { cookie, ...others } = headers.joined;
        const query = valuesOf(url.searchParams);
        return {
            version: "2.0",
            routeKey: "$default",
            rawPath: url.pathname,
            rawQueryString: url.search.slice(1),
            ...(cookie === undefined ? {} : { cookies: cookie.split(/;\s*/) }),
            headers: { host: url.host, ...others },
            ...(query.some ? { queryStringParameters: query.joined } : {}),
            requestContext: {
                ...shared(known),
                http: { method, path: url.pathname, protocol: "HTTP/1.1", sourceIp, userAgent },
                routeKey: "$default",
                stage: "$default",
                time: logTime(now),
                timeEpoch: now.getTime(),
            },
            ...(body.body === null ? {} : { body: body.body }),
            isBase64Encoded: body.isBase64Encoded,
        };
    },
    v1(known, body) {
        const { url, now, method, sourceIp, userAgent, headers } = known;
        const query = valuesOf(url.searchParams);
        const proxy = url.pathname.slice(1);
        return {
            version: "1.0",
            resource: "/{proxy+}",
            path: url.pathname,
            httpMethod: method,
            headers: { Host: url.host, ...headers.last },
            multiValueHeaders: { Host: [url.host], ...headers.all },
            queryStringParameters: query.some ? query.last : null,
            multiValueQueryStringParameters: query.some ? query.all : null,
            pathParameters: proxy ? { proxy } : null,
            stageVariables: null,
            requestContext: {
                ...shared(known),
                httpMethod: method,
                identity: { sourceIp, userAgent },
                path: url.pathname,
                protocol: "HTTP/1.1",
                requestTime: logTime(now),
                requestTimeEpoch: now.getTime(),
                resourceId: "proxy",
                resourcePath: "/{proxy+}",
                stage: "prod",
            },
            ...body,
        };
    },
    alb({ url, method, headers }, body) {
        // A load balancer hands on what the client encoded.
        const pairs = url.search
            .slice(1)
            .split("&")
            .filter(Boolean)
            .map(pair => pair.split(/=(.*)/s).slice(0, 2));
        return {
            requestContext: { elb: { targetGroupArn: "arn:aws:elasticloadbalancing:snapcell" } },
            httpMethod: method,
            path: url.pathname,
            queryStringParameters: valuesOf(pairs.map(([name, value = ""]) => [name, value])).last,
            headers: { host: url.host, ...headers.joined },
            ...body,
        };
    },
};

function contextOf(known, context) {
    const name = context?.functionName ?? "snapcell";
    return {
        functionName: name,
        functionVersion: "$LATEST",
        invokedFunctionArn: `arn:aws:lambda:snapcell:000000000000:function:${name}`,
        memoryLimitInMB: "128",
        awsRequestId: known.id,
        logGroupName: `/aws/lambda/${name}`,
        logStreamName: "snapcell",
        callbackWaitsForEmptyEventLoop: true,
        getRemainingTimeInMillis: () => Math.max(0, known.now.getTime() + 30000 - Date.now()),
    };
}

// A handler returns a promise, a value, or calls back.
function call(handler, event, context) {
    return new Promise((done, failed) => {
        const back = (error, result) =>
            error
                ? failed(error instanceof Error ? error : new Error(String(error)))
                : done(result);
        const full = {
            ...context,
            done: back,
            succeed: done,
            fail: error => back(error ?? "failed"),
        };
        const result = handler(event, full, back);
        if (result !== undefined || handler.length < 3) done(result);
    });
}

const bytesOf = ({ body, isBase64Encoded }) => {
    if (body === undefined || body === null) return null;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return isBase64Encoded ? Uint8Array.fromBase64(text) : text;
};

function responseOf(result, format) {
    if (result instanceof Response) return result;
    if (result?.statusCode === undefined) {
        if (format !== "v2")
            throw new TypeError(
                "the handler's result has no statusCode, which API Gateway 1.0 and load balancers need"
            );
        return typeof result === "string"
            ? new Response(result, { headers: { "content-type": "application/json" } })
            : Response.json(result ?? null);
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(result.headers ?? {}))
        headers.set(name, String(value));
    for (const [name, values] of Object.entries(result.multiValueHeaders ?? {})) {
        headers.delete(name);
        for (const value of values) headers.append(name, String(value));
    }
    for (const cookie of result.cookies ?? []) headers.append("set-cookie", cookie);
    const status = Number(result.statusCode);
    const body = [101, 204, 205, 304].includes(status) ? null : bytesOf(result);
    if (typeof body === "string" && !headers.has("content-type"))
        headers.set(
            "content-type",
            format === "v2" ? "text/plain;charset=UTF-8" : "application/json"
        );
    return new Response(body, { status, headers });
}

/**
 * @param {Record<string, any>} module what the function's entry exports
 * @param {"v1" | "v2" | "alb"} format
 */
export function lambdaFetch(module, format) {
    const handler = [module.handler, module.default?.handler, module.default].find(
        one => typeof one === "function"
    );
    if (!handler) throw new TypeError("no function `handler` is exported, which Lambda would call");
    return {
        async fetch(request, env, context) {
            const known = facts(request);
            const event = events[format](known, await bodyOf(request, format));
            return responseOf(await call(handler, event, contextOf(known, context)), format);
        },
    };
}
