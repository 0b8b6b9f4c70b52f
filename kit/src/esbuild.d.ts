import type { BuiltFunction, CompileOptions } from "./index.js";

export interface EsbuildPluginOptions extends CompileOptions {
    /** The function's name; the entry's, if it is not given. */
    name?: string;
    store?: string;
    native?: string;
    assets?: string | import("./index.js").Assets;
    files?: Record<string, string>;
    empty?: string[];
    /** Node's globals; true if it is not given. */
    node?: boolean;
    onBuilt?: (result: BuiltFunction) => void;
}

/** A plugin for builds of one entry: bundles as `snapcell build` does, and compiles what comes out. */
export function snapcell(options?: EsbuildPluginOptions): { name: string; setup(build: any): void };
export default snapcell;
