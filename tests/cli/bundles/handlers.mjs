export default {
    fetch: (request, env) => Response.json(env),
    scheduled: controller => controller.noRetry(),
    double: ({ n }) => n * 2,
};
