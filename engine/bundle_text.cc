#include "bundle_text.h"

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

} // namespace snapcell
