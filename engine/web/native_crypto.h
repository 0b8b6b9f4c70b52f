// Shared by the native functions that crypto.subtle uses. OpenSSL does the arithmetic; the built-in
// modules subtle*.js hold the rules of the Web Cryptography API. No native pointer is ever in the
// heap: a key is bytes, and OpenSSL's object is made from them when the key is used.
#ifndef SNAPCELL_WEB_NATIVE_CRYPTO_H
#define SNAPCELL_WEB_NATIVE_CRYPTO_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "web/natives.h"

namespace snapcell
{

using ByteSpan = std::span<const uint8_t>;

// OpenSSL in a library context of its own, started when first used, without configuration files:
// nothing is shared with an embedder that uses OpenSSL too. nullptr when it could not be started.
OSSL_LIB_CTX *CryptoLibrary();

// An algorithm that is fetched when first used, and kept.
template <typename T> using Fetched = std::atomic<T *>;
template <typename T>
T *FetchOnce(Fetched<T> *place, const char *name,
             T *(*fetch)(OSSL_LIB_CTX *, const char *, const char *), void (*free)(T *))
{
    T *known = place->load(std::memory_order_acquire);
    if (known != nullptr) return known;
    OSSL_LIB_CTX *library = CryptoLibrary();
    T *made = library ? fetch(library, name, nullptr) : nullptr;
    if (made == nullptr || place->compare_exchange_strong(known, made)) return made;
    free(made);
    return known;
}

template <auto function> struct FreeWith {
    template <typename T> void operator()(T *pointer) const { function(pointer); }
};
using PkeyPointer = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;

// Memory for secrets: zeroed before it is given back.
class SecretBytes
{
  public:
    SecretBytes() = default;
    explicit SecretBytes(size_t size) { Allocate(size); }
    SecretBytes(const SecretBytes &) = delete;
    SecretBytes &operator=(const SecretBytes &) = delete;
    ~SecretBytes() { Release(); }
    bool Allocate(size_t size);
    explicit operator bool() const { return data_ != nullptr; }
    uint8_t *data() { return data_; }
    size_t size() const { return size_; }

  private:
    void Release();
    uint8_t *data_ = nullptr;
    size_t size_ = 0;
};

// What went wrong is told by what a native returns; the error queue of the thread stays as it was.
class ErrorScope
{
  public:
    ErrorScope() { ERR_set_mark(); }
    ~ErrorScope() { ERR_pop_to_mark(); }
};

// At build time OpenSSL's random numbers are repeatable, as all others are.
class RandomScope
{
  public:
    explicit RandomScope(v8::Isolate *isolate);
    ~RandomScope();
};

// Arguments of natives. A view that is missing is empty.
inline ByteSpan BytesArgument(const NativeInfo &info, int index)
{
    if (!info[index]->IsArrayBufferView()) return {};
    ViewBytes bytes(info[index]);
    return {bytes.data, bytes.size};
}
// A number that is missing is 0.
inline uint32_t NumberArgument(const NativeInfo &info, int index)
{
    return info[index]->IsUint32() ? info[index].As<v8::Uint32>()->Value() : 0;
}

// Makes an ArrayBuffer the native's result, to be filled. nullptr when it threw.
uint8_t *NewResult(const NativeInfo &info, size_t size);
void ReturnBytes(const NativeInfo &info, ByteSpan bytes);
// The operation failed: zeroes what was written of the result, and returns undefined.
void DropResult(const NativeInfo &info, uint8_t *data, size_t size);

// Hash functions, numbered as in subtle.js: SHA-1, SHA-256, SHA-384, SHA-512.
constexpr uint32_t kDigestCount = 4;
const char *DigestName(uint32_t hash);
const EVP_MD *Digest(uint32_t hash);

class Hmac
{
  public:
    Hmac() = default;
    Hmac(const Hmac &) = delete;
    Hmac &operator=(const Hmac &) = delete;
    ~Hmac() { EVP_MAC_CTX_free(context_); }
    bool Start(uint32_t hash, ByteSpan key);
    // Begins again with the same key.
    bool Restart() { return EVP_MAC_init(context_, nullptr, 0, nullptr) == 1; }
    bool Update(ByteSpan bytes)
    {
        return EVP_MAC_update(context_, bytes.data(), bytes.size()) == 1;
    }
    bool Finish(uint8_t *out) { return EVP_MAC_final(context_, out, nullptr, size_) == 1; }
    size_t size() const { return size_; }

  private:
    EVP_MAC_CTX *context_ = nullptr;
    size_t size_ = 0;
};

// --- Keys in pairs ---
// Numbered as in subtle_pair.js. The bytes of a key are its parts, each a length of two bytes, big
// endian, and that many bytes:
//   RSA              n, e; when private d, p, q, dp, dq, qi follow: numbers without leading zeros
//   P-256 and so on  the point, uncompressed; when private the number d follows, of full length
//   the others       the public key; when private the private key follows
enum class PairKind : uint32_t { kRsa, kP256, kP384, kP521, kEd25519, kX25519, kEd448, kX448 };
constexpr uint32_t kPairKindCount = 8;
inline bool IsCurve(PairKind kind)
{
    return kind >= PairKind::kP256 && kind <= PairKind::kP521;
}
inline bool IsEdwards(PairKind kind)
{
    return kind == PairKind::kEd25519 || kind == PairKind::kEd448;
}
constexpr size_t kEdwardsBytesMax = 57; // a key of Ed448
constexpr size_t kPairPartsMax = 8;
constexpr size_t kPairBytesMax = 20000; // RSA of 16384 bits takes 9 KB
constexpr size_t kRsaBitsMax = 16384;

struct PairParts {
    PairKind kind = PairKind::kRsa;
    bool is_private = false;
    size_t count = 0;
    ByteSpan part[kPairPartsMax];
};
size_t PairPartCount(PairKind kind, bool is_private);
// Length of a coordinate, or of a key of the kinds that are one number.
size_t PairFieldSize(PairKind kind);
const char *PairTypeName(PairKind kind);
const char *PairGroupName(PairKind kind);
// False when the bytes are not made of that kind's parts.
bool UnpackPair(PairKind kind, bool is_private, ByteSpan packed, PairParts *parts);
// Checks the parts as far as a wrong key would do harm, completes a private key that came without
// its public part, and returns the key's bytes; undefined when the parts are no such key.
void ReturnCheckedPair(const NativeInfo &info, const PairParts &parts);
// Whether a point of Ed25519 or Ed448 is one of the few whose multiples are always the same points:
// a signature with one would fit many messages.
bool HasSmallOrder(PairKind kind, ByteSpan point);
// nullptr when the parts are no such key.
PkeyPointer MakePkey(const PairParts &parts);

} // namespace snapcell

#endif
