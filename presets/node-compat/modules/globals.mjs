// Names that are global in Node; esbuild puts in those that a bundle mentions.
export { Buffer } from "./buffer.cjs";
export { default as process } from "./process.cjs";
export { clearImmediate, clearInterval, clearTimeout, setImmediate } from "./timers.cjs";
export { setInterval, setTimeout } from "./timers.cjs";
