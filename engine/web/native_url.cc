// What URLs need: domain names through libidn2, and a quick way for plain URLs.
#include <cstring>
#include <string>

#include <idn2.h>

#include "web/idna_lenient.h"
#include "web/natives.h"

namespace snapcell
{

// --- Domain names ---

static bool IsAscii(const std::string &text)
{
    for (char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
    }
    return true;
}

static void LowerCase(std::string *text)
{
    for (char &c : *text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
}

static bool StartsWithAce(const std::string &label)
{
    return label.size() >= 4 && strncasecmp(label.c_str(), "xn--", 4) == 0;
}

// Appends the ASCII form of a label. False when it has none.
static bool AppendAsciiLabel(std::string label, std::string *out)
{
    if (IsAscii(label) && !StartsWithAce(label)) {
        LowerCase(&label);
        out->append(label);
        return true;
    }
    uint8_t *ascii = nullptr;
    int status = idn2_lookup_u8(reinterpret_cast<const uint8_t *>(label.c_str()), &ascii,
                                IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status == IDN2_DISALLOWED || status == IDN2_HYPHEN_STARTEND || status == IDN2_2HYPHEN)
        return AppendLenientLabel(label, out);
    if (status != IDN2_OK) return false;
    out->append(reinterpret_cast<char *>(ascii));
    idn2_free(ascii);
    return true;
}

// UTS 46 maps these to a full stop: U+3002, U+FF0E and U+FF61.
static const char *const kFullStops[] = {".", "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"};

static size_t FullStopLength(const char *text)
{
    for (const char *stop : kFullStops) {
        if (strncmp(text, stop, strlen(stop)) == 0) return strlen(stop);
    }
    return 0;
}

// Label by label, since libidn2 refuses in plain labels what the URL standard lets through:
// hyphens in the third and fourth place, underscores, empty labels, long ones.
static bool DomainToAscii(const std::string &domain, std::string *out)
{
    if (IsAscii(domain)) {
        out->assign(domain);
        LowerCase(out);
        return true;
    }
    size_t start = 0;
    for (size_t i = 0; i <= domain.size();) {
        size_t stop = i < domain.size() ? FullStopLength(domain.c_str() + i) : 1;
        if (stop == 0) {
            i++;
            continue;
        }
        if (!AppendAsciiLabel(domain.substr(start, i - start), out)) return false;
        if (i < domain.size()) out->push_back('.');
        i += stop;
        start = i;
    }
    return true;
}

// domainToAscii(string) -> string; null when it is no domain
void Native_domainToAscii(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::String::Utf8Value domain(isolate, info[0]);
    std::string ascii;
    // libidn2 reads to a zero byte.
    if (!*domain || strlen(*domain) != domain.length() || domain.length() > 65536 ||
        !DomainToAscii(std::string(*domain, domain.length()), &ascii)) {
        info.GetReturnValue().SetNull();
        return;
    }
    ReturnLatin1(info, reinterpret_cast<const uint8_t *>(ascii.data()), ascii.size());
}

// --- Plain URLs ---
// Nearly every URL that a function sees is http or https, in ASCII, and stands for itself: parsing
// changes nothing in it. Those are cut here; all others take the URL standard's state machine.

enum UrlPart : uint8_t { kInPath = 1, kInQuery = 2, kInFragment = 4, kInHost = 8 };

// The parts in which a character stands for itself.
static uint8_t PartsOf(uint8_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')
        return kInPath | kInQuery | kInFragment | kInHost;
    if (c >= 'A' && c <= 'Z') return kInPath | kInQuery | kInFragment;
    if (c > 0x20 && c < 0x7f && strchr("_~!$&()*+,;=:@%/", c))
        return kInPath | kInQuery | kInFragment;
    if (c == '?') return kInQuery | kInFragment;
    return 0;
}

static size_t SkipPart(const uint8_t *text, size_t size, size_t at, UrlPart part)
{
    while (at < size && (PartsOf(text[at]) & part))
        at++;
    return at;
}

// Whether a host is a plain name: no empty label, none in Punycode, no IPv4 address.
static bool IsPlainHost(const uint8_t *host, size_t size)
{
    size_t label = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && host[i] != '.') continue;
        if (i == label) return false;
        if (i - label >= 4 && memcmp(host + label, "xn--", 4) == 0) return false;
        if (i == size) break;
        label = i + 1;
    }
    return host[label] < '0' || host[label] > '9';
}

// Dot segments, also where the dots are percent-encoded. Says yes too often.
static bool MayHaveDotSegments(const uint8_t *path, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (path[i] == '/' && path[i + 1] == '.') return true;
        if (path[i] == '%' && path[i + 1] == '2') return true;
    }
    return false;
}

// A port at `at`, where a colon is; moves `at` behind it. -1 when it is not written plainly.
static int TakePort(const uint8_t *text, size_t size, size_t *at)
{
    int port = 0;
    size_t start = ++*at;
    while (*at < size && text[*at] >= '0' && text[*at] <= '9' && *at - start < 5)
        port = port * 10 + (text[(*at)++] - '0');
    return *at == start || text[start] == '0' || port > 65535 ? -1 : port;
}

struct PlainUrl {
    size_t host = 0;
    size_t host_end = 0;
    int port = 0; // 0: none
    size_t path = 0;
    size_t path_end = 0;
    size_t query_end = 0; // path_end when there is no query
};

static bool SplitPlainUrl(const uint8_t *text, size_t size, PlainUrl *out)
{
    if (size > 8 && memcmp(text, "https://", 8) == 0)
        out->host = 8;
    else if (size > 7 && memcmp(text, "http://", 7) == 0)
        out->host = 7;
    else
        return false;
    size_t at = out->host_end = SkipPart(text, size, out->host, kInHost);
    if (!IsPlainHost(text + out->host, out->host_end - out->host)) return false;
    if (at < size && text[at] == ':' && (out->port = TakePort(text, size, &at)) < 0) return false;
    out->path = at;
    if (at < size && text[at] != '/') return false;
    at = out->path_end = SkipPart(text, size, at, kInPath);
    if (MayHaveDotSegments(text + out->path, at - out->path)) return false;
    if (at < size && text[at] == '?') at = SkipPart(text, size, at, kInQuery);
    out->query_end = at;
    if (at < size && text[at] == '#') at = SkipPart(text, size, at + 1, kInFragment);
    return at == size;
}

bool IsSerializedUrl(const std::string &url)
{
    const auto *text = reinterpret_cast<const uint8_t *>(url.data());
    PlainUrl parts;
    if (!SplitPlainUrl(text, url.size(), &parts) || parts.path == parts.path_end) return false;
    return parts.port != (url.starts_with("https:") ? 443 : 80);
}

// splitUrl(string) -> [host, hostEnd, port or 0, path, pathEnd, queryEnd]; undefined when the URL
// is not plain
void Native_splitUrl(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::String> text = info[0].As<v8::String>();
    uint8_t bytes[2048];
    size_t size = static_cast<size_t>(text->Length());
    if (size > sizeof(bytes) || !text->ContainsOnlyOneByte()) return;
    text->WriteOneByteV2(isolate, 0, static_cast<uint32_t>(size), bytes);
    PlainUrl url;
    if (!SplitPlainUrl(bytes, size, &url)) return;
    v8::Local<v8::Value> parts[] = {v8::Integer::New(isolate, static_cast<int>(url.host)),
                                    v8::Integer::New(isolate, static_cast<int>(url.host_end)),
                                    v8::Integer::New(isolate, url.port),
                                    v8::Integer::New(isolate, static_cast<int>(url.path)),
                                    v8::Integer::New(isolate, static_cast<int>(url.path_end)),
                                    v8::Integer::New(isolate, static_cast<int>(url.query_end))};
    info.GetReturnValue().Set(v8::Array::New(isolate, parts, 6));
}

} // namespace snapcell
