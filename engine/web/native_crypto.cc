// OpenSSL's start, hashes, HMAC, and what is derived with it.
#define OPENSSL_SUPPRESS_DEPRECATED // RAND_set_rand_method(): there is no provider for that
#include "web/native_crypto.h"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "isolate_state.h"
#include "random_bytes.h"

namespace snapcell
{

OSSL_LIB_CTX *CryptoLibrary()
{
    static OSSL_LIB_CTX *const library = [] {
        // Handlers at exit would pull OpenSSL from under threads that still run.
        bool started =
            OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr) == 1;
        return started ? OSSL_LIB_CTX_new() : nullptr;
    }();
    return library;
}

bool SecretBytes::Allocate(size_t size)
{
    Release();
    data_ = static_cast<uint8_t *>(std::malloc(size > 0 ? size : 1));
    size_ = data_ ? size : 0;
    return data_ != nullptr;
}

void SecretBytes::Release()
{
    if (data_ == nullptr) return;
    OPENSSL_cleanse(data_, size_);
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
}

// --- Random numbers at build time ---

static thread_local IsolateState *building;

static int GiveRandom(unsigned char *data, int size)
{
    return GiveRandomBytes(building, data, static_cast<size_t>(size)) ? 1 : 0;
}

static int SayReady()
{
    return 1;
}

static const RAND_METHOD kBuildRandom = {nullptr, GiveRandom, nullptr,
                                         nullptr, GiveRandom, SayReady};

// Only a process that builds gets here with another phase than kRun; it has no other use for
// OpenSSL. Threads that do not build go on to get the system's random bytes.
RandomScope::RandomScope(v8::Isolate *isolate)
{
    IsolateState *state = IsolateState::From(isolate);
    if (state->phase == Phase::kRun) return;
    building = state;
    RAND_set_rand_method(&kBuildRandom);
}

RandomScope::~RandomScope()
{
    building = nullptr;
}

static int GiveSystemRandom(unsigned char *data, int size)
{
    return FillWithRandomBytes(data, static_cast<size_t>(size)) ? 1 : 0;
}

static const RAND_METHOD kSystemRandom = {nullptr, GiveSystemRandom, nullptr,
                                          nullptr, GiveSystemRandom, SayReady};

// randomKey(bytes) -> ArrayBuffer
void Native_randomKey(const NativeInfo &info)
{
    size_t size = NumberArgument(info, 0);
    uint8_t *out = NewResult(info, size);
    if (out != nullptr) FillRandom(info.GetIsolate(), out, size, "crypto.subtle.generateKey()");
}

// refuseRandom(what): what comes must be fresh, so that it cannot be in a snapshot
void Native_refuseRandom(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    v8::String::Utf8Value what(isolate, info[0]);
    state->NoteEntropy(isolate, *what ? *what : "crypto.subtle");
}

// --- Results ---

uint8_t *NewResult(const NativeInfo &info, size_t size)
{
    static uint8_t nothing;
    v8::Isolate *isolate = info.GetIsolate();
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size).ToLocal(&buffer)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return nullptr;
    }
    info.GetReturnValue().Set(buffer);
    return size > 0 ? static_cast<uint8_t *>(buffer->Data()) : &nothing;
}

void ReturnBytes(const NativeInfo &info, ByteSpan bytes)
{
    uint8_t *out = NewResult(info, bytes.size());
    if (out != nullptr && !bytes.empty()) memcpy(out, bytes.data(), bytes.size());
}

void DropResult(const NativeInfo &info, uint8_t *data, size_t size)
{
    OPENSSL_cleanse(data, size);
    info.GetReturnValue().SetUndefined();
}

// --- Hashes ---

static const char *const kDigestNames[kDigestCount] = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};

const char *DigestName(uint32_t hash)
{
    return kDigestNames[hash];
}

const EVP_MD *Digest(uint32_t hash)
{
    static Fetched<EVP_MD> digests[kDigestCount];
    return FetchOnce(&digests[hash], kDigestNames[hash], EVP_MD_fetch, EVP_MD_free);
}

// cryptoDigest(hash, data) -> ArrayBuffer
void Native_cryptoDigest(const NativeInfo &info)
{
    ErrorScope errors;
    const EVP_MD *digest = Digest(NumberArgument(info, 0));
    ByteSpan data = BytesArgument(info, 1);
    if (digest == nullptr) return;
    uint8_t *out = NewResult(info, static_cast<size_t>(EVP_MD_get_size(digest)));
    if (out == nullptr) return;
    if (EVP_Digest(data.data(), data.size(), out, nullptr, digest, nullptr) != 1)
        info.GetReturnValue().SetUndefined();
}

// cryptoEqual(a, b) -> boolean, in a time that tells nothing of where they differ
void Native_cryptoEqual(const NativeInfo &info)
{
    ByteSpan a = BytesArgument(info, 0);
    ByteSpan b = BytesArgument(info, 1);
    info.GetReturnValue().Set(a.size() == b.size() &&
                              CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

bool Hmac::Start(uint32_t hash, ByteSpan key)
{
    static Fetched<EVP_MAC> hmac;
    EVP_MAC *mac = FetchOnce(&hmac, "HMAC", EVP_MAC_fetch, EVP_MAC_free);
    const EVP_MD *digest = Digest(hash);
    if (mac == nullptr || digest == nullptr) return false;
    EVP_MAC_CTX_free(context_);
    context_ = EVP_MAC_CTX_new(mac);
    if (context_ == nullptr) return false;
    size_ = static_cast<size_t>(EVP_MD_get_size(digest));
    char *name = const_cast<char *>(DigestName(hash));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    // No key at all would mean the key of before.
    const uint8_t *data = key.empty() ? reinterpret_cast<const uint8_t *>("") : key.data();
    return EVP_MAC_init(context_, data, key.size(), params) == 1;
}

// cryptoHmac(hash, key, data) -> ArrayBuffer
void Native_cryptoHmac(const NativeInfo &info)
{
    ErrorScope errors;
    Hmac hmac;
    if (!hmac.Start(NumberArgument(info, 0), BytesArgument(info, 1)) ||
        !hmac.Update(BytesArgument(info, 2)))
        return;
    uint8_t *out = NewResult(info, hmac.size());
    if (out != nullptr && !hmac.Finish(out)) DropResult(info, out, hmac.size());
}

// --- Derived bits ---

struct HkdfInput {
    uint32_t hash;
    ByteSpan key;
    ByteSpan salt;
    ByteSpan info;
};

// RFC 5869. No salt is the same as one of zeros.
static bool Hkdf(const HkdfInput &input, uint8_t *out, size_t size)
{
    Hmac hmac;
    SecretBytes extracted(EVP_MAX_MD_SIZE);
    SecretBytes block(EVP_MAX_MD_SIZE);
    if (!extracted || !block || !hmac.Start(input.hash, input.salt) || !hmac.Update(input.key) ||
        !hmac.Finish(extracted.data()) || !hmac.Start(input.hash, {extracted.data(), hmac.size()}))
        return false;
    uint8_t number = 0;
    for (size_t done = 0; done < size;) {
        ByteSpan previous = {block.data(), number > 0 ? hmac.size() : 0};
        if (++number == 0 || !hmac.Restart() || !hmac.Update(previous) ||
            !hmac.Update(input.info) || !hmac.Update({&number, 1}) || !hmac.Finish(block.data()))
            return false;
        size_t part = size - done < hmac.size() ? size - done : hmac.size();
        memcpy(out + done, block.data(), part);
        done += part;
    }
    return true;
}

// cryptoHkdf(hash, key, salt, info, bytes) -> ArrayBuffer; undefined when too much is requested
void Native_cryptoHkdf(const NativeInfo &info)
{
    ErrorScope errors;
    HkdfInput input = {NumberArgument(info, 0), BytesArgument(info, 1), BytesArgument(info, 2),
                       BytesArgument(info, 3)};
    size_t size = NumberArgument(info, 4);
    const EVP_MD *digest = Digest(input.hash);
    if (digest == nullptr || size > 255 * static_cast<size_t>(EVP_MD_get_size(digest))) return;
    uint8_t *out = NewResult(info, size);
    if (out != nullptr && !Hkdf(input, out, size)) DropResult(info, out, size);
}

struct Pbkdf2Input {
    const IsolateState *state;
    ByteSpan salt;
    uint32_t iterations;
};

// One block of PBKDF2 (RFC 8018). Looks now and then whether the isolate has hit a limit, since
// nothing else can stop it.
static bool Pbkdf2Block(Hmac *hmac, const Pbkdf2Input &input, uint32_t number, uint8_t *sum)
{
    const uint8_t counter[] = {static_cast<uint8_t>(number >> 24),
                               static_cast<uint8_t>(number >> 16),
                               static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
    SecretBytes block(hmac->size());
    if (!block || !hmac->Restart() || !hmac->Update(input.salt) || !hmac->Update(counter) ||
        !hmac->Finish(block.data()))
        return false;
    memcpy(sum, block.data(), hmac->size());
    for (uint32_t i = 1; i < input.iterations; i++) {
        if (!hmac->Restart() || !hmac->Update({block.data(), hmac->size()}) ||
            !hmac->Finish(block.data()))
            return false;
        for (size_t j = 0; j < hmac->size(); j++)
            sum[j] ^= block.data()[j];
        if (i % 1024 == 0 && input.state->condemned.load(std::memory_order_relaxed) != 0)
            return false;
    }
    return true;
}

static bool Pbkdf2(Hmac *hmac, const Pbkdf2Input &input, uint8_t *out, size_t size)
{
    SecretBytes sum(hmac->size());
    if (!sum) return false;
    uint32_t number = 0;
    for (size_t done = 0; done < size;) {
        if (input.state->condemned.load(std::memory_order_relaxed) != 0 ||
            !Pbkdf2Block(hmac, input, ++number, sum.data()))
            return false;
        size_t part = size - done < hmac->size() ? size - done : hmac->size();
        memcpy(out + done, sum.data(), part);
        done += part;
    }
    return true;
}

// cryptoPbkdf2(hash, password, salt, iterations, bytes) -> ArrayBuffer
void Native_cryptoPbkdf2(const NativeInfo &info)
{
    ErrorScope errors;
    Hmac hmac;
    if (!hmac.Start(NumberArgument(info, 0), BytesArgument(info, 1))) return;
    Pbkdf2Input input = {IsolateState::From(info.GetIsolate()), BytesArgument(info, 2),
                         NumberArgument(info, 3)};
    size_t size = NumberArgument(info, 4);
    uint8_t *out = NewResult(info, size);
    if (out != nullptr && !Pbkdf2(&hmac, input, out, size)) DropResult(info, out, size);
}

} // namespace snapcell

extern "C" void engine_draw_from_system(void)
{
    RAND_set_rand_method(&snapcell::kSystemRandom);
}
