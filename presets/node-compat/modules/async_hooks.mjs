// node:async_hooks is the engine's; it has the names that Node's has.
import hooks from "node:async_hooks";

export const { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId } = hooks;
export const { executionAsyncResource, triggerAsyncId } = hooks;
export default hooks;
