// Names that are global in Node; esbuild puts in those that a bundle mentions.
export { Buffer } from "./buffer.cjs";
export { default as process } from "./process.cjs";
export { clearImmediate, setImmediate } from "./timers.cjs";
