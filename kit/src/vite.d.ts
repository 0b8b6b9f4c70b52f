import type { BuildOptions, Bundler } from "./index.js";

export interface VitePluginOptions extends BuildOptions {
    /** The environment's name; "snapcell" if it is not given. */
    environment?: string;
}

/**
 * A plugin for Vite 7 and newer: an environment that answers requests through `snapcell serve`, for vite dev, and an
 * artifact in the store after vite build.
 */
export function snapcell(options?: VitePluginOptions): any;

/** Vite as a bundler for build(), check() and dev(). */
export function viteBundler(inline?: Record<string, unknown>): Bundler;
export default snapcell;
