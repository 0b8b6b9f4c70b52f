// AES in the modes of the Web Cryptography API, and ChaCha20 for node:crypto. What is wrong with
// the input (lengths, tags, padding) gives undefined, without saying what: the module makes an
// OperationError of it.
#include "web/native_crypto.h"

#include <cstring>
#include <optional>

namespace snapcell
{

// Numbered as in subtle_secret.js and node_support.js.
enum class AesMode : uint32_t { kGcm, kCbc, kCtr, kWrap, kChaChaPoly, kChaCha };

struct AesJob {
    AesMode mode;
    bool encrypt;
    ByteSpan key;
    ByteSpan iv; // for kCtr the counter block
    ByteSpan data;
    uint32_t bits; // kGcm, kChaChaPoly: of the tag, kCtr: of the counter
    ByteSpan additional;
};

constexpr size_t kBlock = 16;
constexpr size_t kGcmIvMax = 128;              // of OpenSSL
constexpr size_t kUpdateMax = size_t{1} << 30; // its sizes are int

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;

constexpr size_t kModeCount = 6;
constexpr size_t kChaChaPolyIv = 12;

static EVP_CIPHER *Cipher(AesMode mode, size_t key_bytes)
{
    static const char *const names[kModeCount][3] = {
        {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
        {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
        {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
        {"AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP"},
        {nullptr, nullptr, "ChaCha20-Poly1305"},
        {nullptr, nullptr, "ChaCha20"},
    };
    static Fetched<EVP_CIPHER> ciphers[kModeCount][3];
    if (key_bytes != 16 && key_bytes != 24 && key_bytes != 32) return nullptr;
    size_t size = key_bytes / 8 - 2;
    size_t row = static_cast<size_t>(mode);
    if (names[row][size] == nullptr) return nullptr;
    return FetchOnce(&ciphers[row][size], names[row][size], EVP_CIPHER_fetch, EVP_CIPHER_free);
}

static CipherContext NewContext(const AesJob &job)
{
    EVP_CIPHER *cipher = Cipher(job.mode, job.key.size());
    CipherContext context(cipher ? EVP_CIPHER_CTX_new() : nullptr);
    if (!context) return nullptr;
    if (job.mode == AesMode::kWrap)
        EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    int encrypt = job.encrypt ? 1 : 0;
    if (EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, encrypt, nullptr) != 1)
        return nullptr;
    int iv_size = static_cast<int>(job.iv.size());
    if ((job.mode == AesMode::kGcm || job.mode == AesMode::kChaChaPoly) &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, iv_size, nullptr) != 1)
        return nullptr;
    const uint8_t *iv = job.mode == AesMode::kWrap ? nullptr : job.iv.data();
    if (EVP_CipherInit_ex2(context.get(), nullptr, job.key.data(), iv, encrypt, nullptr) != 1)
        return nullptr;
    return context;
}

// Takes all of `in`, whose size may be beyond int's range; without `out` as additional data.
static std::optional<size_t> Update(EVP_CIPHER_CTX *context, uint8_t *out, ByteSpan in)
{
    size_t written = 0;
    for (size_t done = 0; done < in.size();) {
        size_t part = in.size() - done < kUpdateMax ? in.size() - done : kUpdateMax;
        int size = 0;
        if (EVP_CipherUpdate(context, out ? out + written : nullptr, &size, in.data() + done,
                             static_cast<int>(part)) != 1)
            return std::nullopt;
        written += static_cast<size_t>(size);
        done += part;
    }
    return written;
}

// --- GCM, and ChaCha20 with Poly1305 ---

static bool Gcm(const AesJob &job, size_t text_size, size_t tag_size, uint8_t *out)
{
    CipherContext context = NewContext(job);
    uint8_t rest[kBlock];
    int rest_size = 0;
    if (!context || !Update(context.get(), nullptr, job.additional) ||
        !Update(context.get(), out, job.data.first(text_size)))
        return false;
    int size = static_cast<int>(tag_size);
    if (job.encrypt)
        return EVP_CipherFinal_ex(context.get(), rest, &rest_size) == 1 &&
               EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, size, out + text_size) ==
                   1;
    uint8_t tag[kBlock];
    memcpy(tag, job.data.data() + text_size, tag_size);
    return EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, size, tag) == 1 &&
           EVP_CipherFinal_ex(context.get(), rest, &rest_size) == 1;
}

static void RunGcm(const NativeInfo &info, const AesJob &job)
{
    size_t tag_size = job.bits / 8;
    if (job.mode == AesMode::kChaChaPoly && job.iv.size() != kChaChaPolyIv) return;
    if (job.iv.empty() || job.iv.size() > kGcmIvMax || tag_size == 0 || tag_size > kBlock) return;
    if (!job.encrypt && job.data.size() < tag_size) return;
    size_t text_size = job.encrypt ? job.data.size() : job.data.size() - tag_size;
    size_t out_size = job.encrypt ? text_size + tag_size : text_size;
    uint8_t *out = NewResult(info, out_size);
    if (out != nullptr && !Gcm(job, text_size, tag_size, out)) DropResult(info, out, out_size);
}

// --- CBC ---

static void RunCbc(const NativeInfo &info, const AesJob &job)
{
    if (job.iv.size() != kBlock) return;
    if (!job.encrypt && (job.data.empty() || job.data.size() % kBlock != 0)) return;
    CipherContext context = NewContext(job);
    // The size is known only when the padding was seen.
    SecretBytes text(job.data.size() + kBlock);
    if (!context || !text) return;
    std::optional<size_t> size = Update(context.get(), text.data(), job.data);
    int rest_size = 0;
    if (size && EVP_CipherFinal_ex(context.get(), text.data() + *size, &rest_size) == 1)
        ReturnBytes(info, {text.data(), *size + static_cast<size_t>(rest_size)});
}

// --- CTR ---

// How many blocks there are before the counter of `bits` bits is zero again; SIZE_MAX for more than
// can ever be requested.
static size_t BlocksBeforeWrap(const uint8_t *block, uint32_t bits)
{
    uint64_t low = 0;
    for (size_t i = 8; i < kBlock; i++)
        low = low << 8 | block[i];
    if (bits < 64) return (uint64_t{1} << bits) - (low & ((uint64_t{1} << bits) - 1));
    for (uint32_t bit = 64; bit < bits; bit++) {
        if ((block[15 - bit / 8] >> bit % 8 & 1) == 0) return SIZE_MAX;
    }
    return low == 0 ? SIZE_MAX : UINT64_MAX - low + 1;
}

static void ClearCounter(uint8_t *block, uint32_t bits)
{
    for (uint32_t i = 0; i < bits / 8; i++)
        block[15 - i] = 0;
    if (bits % 8 != 0) block[15 - bits / 8] &= static_cast<uint8_t>(0xff << bits % 8);
}

// OpenSSL counts through all 128 bits, so that the place where a shorter counter wraps is a border
// between two jobs.
static bool Ctr(const AesJob &job, uint8_t *out)
{
    size_t blocks = BlocksBeforeWrap(job.iv.data(), job.bits);
    size_t first = blocks <= job.data.size() / kBlock ? blocks * kBlock : job.data.size();
    CipherContext context = NewContext(job);
    if (!context || !Update(context.get(), out, job.data.first(first))) return false;
    if (first == job.data.size()) return true;
    uint8_t start[kBlock];
    memcpy(start, job.iv.data(), kBlock);
    ClearCounter(start, job.bits);
    AesJob rest = job;
    rest.iv = start;
    context = NewContext(rest);
    return context && Update(context.get(), out + first, job.data.subspan(first));
}

static void RunCtr(const NativeInfo &info, const AesJob &job)
{
    if (job.iv.size() != kBlock || job.bits < 1 || job.bits > 128) return;
    size_t blocks = job.data.size() / kBlock + (job.data.size() % kBlock != 0);
    if (job.bits < 64 && blocks > uint64_t{1} << job.bits) return; // a counter would be used twice
    uint8_t *out = NewResult(info, job.data.size());
    if (out != nullptr && !Ctr(job, out)) DropResult(info, out, job.data.size());
}

// --- ChaCha20, whose counter is the first four bytes of the block, little endian ---

static void RunChaCha(const NativeInfo &info, const AesJob &job)
{
    if (job.iv.size() != kBlock) return;
    CipherContext context = NewContext(job);
    if (!context) return;
    uint8_t *out = NewResult(info, job.data.size());
    if (out != nullptr && !Update(context.get(), out, job.data))
        DropResult(info, out, job.data.size());
}

// --- Key wrap, RFC 3394 ---

static void RunWrap(const NativeInfo &info, const AesJob &job)
{
    size_t size_min = job.encrypt ? 16 : 24;
    if (job.data.size() < size_min || job.data.size() > kUpdateMax || job.data.size() % 8 != 0)
        return;
    CipherContext context = NewContext(job);
    SecretBytes out(job.data.size() + 2 * kBlock);
    if (!context || !out) return;
    std::optional<size_t> size = Update(context.get(), out.data(), job.data);
    if (size && *size > 0) ReturnBytes(info, {out.data(), *size});
}

// cryptoAes(mode, encrypt, key, iv, data, bits, additionalData) -> ArrayBuffer or undefined
void Native_cryptoAes(const NativeInfo &info)
{
    ErrorScope errors;
    AesJob job = {static_cast<AesMode>(NumberArgument(info, 0)),
                  info[1]->IsTrue(),
                  BytesArgument(info, 2),
                  BytesArgument(info, 3),
                  BytesArgument(info, 4),
                  NumberArgument(info, 5),
                  BytesArgument(info, 6)};
    switch (job.mode) {
    case AesMode::kGcm:
    case AesMode::kChaChaPoly:
        return RunGcm(info, job);
    case AesMode::kChaCha:
        return RunChaCha(info, job);
    case AesMode::kCbc:
        return RunCbc(info, job);
    case AesMode::kCtr:
        return RunCtr(info, job);
    case AesMode::kWrap:
        return RunWrap(info, job);
    }
}

} // namespace snapcell
