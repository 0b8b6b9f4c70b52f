// Keys in pairs: their bytes, what is checked of them, and OpenSSL's object made of them.
#include "web/native_crypto.h"

#include <algorithm>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/params.h>

namespace snapcell
{

using EcGroup = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using EcPoint = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;
using BigContext = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

struct PairFacts {
    const char *type;
    const char *group;
    int curve; // OpenSSL's number
    size_t field_size;
};

static const PairFacts kPairFacts[kPairKindCount] = {
    {"RSA", nullptr, NID_undef, 0},      {"EC", "P-256", NID_X9_62_prime256v1, 32},
    {"EC", "P-384", NID_secp384r1, 48},  {"EC", "P-521", NID_secp521r1, 66},
    {"ED25519", nullptr, NID_undef, 32}, {"X25519", nullptr, NID_undef, 32},
    {"ED448", nullptr, NID_undef, 57},   {"X448", nullptr, NID_undef, 56},
};

static const PairFacts &Facts(PairKind kind)
{
    return kPairFacts[static_cast<size_t>(kind)];
}
size_t PairFieldSize(PairKind kind)
{
    return Facts(kind).field_size;
}
const char *PairTypeName(PairKind kind)
{
    return Facts(kind).type;
}
const char *PairGroupName(PairKind kind)
{
    return Facts(kind).group;
}

size_t PairPartCount(PairKind kind, bool is_private)
{
    if (kind == PairKind::kRsa) return is_private ? 8 : 2;
    return is_private ? 2 : 1;
}

bool UnpackPair(PairKind kind, bool is_private, ByteSpan packed, PairParts *parts)
{
    *parts = {kind, is_private, PairPartCount(kind, is_private), {}};
    if (packed.size() > kPairBytesMax) return false;
    for (size_t i = 0; i < parts->count; i++) {
        if (packed.size() < 2) return false;
        size_t size = static_cast<size_t>(packed[0] << 8 | packed[1]);
        if (packed.size() - 2 < size) return false;
        parts->part[i] = packed.subspan(2, size);
        packed = packed.subspan(2 + size);
    }
    return packed.empty();
}

static void ReturnPair(const NativeInfo &info, const PairParts &parts)
{
    size_t size = 0;
    for (size_t i = 0; i < parts.count; i++)
        size += 2 + parts.part[i].size();
    uint8_t *out = NewResult(info, size);
    if (out == nullptr) return;
    for (size_t i = 0; i < parts.count; i++) {
        ByteSpan part = parts.part[i];
        *out++ = static_cast<uint8_t>(part.size() >> 8);
        *out++ = static_cast<uint8_t>(part.size());
        if (!part.empty()) memcpy(out, part.data(), part.size());
        out += part.size();
    }
}

// --- RSA ---

static BigNumber Number(ByteSpan bytes)
{
    return BigNumber(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

// Whether x == y modulo m.
static bool SameModulo(const BIGNUM *x, const BIGNUM *y, const BIGNUM *m, BN_CTX *context)
{
    BigNumber a(BN_secure_new());
    BigNumber b(BN_secure_new());
    return a && b && BN_nnmod(a.get(), x, m, context) == 1 &&
           BN_nnmod(b.get(), y, m, context) == 1 && BN_cmp(a.get(), b.get()) == 0;
}

// Whether `exponent` is d modulo prime - 1, and inverts e there.
static bool IsExponentFor(const BIGNUM *exponent, const BIGNUM *prime, const BIGNUM *d,
                          const BIGNUM *e, BN_CTX *context)
{
    BigNumber order(BN_dup(prime));
    BigNumber product(BN_secure_new());
    return order && product && BN_sub_word(order.get(), 1) == 1 && !BN_is_zero(order.get()) &&
           SameModulo(exponent, d, order.get(), context) &&
           BN_mul(product.get(), d, e, context) == 1 &&
           SameModulo(product.get(), BN_value_one(), order.get(), context);
}

// The numbers must fit each other. That p and q are primes is not looked at: who brings a private
// key with others harms nobody else.
static bool RsaNumbersFit(const PairParts &parts)
{
    BigContext context(BN_CTX_secure_new());
    BigNumber number[kPairPartsMax];
    BigNumber product(BN_secure_new());
    if (!context || !product) return false;
    for (size_t i = 0; i < parts.count; i++) {
        number[i] = Number(parts.part[i]);
        if (!number[i] || BN_is_zero(number[i].get())) return false;
    }
    const BIGNUM *n = number[0].get();
    const BIGNUM *e = number[1].get();
    if (BN_num_bits(n) > static_cast<int>(kRsaBitsMax) || !BN_is_odd(n) || !BN_is_odd(e))
        return false;
    if (!parts.is_private) return true;
    const BIGNUM *p = number[3].get();
    const BIGNUM *q = number[4].get();
    return BN_mul(product.get(), p, q, context.get()) == 1 && BN_cmp(product.get(), n) == 0 &&
           BN_is_odd(p) && BN_is_odd(q) && !BN_is_one(p) && !BN_is_one(q) &&
           IsExponentFor(number[5].get(), p, number[2].get(), e, context.get()) &&
           IsExponentFor(number[6].get(), q, number[2].get(), e, context.get()) &&
           BN_mul(product.get(), number[7].get(), q, context.get()) == 1 &&
           SameModulo(product.get(), BN_value_one(), p, context.get());
}

static ByteSpan WithoutZeros(ByteSpan bytes)
{
    while (!bytes.empty() && bytes[0] == 0)
        bytes = bytes.subspan(1);
    return bytes;
}

static void ReturnCheckedRsa(const NativeInfo &info, PairParts parts)
{
    for (size_t i = 0; i < parts.count; i++) {
        parts.part[i] = WithoutZeros(parts.part[i]);
        if (parts.part[i].empty() || parts.part[i].size() > kRsaBitsMax / 8) return;
    }
    if (RsaNumbersFit(parts)) ReturnPair(info, parts);
}

// --- Elliptic curves ---

// The point that belongs to the private number; nullptr when that is out of range.
static EcPoint PublicPoint(const EC_GROUP *group, ByteSpan number, BN_CTX *context)
{
    BigNumber d = Number(number);
    if (!d || BN_is_zero(d.get()) || BN_cmp(d.get(), EC_GROUP_get0_order(group)) >= 0)
        return nullptr;
    BN_set_flags(d.get(), BN_FLG_CONSTTIME);
    EcPoint point(EC_POINT_new(group));
    if (!point || EC_POINT_mul(group, point.get(), d.get(), nullptr, nullptr, context) != 1)
        return nullptr;
    return point;
}

// The point of the bytes, which must be on the curve, and not at infinity.
static EcPoint ReadPoint(const EC_GROUP *group, ByteSpan bytes, BN_CTX *context)
{
    EcPoint point(EC_POINT_new(group));
    if (!point ||
        EC_POINT_oct2point(group, point.get(), bytes.data(), bytes.size(), context) != 1 ||
        EC_POINT_is_at_infinity(group, point.get()) == 1)
        return nullptr;
    return point;
}

static EcPoint CheckedPoint(const EC_GROUP *group, const PairParts &parts, BN_CTX *context)
{
    if (!parts.is_private) return ReadPoint(group, parts.part[0], context);
    EcPoint own = PublicPoint(group, parts.part[1], context);
    if (!own || parts.part[0].empty()) return own;
    EcPoint given = ReadPoint(group, parts.part[0], context);
    if (!given || EC_POINT_cmp(group, own.get(), given.get(), context) != 0) return nullptr;
    return own;
}

static void ReturnCheckedCurve(const NativeInfo &info, PairParts parts)
{
    size_t field = PairFieldSize(parts.kind);
    uint8_t point_bytes[1 + 2 * 66];
    size_t point_size = 1 + 2 * field;
    SecretBytes number(field);
    EcGroup group(EC_GROUP_new_by_curve_name_ex(CryptoLibrary(), nullptr, Facts(parts.kind).curve));
    BigContext context(BN_CTX_secure_new());
    if (!group || !context || !number) return;
    if (parts.is_private) {
        ByteSpan given = WithoutZeros(parts.part[1]);
        if (given.empty() || given.size() > field) return;
        memset(number.data(), 0, field);
        memcpy(number.data() + field - given.size(), given.data(), given.size());
        parts.part[1] = {number.data(), field};
    }
    EcPoint point = CheckedPoint(group.get(), parts, context.get());
    if (!point || EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                                     point_bytes, point_size, context.get()) != point_size)
        return;
    parts.part[0] = {point_bytes, point_size};
    ReturnPair(info, parts);
}

// --- Ed25519, X25519, Ed448, X448 ---

static void ReturnCheckedMontgomery(const NativeInfo &info, PairParts parts)
{
    uint8_t own[kEdwardsBytesMax];
    size_t own_size = sizeof(own);
    size_t size = PairFieldSize(parts.kind);
    ByteSpan given = parts.part[0];
    if (!parts.is_private) {
        if (given.size() == size) ReturnPair(info, parts);
        return;
    }
    if (parts.part[1].size() != size) return;
    PkeyPointer key(EVP_PKEY_new_raw_private_key_ex(CryptoLibrary(), PairTypeName(parts.kind),
                                                    nullptr, parts.part[1].data(),
                                                    parts.part[1].size()));
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), own, &own_size) != 1) return;
    parts.part[0] = {own, own_size};
    if (given.empty() || std::equal(given.begin(), given.end(), own, own + own_size))
        ReturnPair(info, parts);
}

// 2^255 - 19, or 2^448 - 2^224 - 1. nullptr when there is no memory.
static BigNumber EdwardsPrime(PairKind kind)
{
    bool small = kind == PairKind::kEd25519;
    BigNumber prime(BN_new());
    BigNumber rest(BN_new());
    if (!prime || !rest || BN_set_bit(prime.get(), small ? 255 : 448) != 1 ||
        (!small && BN_set_bit(rest.get(), 224) != 1) ||
        BN_add_word(rest.get(), small ? 19 : 1) != 1 ||
        BN_sub(prime.get(), prime.get(), rest.get()) != 1)
        return nullptr;
    return prime;
}

bool HasSmallOrder(PairKind kind, ByteSpan point)
{
    // Their second coordinates are 0, 1 and, of Ed25519, this; or the same below the prime.
    static const char kOrder8[] =
        "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826";
    uint8_t bytes[kEdwardsBytesMax];
    if (point.empty() || point.size() > sizeof(bytes)) return false;
    std::copy(point.begin(), point.end(), bytes);
    bytes[point.size() - 1] &= 0x7f; // the sign of the first coordinate
    BigNumber prime = EdwardsPrime(kind);
    BigNumber y(BN_lebin2bn(bytes, static_cast<int>(point.size()), nullptr));
    BigContext context(BN_CTX_new());
    BIGNUM *order8 = nullptr;
    bool ready = prime && y && context && BN_hex2bn(&order8, kOrder8) > 0;
    BigNumber known(order8);
    if (!ready || BN_nnmod(y.get(), y.get(), prime.get(), context.get()) != 1) return false;
    for (int i = 0; i < 2; i++) {
        if (BN_is_zero(y.get()) || BN_is_one(y.get())) return true;
        if (kind == PairKind::kEd25519 && BN_cmp(y.get(), order8) == 0) return true;
        if (BN_sub(y.get(), prime.get(), y.get()) != 1) return false;
    }
    return false;
}

void ReturnCheckedPair(const NativeInfo &info, const PairParts &parts)
{
    if (CryptoLibrary() == nullptr) return;
    if (parts.kind == PairKind::kRsa)
        ReturnCheckedRsa(info, parts);
    else if (IsCurve(parts.kind))
        ReturnCheckedCurve(info, parts);
    else
        ReturnCheckedMontgomery(info, parts);
}

// pairCheck(kind, private, bytes) -> ArrayBuffer of the checked, completed key; or undefined
void Native_pairCheck(const NativeInfo &info)
{
    ErrorScope errors;
    PairParts parts;
    if (UnpackPair(static_cast<PairKind>(NumberArgument(info, 0)), info[1]->IsTrue(),
                   BytesArgument(info, 2), &parts))
        ReturnCheckedPair(info, parts);
}

// --- OpenSSL's object ---

// Parameters that hold numbers, in the machine's order of bytes, in memory of their own.
class NumberParams
{
  public:
    bool Reserve(size_t size) { return memory_.Allocate(size); }
    void Add(const char *name, ByteSpan number)
    {
        uint8_t *data = memory_.data() + used_;
        std::reverse_copy(number.begin(), number.end(), data);
        used_ += number.size();
        params_[count_++] = OSSL_PARAM_construct_BN(name, data, number.size());
    }
    void Add(OSSL_PARAM param) { params_[count_++] = param; }
    OSSL_PARAM *End()
    {
        params_[count_] = OSSL_PARAM_construct_end();
        return params_;
    }

  private:
    SecretBytes memory_;
    size_t used_ = 0;
    OSSL_PARAM params_[kPairPartsMax + 1];
    size_t count_ = 0;
};

static PkeyPointer MakeFromParams(const PairParts &parts, OSSL_PARAM *params)
{
    PkeyContext context(
        EVP_PKEY_CTX_new_from_name(CryptoLibrary(), PairTypeName(parts.kind), nullptr));
    EVP_PKEY *key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key,
                          parts.is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        return nullptr;
    return PkeyPointer(key);
}

static PkeyPointer MakeRsa(const PairParts &parts)
{
    static const char *const names[kPairPartsMax] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    NumberParams params;
    if (!params.Reserve(kPairBytesMax)) return nullptr;
    for (size_t i = 0; i < parts.count; i++)
        params.Add(names[i], parts.part[i]);
    return MakeFromParams(parts, params.End());
}

static PkeyPointer MakeCurve(const PairParts &parts)
{
    NumberParams params;
    if (!params.Reserve(kPairBytesMax)) return nullptr;
    char *group = const_cast<char *>(PairGroupName(parts.kind));
    uint8_t *point = const_cast<uint8_t *>(parts.part[0].data());
    params.Add(OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0));
    params.Add(
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, parts.part[0].size()));
    if (parts.is_private) params.Add(OSSL_PKEY_PARAM_PRIV_KEY, parts.part[1]);
    return MakeFromParams(parts, params.End());
}

static PkeyPointer MakeMontgomery(const PairParts &parts)
{
    ByteSpan bytes = parts.part[parts.is_private ? 1 : 0];
    auto make = parts.is_private ? EVP_PKEY_new_raw_private_key_ex : EVP_PKEY_new_raw_public_key_ex;
    return PkeyPointer(
        make(CryptoLibrary(), PairTypeName(parts.kind), nullptr, bytes.data(), bytes.size()));
}

PkeyPointer MakePkey(const PairParts &parts)
{
    if (CryptoLibrary() == nullptr) return nullptr;
    if (parts.kind == PairKind::kRsa) return MakeRsa(parts);
    return IsCurve(parts.kind) ? MakeCurve(parts) : MakeMontgomery(parts);
}

} // namespace snapcell
