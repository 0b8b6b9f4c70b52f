// What keys in pairs are used for: signatures, RSA-OAEP, agreement on a secret.
#include "web/native_crypto.h"

#include <climits>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

namespace snapcell
{

using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;

constexpr size_t kEcSignatureMax = 160;  // in DER, of P-521
constexpr uint32_t kNoSalt = UINT32_MAX; // PKCS #1 v1.5 rather than PSS

struct SignatureJob {
    PairKind kind;
    uint32_t hash;
    uint32_t salt_size; // RSA alone; kNoSalt: see there
    PkeyPointer key;
    ByteSpan data;
    ByteSpan signature; // to be verified
};

static PkeyPointer KeyArgument(const NativeInfo &info, PairKind kind, bool is_private, int index)
{
    PairParts parts;
    if (!UnpackPair(kind, is_private, BytesArgument(info, index), &parts)) return nullptr;
    return MakePkey(parts);
}

static bool SetPadding(EVP_PKEY_CTX *context, const SignatureJob &job)
{
    if (job.kind != PairKind::kRsa) return true;
    if (job.salt_size == kNoSalt)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
    return job.salt_size <= INT_MAX &&
           EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(job.salt_size)) == 1;
}

static DigestContext NewContext(const SignatureJob &job, decltype(EVP_DigestSignInit_ex) *init)
{
    DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *key_context = nullptr;
    const char *hash = IsEdwards(job.kind) ? nullptr : DigestName(job.hash);
    if (!context ||
        init(context.get(), &key_context, hash, CryptoLibrary(), nullptr, job.key.get(), nullptr) !=
            1 ||
        !SetPadding(key_context, job))
        return nullptr;
    return context;
}

// --- ECDSA: OpenSSL speaks DER, the API two numbers of fixed length ---

static bool EcToPlain(ByteSpan der, size_t field, uint8_t *plain)
{
    const unsigned char *at = der.data();
    EcSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    int size = static_cast<int>(field);
    return signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), plain, size) == size &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), plain + field, size) == size;
}

static size_t EcToDer(ByteSpan plain, size_t field, uint8_t *der)
{
    EcSignature signature(ECDSA_SIG_new());
    int size = static_cast<int>(field);
    if (!signature || plain.size() != 2 * field) return 0;
    BIGNUM *r = BN_bin2bn(plain.data(), size, nullptr);
    BIGNUM *s = BN_bin2bn(plain.data() + field, size, nullptr);
    if (r == nullptr || s == nullptr || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    int written = i2d_ECDSA_SIG(signature.get(), &der);
    return written > 0 ? static_cast<size_t>(written) : 0;
}

static void SignCurve(const NativeInfo &info, const SignatureJob &job, EVP_MD_CTX *context)
{
    uint8_t der[kEcSignatureMax];
    size_t size = sizeof(der);
    size_t field = PairFieldSize(job.kind);
    if (EVP_DigestSign(context, der, &size, job.data.data(), job.data.size()) != 1) return;
    uint8_t *out = NewResult(info, 2 * field);
    if (out != nullptr && !EcToPlain({der, size}, field, out)) DropResult(info, out, 2 * field);
}

// pairSign(kind, hash, saltLength, key, data) -> ArrayBuffer, or undefined
void Native_pairSign(const NativeInfo &info)
{
    ErrorScope errors;
    RandomScope random(info.GetIsolate());
    PairKind kind = static_cast<PairKind>(NumberArgument(info, 0));
    SignatureJob job = {kind,
                        NumberArgument(info, 1),
                        NumberArgument(info, 2),
                        KeyArgument(info, kind, true, 3),
                        BytesArgument(info, 4),
                        {}};
    if (!job.key) return;
    DigestContext context = NewContext(job, EVP_DigestSignInit_ex);
    if (!context) return;
    if (IsCurve(kind)) return SignCurve(info, job, context.get());
    size_t size = static_cast<size_t>(EVP_PKEY_get_size(job.key.get()));
    uint8_t *out = NewResult(info, size);
    if (out == nullptr) return;
    size_t written = size;
    if (EVP_DigestSign(context.get(), out, &written, job.data.data(), job.data.size()) != 1 ||
        written != size)
        DropResult(info, out, size);
}

// What the API asks of signatures of Ed25519 and Ed448 beyond what OpenSSL does: neither the key
// nor the signature's point may be of small order.
static bool IsPlainEdwards(const SignatureJob &job, ByteSpan packed_key)
{
    size_t size = PairFieldSize(job.kind);
    PairParts parts;
    return job.signature.size() == 2 * size && UnpackPair(job.kind, false, packed_key, &parts) &&
           !HasSmallOrder(job.kind, parts.part[0]) &&
           !HasSmallOrder(job.kind, job.signature.first(size));
}

// pairVerify(kind, hash, saltLength, key, data, signature) -> boolean
void Native_pairVerify(const NativeInfo &info)
{
    ErrorScope errors;
    PairKind kind = static_cast<PairKind>(NumberArgument(info, 0));
    SignatureJob job = {kind,
                        NumberArgument(info, 1),
                        NumberArgument(info, 2),
                        KeyArgument(info, kind, false, 3),
                        BytesArgument(info, 4),
                        BytesArgument(info, 5)};
    info.GetReturnValue().Set(false);
    if (!job.key) return;
    uint8_t der[kEcSignatureMax];
    if (IsCurve(kind)) job.signature = {der, EcToDer(job.signature, PairFieldSize(kind), der)};
    if (job.signature.empty() || (IsEdwards(kind) && !IsPlainEdwards(job, BytesArgument(info, 3))))
        return;
    DigestContext context = NewContext(job, EVP_DigestVerifyInit_ex);
    if (context && EVP_DigestVerify(context.get(), job.signature.data(), job.signature.size(),
                                    job.data.data(), job.data.size()) == 1)
        info.GetReturnValue().Set(true);
}

// --- RSA-OAEP ---

static PkeyContext OaepContext(const NativeInfo &info, bool encrypt, EVP_PKEY *key)
{
    PkeyContext context(EVP_PKEY_CTX_new_from_pkey(CryptoLibrary(), key, nullptr));
    char *hash = const_cast<char *>(DigestName(NumberArgument(info, 1)));
    char padding[] = OSSL_PKEY_RSA_PAD_MODE_OAEP;
    ByteSpan label = BytesArgument(info, 3);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hash, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, hash, 0),
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    if (!label.empty())
        params[3] = OSSL_PARAM_construct_octet_string(
            OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, const_cast<uint8_t *>(label.data()), label.size());
    auto init = encrypt ? EVP_PKEY_encrypt_init_ex : EVP_PKEY_decrypt_init_ex;
    if (!context || init(context.get(), params) != 1) return nullptr;
    return context;
}

// pairCrypt(encrypt, hash, key, label, data) -> ArrayBuffer, or undefined
void Native_pairCrypt(const NativeInfo &info)
{
    ErrorScope errors;
    RandomScope random(info.GetIsolate());
    bool encrypt = info[0]->IsTrue();
    PkeyPointer key = KeyArgument(info, PairKind::kRsa, !encrypt, 2);
    PkeyContext context = key ? OaepContext(info, encrypt, key.get()) : nullptr;
    if (!context) return;
    size_t size = static_cast<size_t>(EVP_PKEY_get_size(key.get()));
    SecretBytes out(size);
    ByteSpan data = BytesArgument(info, 4);
    auto run = encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
    if (out && run(context.get(), out.data(), &size, data.data(), data.size()) == 1)
        ReturnBytes(info, {out.data(), size});
}

// pairDerive(kind, private, public) -> ArrayBuffer, or undefined
void Native_pairDerive(const NativeInfo &info)
{
    ErrorScope errors;
    RandomScope random(info.GetIsolate());
    PairKind kind = static_cast<PairKind>(NumberArgument(info, 0));
    PkeyPointer own = KeyArgument(info, kind, true, 1);
    PkeyPointer peer = KeyArgument(info, kind, false, 2);
    if (!own || !peer) return;
    PkeyContext context(EVP_PKEY_CTX_new_from_pkey(CryptoLibrary(), own.get(), nullptr));
    SecretBytes out(66);
    size_t size = out.size();
    if (!context || !out || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), out.data(), &size) != 1)
        return;
    ReturnBytes(info, {out.data(), size});
}

} // namespace snapcell
