// Answers by functions that are exported under the names of HTTP's methods.

/** @param {Record<string, any>} module what the function's entry exports */
export function methodsFetch(module) {
    const names = Object.keys(module).filter(name => typeof module[name] === "function");
    const allowed = [...new Set([...names, ...(module.GET ? ["HEAD"] : []), "OPTIONS"])];
    const allow = allowed.filter(name => /^[A-Z]+$/.test(name)).join(", ");
    return {
        fetch(request, env, context) {
            const { method } = request;
            const handler = module[method] ?? (method === "HEAD" ? module.GET : undefined);
            if (/^[A-Z]+$/.test(method) && typeof handler === "function")
                return handler(request, context, env);
            const status = method === "OPTIONS" ? 204 : 405;
            return new Response(null, { status, headers: { allow } });
        },
    };
}
