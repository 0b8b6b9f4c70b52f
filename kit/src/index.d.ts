/** An assets folder, embedded into the bundle and served. */
export interface Assets {
    directory: string;
    /** The name in `env`; "ASSETS" if it is not given. */
    binding?: string;
    /** The function answers requests for files, too: all, or those of patterns, as ["/api/*", "!/api/docs/*"]. */
    workerFirst?: boolean | string[];
    /** Whether /page stands for page.html. */
    html?: "auto" | "none";
    /** What answers other paths. */
    missing?: "none" | "404-page" | "single-page-application";
    /** Whether a browser that goes to another path gets that answer; true if it is not given. */
    navigation?: boolean;
}

/** A request that the function answers at build time. */
export interface WarmRequest {
    url: string;
    method?: string;
    headers?: Record<string, string>;
    body?: string;
}

/** What bundles, and how. */
export interface BundleOptions {
    name?: string;
    adapter?: "lambda" | "lambda-v1" | "lambda-v2" | "lambda-alb" | "netlify" | "methods" | "none";
    /** A bundler, or a module whose default export is one; esbuild if it is not given. */
    bundler?: Bundler | string;
    /** The entry is a bundle already. */
    noBundle?: boolean;
    minify?: boolean;
    sourcemap?: boolean;
    define?: Record<string, string>;
    alias?: Record<string, string>;
    loader?: Record<string, string>;
    conditions?: string[];
    assets?: string | Assets;
    /** Files that node:fs finds: a place in the function, and a file or folder. */
    files?: Record<string, string>;
    /** Modules of Node's that are empty. */
    empty?: string[];
    /** What `env` of cloudflare:workers is while the snapshot is made. The snapshot keeps what comes of it. */
    buildEnv?: Record<string, unknown>;
    /** Node's globals: where the function needs them, if this is not given. */
    node?: boolean;
    /** More options for esbuild, plugins among them. */
    esbuild?: Record<string, unknown>;
}

/** What the native program is told; see `snapcell compile --help`. */
export interface CompileOptions {
    warm?: (string | WarmRequest)[];
    sign?: string;
    tenant?: string;
    shape?: "fetch" | "event" | "auto";
    level?: number;
    raw?: boolean;
    strict?: boolean;
    entropy?: "error" | "fresh" | "allow";
    /** Limits of the compile. */
    memoryMb?: number;
    wallMs?: number;
}

export interface BuildOptions extends BundleOptions, CompileOptions {
    /** A source file, a project's folder, a folder of functions, or a wrangler file. */
    entry?: string;
    cwd?: string;
    store?: string;
    /** The native program. */
    native?: string;
    config?: string;
    /** An environment of the wrangler file. */
    environment?: string;
    metafile?: string;
    /** A configuration of `snapcell serve`, into which variables and routes are written. What else is in it stays. */
    serveConfig?: string;
    force?: boolean;
}

/** Settings of one function in a configuration. */
export interface FunctionConfiguration extends BundleOptions, CompileOptions {
    entry?: string;
    /** Variables, for the host to set. */
    env?: Record<string, unknown>;
    /** Patterns of hosts and paths, as `snapcell serve` takes them. */
    routes?: string[];
    /** Modules that are not JavaScript, as a wrangler file has them. */
    rules?: { type: string; globs: string[] }[];
    store?: string;
    native?: string;
    metafile?: string;
    serveConfig?: string;
    force?: boolean;
}

/** What a configuration (snapcell.config.js) exports as default. */
export interface Configuration extends FunctionConfiguration {
    functions?: Record<string, string | (FunctionConfiguration & { entry: string })>;
}

export interface Place {
    file?: string;
    line?: number;
    column?: number;
}

export interface Notice extends Place {
    message: string;
}

/** An error of the function, of its project, or of how it was called. */
export class Failure extends Error implements Place {
    /** The exit status that the program gives. */
    status: number;
    code: string;
    file?: string;
    line?: number;
    column?: number;
    errors?: (Notice & { code: string })[];
    /** What the function wrote to its console before it failed, a line each. */
    console?: string[];
}

export const statuses: {
    done: 0;
    failed: 1;
    usage: 2;
    files: 3;
    refused: 4;
    limit: 5;
};

export interface BuiltFunction {
    name: string;
    entry: string;
    /** Set if the function failed; the rest is then missing. */
    error?: Failure;
    key: string;
    kind: "snapshot" | "code";
    shape: "fetch" | "json";
    source_bytes: number;
    snapshot_bytes: number;
    artifact_bytes: number;
    compile_ms: number;
    bundle_ms: number;
    ms: number;
    cached: boolean;
    /** Nothing had changed, and nothing was done. */
    unchanged: boolean;
    warnings: string[];
    notices: Notice[];
    /** What the function wrote to its console while it was compiled, a line each. */
    console: string[];
    /** The bundle's file. */
    bundle: string;
    inputs: number;
    /** Variables of the project, for the host to set. */
    env: Record<string, unknown>;
    /** Patterns of hosts and paths, as `snapcell serve` takes them. */
    routes: string[];
}

export interface Built<T> {
    root: string;
    /** What of the project could not be honoured. */
    notes: string[];
    functions: T[];
}

/** Bundles, compiles and stores each function of a project. */
export function build(options?: BuildOptions): Promise<Built<BuiltFunction>>;

export interface Weight {
    bundle_bytes: number;
    snapshot_bytes: number;
    top_level_ms: number | null;
}

export interface CheckedFunction extends Weight {
    name: string;
    entry: string;
    error?: Failure;
    kind: "snapshot" | "code";
    shape: "fetch" | "json";
    artifact_bytes: number;
    /** What keeps the function from being a snapshot. */
    causes: { kind: string; what: string; place: string; path: string; advice: string }[];
    /** What the top level took from the clock and from random numbers. */
    uses: { kind: string; what: string; place: string }[];
    missing: Notice[];
    apis: string[];
    engine_bytes: Record<string, number>;
    v8_bytes: number;
    packages: (Weight & { name: string; modules: number })[];
    modules: (Weight & { path: string; package: string })[];
}

/** Tells what start-up costs and what the snapshot holds. */
export function check(options?: BuildOptions): Promise<Built<CheckedFunction>>;

export type DevEvent = { event: string } & Record<string, unknown>;

export interface DevOptions extends BuildOptions {
    /** HOST:PORT; 127.0.0.1:8787, or the next free port, if it is not given. */
    listen?: string;
    /** Pages for errors; true if it is not given. */
    overlay?: boolean;
    onEvent?: (event: DevEvent) => void;
}

/** Serves a project, and builds again whenever it changes. */
export function dev(options?: DevOptions): Promise<{ url: string; close(): Promise<void> }>;

export function init(options?: { folder?: string; name?: string; js?: boolean; cwd?: string }): {
    folder: string;
    name: string;
    files: string[];
};

export interface BundleRequest extends BundleOptions {
    name: string;
    root: string;
    /** The file to begin with. */
    entry: string;
    /** A module that imports the entry, to begin with instead. */
    contents?: string;
    mode?: "production" | "development";
    rules?: { type: string; globs: string[] }[];
}

export interface BundleResult {
    code: string;
    map?: string;
    /** As esbuild makes it. Without one, only `inputs` tell when to build again. */
    metafile?: { inputs: Record<string, unknown>; outputs: Record<string, unknown> };
    /** Files that the bundle is made of. */
    inputs: string[];
    warnings: { text: string; location?: { file: string; line: number; column: number } | null }[];
}

export interface Bundler {
    name: string;
    bundle(request: BundleRequest): Promise<BundleResult>;
    /** For building again and again. */
    context?(
        request: BundleRequest
    ): Promise<{ rebuild(): Promise<BundleResult>; dispose(): unknown }>;
}

export const esbuildBundler: Bundler;

/** Finds the native program. */
export function findNative(where?: { option?: string; cwd?: string }): string;
export function runNative(
    program: string,
    parameters: string[],
    options?: { input?: string; cwd?: string; env?: Record<string, string> }
): Promise<{ status: number; stdout: string; stderr: string }>;
