// Keys as SubjectPublicKeyInfo (RFC 5280) and PKCS #8 (RFC 5208, 5958), in DER. Both are a few
// nested lists, which is less than OpenSSL's decoders would take, and accept.
#include "web/native_crypto.h"

#include <algorithm>
#include <cstring>

namespace snapcell
{

enum : uint8_t {
    kInteger = 0x02,
    kBitString = 0x03,
    kOctetString = 0x04,
    kSequence = 0x30,
    kContext0 = 0xa0,
    kContext1 = 0xa1,
    kPrimitive1 = 0x81,
};

// The whole AlgorithmIdentifier of each kind.
static ByteSpan AlgorithmOf(PairKind kind)
{
    static const uint8_t rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    static const uint8_t p256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const uint8_t p384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                   0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    static const uint8_t p521[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                   0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};
    static const uint8_t ed25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
    static const uint8_t x25519[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e};
    static const uint8_t ed448[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71};
    static const uint8_t x448[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6f};
    static const ByteSpan all[kPairKindCount] = {rsa,     p256,   p384,  p521,
                                                 ed25519, x25519, ed448, x448};
    return all[static_cast<size_t>(kind)];
}

// --- Reading ---

// Takes one element after the other. After something unexpected it has failed, and gives nothing.
class DerReader
{
  public:
    explicit DerReader(ByteSpan bytes) : rest_(bytes) {}

    // Whether all was as expected, to the end.
    bool Done() const { return !failed_ && rest_.empty(); }
    bool Next(uint8_t tag) const { return !failed_ && !rest_.empty() && rest_[0] == tag; }

    // The content of the next element.
    ByteSpan Take(uint8_t tag)
    {
        size_t head = 0;
        size_t size = 0;
        if (!Next(tag) || !ReadSize(&head, &size)) return Fail();
        ByteSpan content = rest_.subspan(head, size);
        rest_ = rest_.subspan(head + size);
        return content;
    }
    DerReader Enter(uint8_t tag)
    {
        DerReader inner(Take(tag));
        inner.failed_ = failed_;
        return inner;
    }
    // Bytes that must be there, just so.
    void Expect(ByteSpan bytes)
    {
        if (failed_ || rest_.size() < bytes.size() ||
            !std::equal(bytes.begin(), bytes.end(), rest_.begin()))
            Fail();
        else
            rest_ = rest_.subspan(bytes.size());
    }
    // A number that is not negative.
    ByteSpan Number()
    {
        ByteSpan bytes = Take(kInteger);
        if (bytes.empty() || (bytes[0] & 0x80) != 0) return Fail();
        return bytes;
    }
    // A bit string of whole bytes.
    ByteSpan Bits(uint8_t tag)
    {
        ByteSpan bytes = Take(tag);
        if (bytes.empty() || bytes[0] != 0) return Fail();
        return bytes.subspan(1);
    }
    ByteSpan Fail()
    {
        failed_ = true;
        rest_ = {};
        return {};
    }

  private:
    // Sizes of up to 0xffff, in the shortest form.
    bool ReadSize(size_t *head, size_t *size) const
    {
        if (rest_.size() < 2) return false;
        *head = 2;
        *size = rest_[1];
        if (rest_[1] == 0x81 && rest_.size() >= 3) {
            *head = 3;
            *size = rest_[2];
            if (*size < 0x80) return false;
        } else if (rest_[1] == 0x82 && rest_.size() >= 4) {
            *head = 4;
            *size = static_cast<size_t>(rest_[2] << 8 | rest_[3]);
            if (*size < 0x100) return false;
        } else if (rest_[1] >= 0x80) {
            return false;
        }
        return *size <= rest_.size() - *head;
    }

    ByteSpan rest_;
    bool failed_ = false;
};

static bool ReadRsaNumbers(ByteSpan bytes, PairParts *parts)
{
    static const uint8_t version[] = {kInteger, 1, 0};
    DerReader outer(bytes);
    DerReader list = outer.Enter(kSequence);
    if (parts->is_private) list.Expect(version);
    for (size_t i = 0; i < parts->count; i++)
        parts->part[i] = list.Number();
    return list.Done() && outer.Done();
}

// RFC 5915. A point that comes along is checked later.
static bool ReadCurvePrivate(ByteSpan bytes, PairParts *parts)
{
    static const uint8_t version[] = {kInteger, 1, 1};
    DerReader outer(bytes);
    DerReader list = outer.Enter(kSequence);
    list.Expect(version);
    parts->part[1] = list.Take(kOctetString);
    if (list.Next(kContext0)) {
        // The curve again: what follows the type in the AlgorithmIdentifier.
        DerReader curve = list.Enter(kContext0);
        curve.Expect(AlgorithmOf(parts->kind).subspan(2 + 9));
        if (!curve.Done()) list.Fail();
    }
    if (list.Next(kContext1)) {
        DerReader point = list.Enter(kContext1);
        parts->part[0] = point.Bits(kBitString);
        if (!point.Done()) list.Fail();
    }
    return list.Done() && outer.Done();
}

static bool ReadPrivate(ByteSpan bytes, PairParts *parts)
{
    if (parts->kind == PairKind::kRsa) return ReadRsaNumbers(bytes, parts);
    if (IsCurve(parts->kind)) return ReadCurvePrivate(bytes, parts);
    DerReader key(bytes);
    parts->part[1] = key.Take(kOctetString);
    return key.Done();
}

static bool ReadSpki(ByteSpan bytes, PairParts *parts)
{
    DerReader outer(bytes);
    DerReader list = outer.Enter(kSequence);
    list.Expect(AlgorithmOf(parts->kind));
    ByteSpan key = list.Bits(kBitString);
    if (!list.Done() || !outer.Done()) return false;
    if (parts->kind == PairKind::kRsa) return ReadRsaNumbers(key, parts);
    parts->part[0] = key;
    return true;
}

static bool ReadPkcs8(ByteSpan bytes, PairParts *parts)
{
    DerReader outer(bytes);
    DerReader list = outer.Enter(kSequence);
    ByteSpan version = list.Number();
    if (version.size() != 1 || version[0] > 1) return false;
    list.Expect(AlgorithmOf(parts->kind));
    ByteSpan key = list.Take(kOctetString);
    if (list.Next(kContext0)) list.Take(kContext0); // attributes
    ByteSpan own_public;
    if (version[0] == 1 && list.Next(kPrimitive1)) own_public = list.Bits(kPrimitive1);
    if (!list.Done() || !outer.Done() || !ReadPrivate(key, parts)) return false;
    if (parts->kind >= PairKind::kEd25519) parts->part[0] = own_public;
    return true;
}

// pairRead(kind, private, der) -> ArrayBuffer of the key's bytes, or undefined
void Native_pairRead(const NativeInfo &info)
{
    ErrorScope errors;
    PairKind kind = static_cast<PairKind>(NumberArgument(info, 0));
    bool is_private = info[1]->IsTrue();
    PairParts parts = {kind, is_private, PairPartCount(kind, is_private), {}};
    ByteSpan der = BytesArgument(info, 2);
    bool read = is_private ? ReadPkcs8(der, &parts) : ReadSpki(der, &parts);
    if (read) ReturnCheckedPair(info, parts);
}

// --- Writing ---

// Writes from the end to the beginning, so that each size is known when it is written.
class DerWriter
{
  public:
    DerWriter() : memory_(kCapacity) {}
    explicit operator bool() const { return static_cast<bool>(memory_); }
    ByteSpan Written() { return {memory_.data() + kCapacity - used_, used_}; }
    size_t Mark() const { return used_; }

    void Byte(uint8_t byte) { memory_.data()[kCapacity - ++used_] = byte; }
    void Put(ByteSpan bytes)
    {
        used_ += bytes.size();
        std::copy(bytes.begin(), bytes.end(), memory_.data() + kCapacity - used_);
    }
    // Puts tag and size before all that was written since the mark.
    void Wrap(uint8_t tag, size_t mark)
    {
        size_t size = used_ - mark;
        if (size >= 0x80) Byte(static_cast<uint8_t>(size));
        if (size >= 0x100) Byte(static_cast<uint8_t>(size >> 8));
        Byte(size < 0x80 ? static_cast<uint8_t>(size) : size < 0x100 ? 0x81 : 0x82);
        Byte(tag);
    }
    void WrapBits(uint8_t tag, size_t mark)
    {
        Byte(0);
        Wrap(tag, mark);
    }
    void Number(ByteSpan bytes)
    {
        size_t mark = Mark();
        Put(bytes);
        if (bytes.empty() || (bytes[0] & 0x80) != 0) Byte(0);
        Wrap(kInteger, mark);
    }

  private:
    static constexpr size_t kCapacity = kPairBytesMax + 512;
    SecretBytes memory_;
    size_t used_ = 0;
};

static void WriteRsaNumbers(DerWriter *out, const PairParts &parts)
{
    size_t mark = out->Mark();
    for (size_t i = parts.count; i > 0; i--)
        out->Number(parts.part[i - 1]);
    if (parts.is_private) out->Number({});
    out->Wrap(kSequence, mark);
}

static void WriteCurvePrivate(DerWriter *out, const PairParts &parts)
{
    static const uint8_t version[] = {1};
    size_t mark = out->Mark();
    out->Put(parts.part[0]);
    out->WrapBits(kBitString, mark);
    out->Wrap(kContext1, mark);
    size_t number = out->Mark();
    out->Put(parts.part[1]);
    out->Wrap(kOctetString, number);
    out->Number(version);
    out->Wrap(kSequence, mark);
}

static void WriteSpki(DerWriter *out, const PairParts &parts)
{
    if (parts.kind == PairKind::kRsa)
        WriteRsaNumbers(out, parts);
    else
        out->Put(parts.part[0]);
    out->WrapBits(kBitString, 0);
    out->Put(AlgorithmOf(parts.kind));
    out->Wrap(kSequence, 0);
}

static void WritePkcs8(DerWriter *out, const PairParts &parts)
{
    if (parts.kind == PairKind::kRsa) {
        WriteRsaNumbers(out, parts);
    } else if (IsCurve(parts.kind)) {
        WriteCurvePrivate(out, parts);
    } else {
        out->Put(parts.part[1]);
        out->Wrap(kOctetString, 0);
    }
    out->Wrap(kOctetString, 0);
    out->Put(AlgorithmOf(parts.kind));
    out->Number({});
    out->Wrap(kSequence, 0);
}

// pairWrite(kind, private, bytes) -> ArrayBuffer of PKCS #8 or SubjectPublicKeyInfo
void Native_pairWrite(const NativeInfo &info)
{
    PairParts parts;
    DerWriter out;
    if (!out || !UnpackPair(static_cast<PairKind>(NumberArgument(info, 0)), info[1]->IsTrue(),
                            BytesArgument(info, 2), &parts))
        return;
    if (parts.is_private)
        WritePkcs8(&out, parts);
    else
        WriteSpki(&out, parts);
    ReturnBytes(info, out.Written());
}

} // namespace snapcell
