// Hashes that are fed in parts, for node:crypto. A state is OpenSSL's plain record in an
// ArrayBuffer, without an address in it: it can be copied, be in a snapshot, and go on in an
// instance.
#define OPENSSL_SUPPRESS_DEPRECATED // what replaces these functions keeps its state to itself
#include <cstring>

#include <openssl/md5.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>

#include "web/native_crypto.h"

namespace snapcell
{

namespace
{

// Numbered as in node_support.js.
enum class HashKind : uint32_t {
    kMd5,
    kRipemd160,
    kSha1,
    kSha224,
    kSha256,
    kSha384,
    kSha512,
    kSha512_224,
    kSha512_256,
};
constexpr uint32_t kHashKindCount = 9;

struct HashState {
    HashKind kind;
    union {
        MD5_CTX md5;
        RIPEMD160_CTX ripemd160;
        SHA_CTX sha1;
        SHA256_CTX sha256; // and SHA-224
        SHA512_CTX sha512; // and all that are cut from it
    };
};

constexpr size_t kSizes[kHashKindCount] = {16, 20, 20, 28, 32, 48, 64, 28, 32};

// FIPS 180-4, 5.3.6: where the short forms of SHA-512 begin.
constexpr SHA_LONG64 kShortStarts[2][8] = {
    {0x8C3D37C819544DA2, 0x73E1996689DCD4D6, 0x1DFAB7AE32FF9C82, 0x679DD514582F9FCF,
     0x0F6D2B697BD44DA8, 0x77E36F7304C48942, 0x3F9D85A86A1D36C8, 0x1112E6AD91D692A1},
    {0x22312194FC2BF72C, 0x9F555FA3C84C64C2, 0x2393B86B6F53B151, 0x963877195940EABD,
     0x96283EE2A88EFFE3, 0xBE5E1E2553863992, 0x2B0199FC2C85B8AA, 0x0EB72DDC81C52CA2},
};

bool Start(HashState *state)
{
    switch (state->kind) {
    case HashKind::kMd5:
        return MD5_Init(&state->md5) == 1;
    case HashKind::kRipemd160:
        return RIPEMD160_Init(&state->ripemd160) == 1;
    case HashKind::kSha1:
        return SHA1_Init(&state->sha1) == 1;
    case HashKind::kSha224:
        return SHA224_Init(&state->sha256) == 1;
    case HashKind::kSha256:
        return SHA256_Init(&state->sha256) == 1;
    case HashKind::kSha384:
        return SHA384_Init(&state->sha512) == 1;
    case HashKind::kSha512:
        return SHA512_Init(&state->sha512) == 1;
    case HashKind::kSha512_224:
    case HashKind::kSha512_256:
        break;
    }
    if (SHA512_Init(&state->sha512) != 1) return false;
    bool is_224 = state->kind == HashKind::kSha512_224;
    memcpy(state->sha512.h, kShortStarts[is_224 ? 0 : 1], sizeof(state->sha512.h));
    return true;
}

void Update(HashState *state, ByteSpan bytes)
{
    switch (state->kind) {
    case HashKind::kMd5:
        MD5_Update(&state->md5, bytes.data(), bytes.size());
        return;
    case HashKind::kRipemd160:
        RIPEMD160_Update(&state->ripemd160, bytes.data(), bytes.size());
        return;
    case HashKind::kSha1:
        SHA1_Update(&state->sha1, bytes.data(), bytes.size());
        return;
    case HashKind::kSha224:
    case HashKind::kSha256:
        SHA256_Update(&state->sha256, bytes.data(), bytes.size());
        return;
    case HashKind::kSha384:
    case HashKind::kSha512:
    case HashKind::kSha512_224:
    case HashKind::kSha512_256:
        SHA512_Update(&state->sha512, bytes.data(), bytes.size());
        return;
    }
}

// `out`: room for SHA512_DIGEST_LENGTH bytes.
void Finish(HashState *state, uint8_t *out)
{
    switch (state->kind) {
    case HashKind::kMd5:
        MD5_Final(out, &state->md5);
        return;
    case HashKind::kRipemd160:
        RIPEMD160_Final(out, &state->ripemd160);
        return;
    case HashKind::kSha1:
        SHA1_Final(out, &state->sha1);
        return;
    case HashKind::kSha224:
    case HashKind::kSha256:
        SHA256_Final(out, &state->sha256);
        return;
    case HashKind::kSha384:
    case HashKind::kSha512:
    case HashKind::kSha512_224:
    case HashKind::kSha512_256:
        SHA512_Final(out, &state->sha512);
        return;
    }
}

// nullptr when the holder is none that hashNew() made.
HashState *StateOf(v8::Local<v8::Value> holder)
{
    v8::Local<v8::ArrayBuffer> buffer = holder.As<v8::ArrayBuffer>();
    if (buffer->ByteLength() != sizeof(HashState)) return nullptr;
    HashState *state = static_cast<HashState *>(buffer->Data());
    return static_cast<uint32_t>(state->kind) < kHashKindCount ? state : nullptr;
}

} // namespace

// hashNew(kind) -> ArrayBuffer; undefined when there is no such hash
void Native_hashNew(const NativeInfo &info)
{
    uint32_t kind = NumberArgument(info, 0);
    if (kind >= kHashKindCount) return;
    uint8_t *memory = NewResult(info, sizeof(HashState));
    if (memory == nullptr) return;
    HashState *state = reinterpret_cast<HashState *>(memory);
    state->kind = static_cast<HashKind>(kind);
    if (!Start(state)) DropResult(info, memory, sizeof(HashState));
}

// hashUpdate(holder, bytes)
void Native_hashUpdate(const NativeInfo &info)
{
    HashState *state = StateOf(info[0]);
    if (state != nullptr) Update(state, BytesArgument(info, 1));
}

// hashDigest(holder) -> ArrayBuffer; the state goes on
void Native_hashDigest(const NativeInfo &info)
{
    const HashState *state = StateOf(info[0]);
    if (state == nullptr) return;
    HashState last = *state;
    SecretBytes digest(SHA512_DIGEST_LENGTH);
    if (digest) {
        Finish(&last, digest.data());
        ReturnBytes(info, {digest.data(), kSizes[static_cast<size_t>(last.kind)]});
    }
    OPENSSL_cleanse(&last, sizeof(last));
}

} // namespace snapcell
