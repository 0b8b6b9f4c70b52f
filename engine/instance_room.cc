#include "instance_room.h"

#include <cstring>
#include <vector>

#include <v8-internal.h>
#include <v8-profiler.h>

#include "web_modules.h"

namespace snapcell
{
namespace
{

using v8::internal::Address;

constexpr size_t kWord = v8::internal::kApiTaggedSize;

// Of a function: its fields lie between these.
constexpr size_t kFunctionFieldMin = 3 * kWord;
constexpr size_t kFunctionFieldMax = 10 * kWord;

// Of a map: sizes are in words. What is used counts the object's own fields.
constexpr size_t kInstanceSize = 1 * kWord;
constexpr size_t kInstanceUsed = 1 * kWord + 2;
constexpr size_t kInstanceType = 1 * kWord + 4;
constexpr size_t kBits = 2 * kWord;
constexpr size_t kTransitions = 8 * kWord;
constexpr Address kClearedReference = v8::internal::kWeakHeapObjectTag;

// Of its bits: how many instances are to come until V8 takes room back.
constexpr int kCounterShift = 29;
constexpr uint32_t kCounterMask = 7U << kCounterShift;
constexpr uint32_t kCounterAtFirst = 7;

// What V8 adds to what the source asks for.
constexpr uint8_t kAddedRoom = 8;
// The fields of an object without properties.
constexpr uint8_t kObjectFields = 3;

template <typename T> T Read(Address object, size_t offset)
{
    T value;
    memcpy(&value, reinterpret_cast<void *>(object - v8::internal::kHeapObjectTag + offset),
           sizeof(value));
    return value;
}

template <typename T> void Write(Address object, size_t offset, T value)
{
    memcpy(reinterpret_cast<void *>(object - v8::internal::kHeapObjectTag + offset), &value,
           sizeof(value));
}

bool IsObject(Address value)
{
    return (value & v8::internal::kHeapObjectTagMask) == v8::internal::kHeapObjectTag;
}

Address MapOf(Address object)
{
    return Read<Address>(object, 0);
}

// The map of a map is its own.
bool IsMap(Address object)
{
    Address map = MapOf(object);
    return MapOf(map) == map;
}

Address AddressOf(v8::Local<v8::Object> object)
{
    return v8::internal::ValueHelper::ValueAsAddress(*object);
}

uint16_t TypeOf(v8::Local<v8::Object> object)
{
    return Read<uint16_t>(MapOf(AddressOf(object)), kInstanceType);
}

uint32_t CounterOf(Address map)
{
    return Read<uint32_t>(map, kBits) >> kCounterShift;
}

bool HasTransitions(Address map)
{
    Address transitions = Read<Address>(map, kTransitions);
    return transitions != 0 && transitions != kClearedReference;
}

bool Construct(v8::Local<v8::Context> context, const char *source, v8::Local<v8::Object> *function,
               v8::Local<v8::Object> *instance)
{
    v8::Local<v8::String> text = AsciiString(context->GetIsolate(), source);
    v8::Local<v8::Script> script;
    v8::Local<v8::Value> value;
    if (!v8::Script::Compile(context, text).ToLocal(&script) ||
        !script->Run(context).ToLocal(&value) || !value->IsFunction())
        return false;
    *function = value.As<v8::Object>();
    return value.As<v8::Function>()->NewInstance(context).ToLocal(instance);
}

// Where the function has a word, or 0.
size_t PlaceOf(v8::Local<v8::Object> function, Address word)
{
    for (size_t place = kFunctionFieldMin; place < kFunctionFieldMax; place += kWord)
        if (Read<Address>(AddressOf(function), place) == word) return place;
    return 0;
}

// Whether the map of a class with so many properties, of which one instance lives, is as this file
// takes maps to be.
bool IsAsExpected(Address map, uint8_t properties)
{
    return IsObject(map) && IsMap(map) && CounterOf(map) == kCounterAtFirst - 1 &&
           Read<uint8_t>(map, kInstanceSize) == kObjectFields + properties + kAddedRoom &&
           Read<uint8_t>(map, kInstanceUsed) == kObjectFields && HasTransitions(map);
}

class Constructors final : public v8::QueryObjectPredicate
{
  public:
    bool Filter(v8::Local<v8::Object> object) override
    {
        return object->IsFunction() && object->IsConstructor();
    }
};

// As V8 would do it, if the instances had had the properties that the source names. What lives of
// them has no properties, and fillers where there is room.
bool KeepRoom(Address map)
{
    uint8_t size = Read<uint8_t>(map, kInstanceSize);
    uint8_t used = Read<uint8_t>(map, kInstanceUsed);
    if (CounterOf(map) == 0 || HasTransitions(map) || used < kObjectFields ||
        size <= used + kAddedRoom)
        return false;
    Write<uint8_t>(map, kInstanceSize, size - kAddedRoom);
    Write<uint32_t>(map, kBits, Read<uint32_t>(map, kBits) & ~kCounterMask);
    return true;
}

} // namespace

InstanceRoom::InstanceRoom(v8::Local<v8::Context> scratch)
{
    v8::HandleScope scope(scratch->GetIsolate());
    v8::Local<v8::Object> empty, empty_one, two, two_one, function, function_one;
    if (!Construct(scratch, "(class {})", &empty, &empty_one) ||
        !Construct(scratch, "(class { constructor() { this.a = 1; this.b = 2; } })", &two,
                   &two_one) ||
        !Construct(scratch, "(function () { this.a = 1; })", &function, &function_one))
        return;
    // An instance without properties has the map that its class begins with.
    size_t place = PlaceOf(empty, MapOf(AddressOf(empty_one)));
    if (place == 0 || !IsAsExpected(Read<Address>(AddressOf(two), place), 2) ||
        !IsAsExpected(Read<Address>(AddressOf(function), place), 1))
        return;
    place_ = place;
    class_type_ = TypeOf(two);
    function_type_ = TypeOf(function);
}

size_t InstanceRoom::Keep(v8::Local<v8::Context> context) const
{
    if (place_ == 0) return 0;
    v8::Isolate *isolate = context->GetIsolate();
    Constructors are_wanted;
    std::vector<v8::Global<v8::Object>> constructors;
    // Collects garbage first, and with it what V8 knows of properties.
    isolate->GetHeapProfiler()->QueryObjects(context, &are_wanted, &constructors);
    size_t kept = 0;
    for (const auto &constructor : constructors) {
        v8::HandleScope scope(isolate);
        v8::Local<v8::Object> object = constructor.Get(isolate);
        uint16_t type = TypeOf(object);
        if (type != class_type_ && type != function_type_) continue;
        Address map = Read<Address>(AddressOf(object), place_);
        if (IsObject(map) && IsMap(map) && KeepRoom(map)) kept++;
    }
    return kept;
}

} // namespace snapcell
