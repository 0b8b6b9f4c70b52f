#include "api_mentions.h"

#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "web/web.h"
#include "web_modules.h"

namespace snapcell
{
namespace
{

bool IsIdentifierPart(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80) != 0;
}

// What is made without being named, as a Headers by `new Response(body, { headers })` and
// `request.headers`.
std::string_view ImpliedGlobal(std::string_view word, bool after_dot)
{
    static constexpr std::pair<std::string_view, std::string_view> kImplied[] = {
        {"headers", "Headers"},       {"getReader", "ReadableStream"},
        {"pipeTo", "ReadableStream"}, {"pipeThrough", "ReadableStream"},
        {"subtle", "SubtleCrypto"},
    };
    if (word == "body" && after_dot) return "ReadableStream";
    for (const auto &[mention, global] : kImplied)
        if (word == mention) return global;
    return {};
}

// Every identifier of a text, in comments and strings, too: this is a guess, not a parser.
std::unordered_set<std::string_view> IdentifiersOf(std::string_view text)
{
    std::unordered_set<std::string_view> found;
    std::string_view owner; // what stood before a dot
    bool after_dot = false;
    for (size_t i = 0; i < text.size();) {
        if (!IsIdentifierPart(text[i])) {
            after_dot = text[i] == '.';
            i++;
            continue;
        }
        size_t begin = i;
        while (i < text.size() && IsIdentifierPart(text[i]))
            i++;
        std::string_view word = text.substr(begin, i - begin);
        if (!after_dot || owner == "globalThis" || owner == "self") found.insert(word);
        std::string_view implied = ImpliedGlobal(word, after_dot);
        if (!implied.empty()) found.insert(implied);
        owner = word;
    }
    return found;
}

// Whether a URL is made of two arguments somewhere: bases are the work of a module that other URLs
// do without. A comma in a string counts, too.
bool MakesUrlWithBase(std::string_view text)
{
    constexpr size_t kFarthest = 500; // a longer argument is none that one line builds
    constexpr std::string_view call = "URL(";
    for (size_t at = text.find(call); at != text.npos; at = text.find(call, at + 1)) {
        std::string_view rest = text.substr(at + call.size(), kFarthest);
        int depth = 1;
        for (size_t i = 0; i < rest.size() && depth > 0; i++) {
            if (rest[i] == '(' || rest[i] == '[' || rest[i] == '{') depth++;
            if (rest[i] == ')' || rest[i] == ']' || rest[i] == '}') depth--;
            if (rest[i] == ',' && depth == 1) return true;
        }
    }
    return false;
}

} // namespace

void TouchMentionedApis(v8::Local<v8::Context> context, BundleText *text)
{
    v8::Isolate *isolate = context->GetIsolate();
    v8::HandleScope scope(isolate);
    v8::TryCatch ignore(isolate);
    v8::Local<v8::String> source;
    if (!text->NewString(isolate).ToLocal(&source)) return;
    v8::String::Utf8Value utf8(isolate, source);
    if (*utf8 == nullptr) return;
    std::string_view characters(*utf8, static_cast<size_t>(utf8.length()));
    std::unordered_set<std::string_view> words = IdentifiersOf(characters);
    for (const WebGlobal &global : WebGlobals())
        if (words.contains(global.name))
            (void)context->Global()->Get(context, AsciiString(isolate, global.name)).IsEmpty();
    if (words.contains("URL") && MakesUrlWithBase(characters))
        (void)RequireWebModule(context, "url_machine").IsEmpty();
}

} // namespace snapcell
