// What URLs need: domain names through ICU, and a quick way for plain URLs.
#include <cstring>
#include <string>

#include "web/natives.h"

// Of ICU, which is in V8's archive, but without its headers: the structure of unicode/uidna.h, and
// its functions, whose names end in ICU's version.
#define ICU_NAME_OF(name, version) name##_##version
#define ICU_NAME(name, version) ICU_NAME_OF(name, version)
#define IDNA_OPEN ICU_NAME(uidna_openUTS46, SNAPCELL_ICU_VERSION)
#define IDNA_TO_ASCII ICU_NAME(uidna_nameToASCII_UTF8, SNAPCELL_ICU_VERSION)
extern "C" {
struct UIDNA;
struct UIDNAInfo {
    int16_t size;
    int8_t is_transitional_different;
    int8_t reserved_1;
    uint32_t errors;
    int32_t reserved_2;
    int32_t reserved_3;
};
UIDNA *IDNA_OPEN(uint32_t options, int *status);
int32_t IDNA_TO_ASCII(const UIDNA *idna, const char *name, int32_t size, char *ascii,
                      int32_t capacity, UIDNAInfo *info, int *status);
}

namespace snapcell
{

// --- Domain names ---

// ICU's numbers.
enum IcuStatus { kIcuOk = 0, kIcuBufferOverflow = 15 }; // below zero: warnings
enum IdnaOption : uint32_t {
    kCheckBidi = 0x4,
    kCheckContextJ = 0x8,
    kNontransitional = 0x10 | 0x20, // to ASCII, and to Unicode
};
// Empty labels, long labels and names, hyphens at the ends and in the third and fourth place: the
// URL standard lets them through.
constexpr uint32_t kErrorsAllowed = 0x3f;

constexpr size_t kDomainSizeMax = 65536;
// Punycode takes time in proportion to the square of a label.
constexpr size_t kMappedDomainSizeMax = 4096;

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

// Of a domain in lower case.
static bool HasPunycode(const std::string &domain)
{
    return domain.starts_with("xn--") || domain.find(".xn--") != std::string::npos;
}

static const UIDNA *Idna()
{
    static const UIDNA *const idna = [] {
        int status = kIcuOk;
        UIDNA *made = IDNA_OPEN(kCheckBidi | kCheckContextJ | kNontransitional, &status);
        return status <= kIcuOk ? made : nullptr;
    }();
    return idna;
}

// UTS 46, as the URL standard has it. False when the domain has no ASCII form.
static bool MapDomain(std::string *domain)
{
    if (domain->size() > kMappedDomainSizeMax || Idna() == nullptr) return false;
    std::string ascii(2 * domain->size() + 64, '\0');
    for (;;) {
        UIDNAInfo info = {sizeof(UIDNAInfo), 0, 0, 0, 0, 0};
        int status = kIcuOk;
        int32_t size =
            IDNA_TO_ASCII(Idna(), domain->data(), static_cast<int32_t>(domain->size()),
                          ascii.data(), static_cast<int32_t>(ascii.size()), &info, &status);
        if (status == kIcuBufferOverflow) {
            ascii.resize(static_cast<size_t>(size));
            continue;
        }
        if (status > kIcuOk || (info.errors & ~kErrorsAllowed) != 0) return false;
        ascii.resize(static_cast<size_t>(size));
        domain->swap(ascii);
        return true;
    }
}

// domainToAscii(string) -> string; null when it is not a domain
void Native_domainToAscii(const NativeInfo &info)
{
    v8::String::Utf8Value text(info.GetIsolate(), info[0]);
    std::string domain(*text ? *text : "", *text ? text.length() : 0);
    info.GetReturnValue().SetNull();
    if (domain.size() > kDomainSizeMax) return;
    bool is_ascii = IsAscii(domain);
    LowerCase(&domain);
    if ((!is_ascii || HasPunycode(domain)) && !MapDomain(&domain)) return;
    ReturnLatin1(info, reinterpret_cast<const uint8_t *>(domain.data()), domain.size());
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

// Whether a host is an IPv4 address as it is serialized: four numbers without leading zeros.
static bool IsPlainAddress(const uint8_t *host, size_t size)
{
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at == size || host[at++] != '.')) return false;
        size_t start = at;
        int number = 0;
        while (at < size && host[at] >= '0' && host[at] <= '9' && at - start < 3)
            number = number * 10 + (host[at++] - '0');
        if (at == start || number > 255 || (host[start] == '0' && at - start > 1)) return false;
    }
    return at == size;
}

// Whether a host stands for itself: a name without an empty label or Punycode, or an address.
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
    return host[label] < '0' || host[label] > '9' || IsPlainAddress(host, size);
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

// A port at `at`, where a colon is; moves `at` past it. -1 when it is not written plainly.
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
