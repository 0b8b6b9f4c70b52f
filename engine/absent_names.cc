#include "absent_names.h"

#include <algorithm>
#include <iterator>

namespace snapcell
{
namespace
{

constexpr std::string_view kNodeModules[] = {"assert",      "async_hooks",
                                             "buffer",      "child_process",
                                             "cluster",     "console",
                                             "constants",   "crypto",
                                             "dgram",       "dns",
                                             "domain",      "events",
                                             "fs",          "http",
                                             "http2",       "https",
                                             "inspector",   "module",
                                             "net",         "os",
                                             "path",        "perf_hooks",
                                             "process",     "punycode",
                                             "querystring", "readline",
                                             "stream",      "string_decoder",
                                             "timers",      "tls",
                                             "tty",         "url",
                                             "util",        "v8",
                                             "vm",          "worker_threads",
                                             "zlib",        "diagnostics_channel"};

constexpr std::string_view kNodeGlobals[] = {"process",      "Buffer",         "global",
                                             "setImmediate", "clearImmediate", "require",
                                             "__dirname",    "__filename"};

constexpr std::string_view kPageGlobals[] = {"document", "window", "localStorage", "sessionStorage",
                                             "XMLHttpRequest"};

constexpr std::string_view kOtherGlobals[] = {"WebSocketPair",
                                              "EventSource",
                                              "HTMLRewriter",
                                              "BroadcastChannel",
                                              "Worker",
                                              "indexedDB",
                                              "Deno",
                                              "Bun",
                                              "SharedArrayBuffer",
                                              "scheduler",
                                              "FixedLengthStream",
                                              "IdentityTransformStream"};

// Of files that a bundler reads and does not write.
constexpr std::string_view kSourceEndings[] = {".ts", ".mts", ".cts", ".tsx", ".jsx"};

constexpr std::string_view kNodeAdvice =
    "; it is Node's: bundle a package in its place, as presets/node-compat does";
constexpr std::string_view kProcessAdvice =
    "; it is Node's: have the bundler define process.env.NODE_ENV, or bundle a package in its "
    "place, as presets/node-compat does";
constexpr std::string_view kPageAdvice =
    "; it is a web page's: bundle for a server, as esbuild does with "
    "--conditions=workerd,worker";

constexpr std::string_view kOtherAdvice =
    "; it is none of the APIs that functions have: docs/web-api.md lists them";
constexpr std::string_view kSourceAdvice =
    "; a bundle is JavaScript: make one first, as with esbuild --bundle --format=esm";

// Of files that wrangler writes next to the script that imports them.
constexpr std::string_view kFileEndings[] = {".wasm", ".wasm?module", ".txt",
                                             ".html", ".sql",         ".bin"};
constexpr std::string_view kFileAdvice =
    "; a bundle is one file: bundle that one into it, as presets/node-compat does";
constexpr std::string_view kImportAdvice = "; bundle it or remove it";

// Of modules that no bundler could find, since a platform has them inside.
constexpr std::string_view kPlatformSchemes[] = {"cloudflare:", "bun:", "workerd:"};
constexpr std::string_view kPlatformAdvice =
    "; it belongs to another platform: docs/web-api.md lists the modules that the engine has";

template <size_t N> bool EndsWithOneOf(const std::string_view (&endings)[N], std::string_view text)
{
    return std::any_of(std::begin(endings), std::end(endings),
                       [&](std::string_view ending) { return text.ends_with(ending); });
}

template <size_t N>
bool StartsWithOneOf(const std::string_view (&beginnings)[N], std::string_view text)
{
    return std::any_of(std::begin(beginnings), std::end(beginnings),
                       [&](std::string_view beginning) { return text.starts_with(beginning); });
}

template <size_t N> bool IsOneOf(const std::string_view (&names)[N], std::string_view name)
{
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsNodeModule(std::string_view specifier)
{
    if (specifier.starts_with("node:")) return true;
    return IsOneOf(kNodeModules, specifier.substr(0, specifier.find('/')));
}

std::string_view ImportAdviceFor(std::string_view specifier)
{
    if (IsNodeModule(specifier)) return kNodeAdvice;
    if (EndsWithOneOf(kFileEndings, specifier)) return kFileAdvice;
    return StartsWithOneOf(kPlatformSchemes, specifier) ? kPlatformAdvice : kImportAdvice;
}

// What stands between the two; empty when the text is another.
std::string_view Between(std::string_view text, std::string_view before, std::string_view after)
{
    if (text.size() <= before.size() + after.size() || !text.starts_with(before) ||
        !text.ends_with(after))
        return {};
    return text.substr(before.size(), text.size() - before.size() - after.size());
}

} // namespace

std::string UnresolvedMessage(std::string_view what, std::string_view specifier)
{
    std::string message(what);
    message.append(" of \"").append(specifier).append("\" was not resolved by the bundler");
    message.append(ImportAdviceFor(specifier));
    return message;
}

std::string_view AdviceFor(std::string_view message, std::string_view file)
{
    if (message.starts_with("SyntaxError: ")) {
        return EndsWithOneOf(kSourceEndings, file) ? kSourceAdvice : std::string_view();
    }
    std::string_view name = Between(message, "ReferenceError: ", " is not defined");
    if (name == "process") return kProcessAdvice;
    if (IsOneOf(kNodeGlobals, name)) return kNodeAdvice;
    if (IsOneOf(kPageGlobals, name)) return kPageAdvice;
    if (IsOneOf(kOtherGlobals, name)) return kOtherAdvice;
    // What esbuild substitutes for a require() that it could not resolve.
    std::string_view specifier =
        Between(message, "Error: Dynamic require of \"", "\" is not supported");
    if (!specifier.empty() && IsNodeModule(specifier)) return kNodeAdvice;
    return {};
}

} // namespace snapcell
