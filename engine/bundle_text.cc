#include "bundle_text.h"

#include <cstring>

namespace snapcell
{

v8::MaybeLocal<v8::String> BundleText::NewString(v8::Isolate *isolate)
{
    if (encoding_ == ARTIFACT_TEXT_LATIN1)
        return v8::String::NewExternalOneByte(isolate, &one_byte_);
    return v8::String::NewExternalTwoByte(isolate, &two_byte_);
}

intptr_t BundleText::Reference() const
{
    // The base class's address: that is the pointer which V8 keeps in the string.
    if (encoding_ == ARTIFACT_TEXT_LATIN1)
        return reinterpret_cast<intptr_t>(
            static_cast<const v8::String::ExternalOneByteStringResource *>(&one_byte_));
    return reinterpret_cast<intptr_t>(
        static_cast<const v8::String::ExternalStringResource *>(&two_byte_));
}

engine_text PreludeOf(const engine_bundle &bundle)
{
    engine_text text = bundle.source;
    text.length = bundle.prelude_length;
    return text;
}

engine_text TextAfterPrelude(const engine_bundle &bundle)
{
    engine_text text = bundle.source;
    text.start += bundle.prelude_length;
    text.length -= bundle.prelude_length;
    return text;
}

bool HaveSamePrelude(const engine_bundle &one, const engine_bundle &other)
{
    size_t unit = one.source.encoding == ARTIFACT_TEXT_LATIN1 ? 1 : 2;
    return one.prelude_length != 0 && one.prelude_length == other.prelude_length &&
           one.source.encoding == other.source.encoding &&
           memcmp(one.source.data(one.source.user), other.source.data(other.source.user),
                  one.prelude_length * unit) == 0;
}

} // namespace snapcell
