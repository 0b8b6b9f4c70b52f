// New keys in pairs.
#include "web/native_crypto.h"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "isolate_state.h"

namespace snapcell
{

constexpr int kRsaExponentBitsMax = 64;

struct Generation {
    IsolateState *state;
    PairKind kind;
    uint32_t bits;     // of RSA
    ByteSpan exponent; // of RSA
};

// Primes can take minutes: looks whether the isolate has hit a limit, since nothing else can stop
// it.
static int GoOn(EVP_PKEY_CTX *context)
{
    auto *state = static_cast<IsolateState *>(EVP_PKEY_CTX_get_app_data(context));
    return state->condemned.load(std::memory_order_relaxed) == 0;
}

static bool SetRsa(EVP_PKEY_CTX *context, const Generation &wanted)
{
    if (wanted.bits > kRsaBitsMax || wanted.exponent.size() > kPairBytesMax) return false;
    BigNumber e(
        BN_bin2bn(wanted.exponent.data(), static_cast<int>(wanted.exponent.size()), nullptr));
    if (!e || !BN_is_odd(e.get()) || BN_is_one(e.get()) ||
        BN_num_bits(e.get()) > kRsaExponentBitsMax)
        return false;
    EVP_PKEY_CTX_set_app_data(context, wanted.state);
    EVP_PKEY_CTX_set_cb(context, GoOn);
    return EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(wanted.bits)) == 1 &&
           EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e.get()) == 1;
}

static PkeyPointer Generate(const Generation &wanted)
{
    OSSL_LIB_CTX *library = CryptoLibrary();
    PkeyContext context(
        library ? EVP_PKEY_CTX_new_from_name(library, PairTypeName(wanted.kind), nullptr)
                : nullptr);
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
    if (wanted.kind == PairKind::kRsa && !SetRsa(context.get(), wanted)) return nullptr;
    if (IsCurve(wanted.kind) &&
        EVP_PKEY_CTX_set_group_name(context.get(), PairGroupName(wanted.kind)) != 1)
        return nullptr;
    EVP_PKEY *key = nullptr;
    if (EVP_PKEY_generate(context.get(), &key) != 1) return nullptr;
    return PkeyPointer(key);
}

// Collects a new key's parts in memory of its own.
class PairTaker
{
  public:
    explicit PairTaker(const EVP_PKEY *key) : key_(key), memory_(kPairBytesMax) {}

    bool Take(PairParts *parts)
    {
        if (!memory_) return false;
        if (parts->kind == PairKind::kRsa) return TakeRsa(parts);
        parts->part[0] = Room();
        parts->part[1] = Room();
        return IsCurve(parts->kind) ? TakeCurve(parts) : TakeMontgomery(parts);
    }

  private:
    static constexpr size_t kRoom = kPairBytesMax / kPairPartsMax;
    ByteSpan Room() { return {memory_.data() + kRoom * used_++, kRoom}; }
    static uint8_t *Writable(ByteSpan room) { return const_cast<uint8_t *>(room.data()); }

    // Of `size` bytes, or as short as it can be.
    bool TakeNumber(const char *name, size_t size, ByteSpan *part)
    {
        BIGNUM *taken = nullptr;
        if (EVP_PKEY_get_bn_param(key_, name, &taken) != 1) return false;
        BigNumber number(taken);
        if (size == 0) size = static_cast<size_t>(BN_num_bytes(taken));
        ByteSpan room = Room();
        if (size > room.size() || BN_bn2binpad(taken, Writable(room), static_cast<int>(size)) < 0)
            return false;
        *part = room.first(size);
        return true;
    }

    bool TakeRsa(PairParts *parts)
    {
        static const char *const names[kPairPartsMax] = {
            OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
            OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
            OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
            OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
        };
        for (size_t i = 0; i < parts->count; i++) {
            if (!TakeNumber(names[i], 0, &parts->part[i])) return false;
        }
        return true;
    }

    bool TakeCurve(PairParts *parts)
    {
        size_t size = 0;
        if (EVP_PKEY_get_octet_string_param(key_, OSSL_PKEY_PARAM_PUB_KEY, Writable(parts->part[0]),
                                            kRoom, &size) != 1)
            return false;
        parts->part[0] = parts->part[0].first(size);
        return TakeNumber(OSSL_PKEY_PARAM_PRIV_KEY, PairFieldSize(parts->kind), &parts->part[1]);
    }

    bool TakeMontgomery(PairParts *parts)
    {
        size_t public_size = kRoom;
        size_t private_size = kRoom;
        if (EVP_PKEY_get_raw_public_key(key_, Writable(parts->part[0]), &public_size) != 1 ||
            EVP_PKEY_get_raw_private_key(key_, Writable(parts->part[1]), &private_size) != 1)
            return false;
        parts->part[0] = parts->part[0].first(public_size);
        parts->part[1] = parts->part[1].first(private_size);
        return true;
    }

    const EVP_PKEY *key_;
    SecretBytes memory_;
    size_t used_ = 0;
};

// pairGenerate(kind, bits, exponent) -> ArrayBuffer of the private key, or undefined
void Native_pairGenerate(const NativeInfo &info)
{
    ErrorScope errors;
    v8::Isolate *isolate = info.GetIsolate();
    IsolateState *state = IsolateState::From(isolate);
    state->NoteEntropy(isolate, "crypto.subtle.generateKey()");
    RandomScope random(isolate);
    Generation wanted = {state, static_cast<PairKind>(NumberArgument(info, 0)),
                         NumberArgument(info, 1), BytesArgument(info, 2)};
    PkeyPointer key = Generate(wanted);
    if (!key) return;
    PairParts parts = {wanted.kind, true, PairPartCount(wanted.kind, true), {}};
    PairTaker taker(key.get());
    if (taker.Take(&parts)) ReturnCheckedPair(info, parts);
}

} // namespace snapcell
