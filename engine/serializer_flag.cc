#include "serializer_flag.h"

#include "serializer_flag_offset.h" // made by find_serializer_flag

namespace snapcell
{

SerializerFlag::SerializerFlag(v8::Isolate *isolate, bool value)
    : flag_(reinterpret_cast<bool *>(isolate) + SNAPCELL_SERIALIZER_FLAG_OFFSET), before_(*flag_)
{
    *flag_ = value;
}

SerializerFlag::~SerializerFlag()
{
    *flag_ = before_;
}

} // namespace snapcell
