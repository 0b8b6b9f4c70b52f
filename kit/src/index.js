// The JavaScript API. index.d.ts describes it.
export { build } from "./build.js";
export { check } from "./check.js";
export { init } from "./command_init.js";
export { dev } from "./dev.js";
export { Failure, statuses } from "./failure.js";
export { findNative, runNative } from "./native.js";
export { esbuildBundler } from "./bundler_esbuild.js";
