#include "api_mentions.h"

#include <string>
#include <string_view>
#include <unordered_set>

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
        // `new Response(body, { headers })` and `request.headers` make a Headers without naming it.
        if (word == "headers") found.insert("Headers");
        owner = word;
    }
    return found;
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
    std::unordered_set<std::string_view> words =
        IdentifiersOf(std::string_view(*utf8, static_cast<size_t>(utf8.length())));
    for (const WebGlobal &global : WebGlobals())
        if (words.contains(global.name))
            (void)context->Global()->Get(context, AsciiString(isolate, global.name)).IsEmpty();
}

} // namespace snapcell
