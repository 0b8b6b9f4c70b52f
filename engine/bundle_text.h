// A bundle's source as an external string: V8 reads it where it lies, and a snapshot does not hold
// it.
#ifndef SNAPCELL_BUNDLE_TEXT_H
#define SNAPCELL_BUNDLE_TEXT_H

#include <v8.h>

#include "engine.h"

namespace snapcell
{

// Text in static memory: the built-in modules.
class StaticText final : public v8::String::ExternalOneByteStringResource
{
  public:
    StaticText(const char *data, size_t length) : data_(data), length_(length) {}
    const char *data() const override { return data_; }
    size_t length() const override { return length_; }
    // Owned by a table that is never freed, not by the string.
    void Dispose() override {}

  private:
    const char *data_;
    size_t length_;
};

// Not cacheable: V8 asks for data() each time, so that a source which no one reads is never
// decoded.
class OneByteBundleText final : public v8::String::ExternalOneByteStringResource
{
  public:
    explicit OneByteBundleText(const engine_text &text) : text_(text) {}
    bool IsCacheable() const override { return false; }
    const char *data() const override
    {
        return static_cast<const char *>(text_.data(text_.user)) + text_.start;
    }
    size_t length() const override { return text_.length; }
    void Dispose() override {}

  private:
    engine_text text_;
};

class TwoByteBundleText final : public v8::String::ExternalStringResource
{
  public:
    explicit TwoByteBundleText(const engine_text &text) : text_(text) {}
    bool IsCacheable() const override { return false; }
    const uint16_t *data() const override
    {
        return static_cast<const uint16_t *>(text_.data(text_.user)) + text_.start;
    }
    size_t length() const override { return text_.length; }
    void Dispose() override {}

  private:
    engine_text text_;
};

// The bundle's text in whichever form it has. Lives as long as the isolate, does not move.
class BundleText
{
  public:
    explicit BundleText(const engine_text &text)
        : encoding_(text.encoding), one_byte_(text), two_byte_(text)
    {
    }
    BundleText(const BundleText &) = delete;
    BundleText &operator=(const BundleText &) = delete;

    v8::MaybeLocal<v8::String> NewString(v8::Isolate *isolate);
    // The address that stands for this text in the external reference table.
    intptr_t Reference() const;

  private:
    artifact_text_encoding encoding_;
    OneByteBundleText one_byte_;
    TwoByteBundleText two_byte_;
};

// The two modules that a bundle with a prelude consists of. Without one, the first is empty and the
// second everything.
engine_text PreludeOf(const engine_bundle &bundle);
engine_text TextAfterPrelude(const engine_bundle &bundle);
// Whether two bundles have one, the same one.
bool HaveSamePrelude(const engine_bundle &one, const engine_bundle &other);

} // namespace snapcell

#endif
