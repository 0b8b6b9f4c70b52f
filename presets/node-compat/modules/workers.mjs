// "cloudflare:workers" of a bundle whose build said what env there is while a snapshot is made.
import { env as ofCall } from "cloudflare:workers";
import given from "./build_env.cjs";
import support from "./support.mjs";

// By name: no snapshot can hold the namespace that `export *` would need.
export { DurableObject, RpcPromise, RpcProperty, RpcStub, RpcTarget } from "cloudflare:workers";
export { ServiceStub, WorkerEntrypoint, WorkflowEntrypoint, exports } from "cloudflare:workers";
export { waitUntil, withEnv } from "cloudflare:workers";

const current = () => (support.building() ? given : ofCall);
const handler = { __proto__: null };
for (const name of Object.getOwnPropertyNames(Reflect))
    handler[name] = (target, ...rest) => Reflect[name](current(), ...rest);
// A proxy may not report what its target does not have unless it can be configured.
handler.getOwnPropertyDescriptor = (target, name) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(current(), name);
    return descriptor && { ...descriptor, configurable: true };
};

export const env = new Proxy({}, handler);
