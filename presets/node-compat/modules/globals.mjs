// Names that are global in Node; esbuild puts in those that a bundle mentions. As members of the global object
// they are members of an object here, so that code may assign to them.
import { Buffer } from "./buffer.cjs";
import process from "./process.cjs";
import { clearImmediate, clearInterval, clearTimeout, setImmediate } from "./timers.cjs";
import { setInterval, setTimeout } from "./timers.cjs";

export { Buffer, clearImmediate, clearInterval, clearTimeout, process, setImmediate, setInterval };
export { setTimeout };
export const bufferGlobal = { Buffer };
export const processGlobal = { process };
export const timersGlobal = {
    clearImmediate,
    clearInterval,
    clearTimeout,
    setImmediate,
    setInterval,
    setTimeout,
};
